"""Search as typed, through the trigram index that row-level security would otherwise keep from being used.

Under row-level security Postgres may not use an index through ``LIKE`` or the trigram operators, because they are not
leakproof. So the candidates come from SECURITY DEFINER functions owned by the system role that ask for the organization
of the scope themselves; their ids are joined back to the protected table. One pair of functions per table::

    migrations.RunSQL(search_functions_sql("people_person"), drop_search_functions_sql("people_person"))
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, models, transaction
from psycopg import errors

from common.tenancy import ORGANIZATION_SETTING, SYSTEM_ROLE
from common.text import normalise

CANDIDATES = 2_000
"""How many matches are looked at. With more, the list is read in its own order instead, which is quick for such words."""
ALIKE = 60
MOST_WORDS = 6
GUESS_PATIENCE_MS = 60

_BODY = r"""
SET LOCAL ROLE {role};

CREATE OR REPLACE FUNCTION {table}_search(words text[], cap integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  asking uuid := nullif(current_setting('{setting}', true), '')::uuid;
  condition text;
BEGIN
  -- Words of one or two letters match the beginning of a word. Beside a longer word they are only checked on what that
  -- one finds (the concatenation keeps the index out of it): their own part of the index is long.
  SELECT string_agg(CASE
    WHEN length(word) > 2 THEN format('search_text LIKE %L', '%' || word || '%')
    WHEN longest > 2 THEN format('(%L || search_text) LIKE %L', ' ', '% ' || word || '%')
    ELSE format('(search_text LIKE %L OR search_text LIKE %L)', word || '%', '% ' || word || '%') END, ' AND ')
  INTO condition FROM unnest(words) AS word, (SELECT max(length(w)) AS longest FROM unnest(words) AS w) AS every_word;
  IF asking IS NULL OR condition IS NULL THEN RETURN; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT id FROM {table} WHERE organization_id = %L AND %s LIMIT %s', asking, condition, cap);
END $body$;

CREATE OR REPLACE FUNCTION {table}_alike(wanted text, cap integer) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  asking uuid := nullif(current_setting('{setting}', true), '')::uuid;
  likeness text;
BEGIN
  IF asking IS NULL THEN RETURN; END IF;
  FOREACH likeness IN ARRAY ARRAY['0.65', '0.5'] LOOP
    PERFORM set_config('pg_trgm.word_similarity_threshold', likeness, true);
    RETURN QUERY EXECUTE format(
      'SELECT id FROM (SELECT id, search_text FROM {table} WHERE organization_id = %L AND %L <%% search_text LIMIT %s) AS near '
      'ORDER BY word_similarity(%L, search_text) DESC, id LIMIT %s', asking, wanted, cap * 4, wanted, cap);
    EXIT WHEN FOUND;
  END LOOP;
END $body$;

SET LOCAL ROLE NONE;
"""


def search_functions_sql(table: str) -> str:
    """Create ``<table>_search`` and ``<table>_alike`` over the table's ``organization_id`` and ``search_text``."""
    return _BODY.replace("{table}", table).replace("{setting}", ORGANIZATION_SETTING).replace("{role}", SYSTEM_ROLE)


def drop_search_functions_sql(table: str) -> str:
    return (
        f"SET LOCAL ROLE {SYSTEM_ROLE}; DROP FUNCTION IF EXISTS {table}_search(text[], integer); "
        f"DROP FUNCTION IF EXISTS {table}_alike(text, integer); SET LOCAL ROLE NONE"
    )


@dataclass(frozen=True)
class Found:
    """The rows that match. ``complete`` says there are no others; ``guessed`` that only similar spellings were found.

    ``array`` is what the database said (``{id,id,…}``) and goes back to it untouched, with the lookup ``any_of``.
    """

    array: str = "{}"
    number: int = 0
    complete: bool = True
    guessed: bool = False

    @property
    def ids(self) -> list[UUID]:
        return [UUID(text) for text in self.array.strip("{}").split(",") if text]


def words_of(text: str) -> list[str]:
    """The words of a search, normalised as the stored text is."""
    return normalise(text.replace("\x00", "")).split()[:MOST_WORDS]


def like(word: str) -> str:
    """The word with what LIKE reads as a wildcard taken literally."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def find(table: str, text: str, *, cap: int = CANDIDATES) -> Found:
    """Rows of the scope's organization whose text holds every word of ``text``; failing that, those spelled alike."""
    words = words_of(text)
    if not words:
        return Found()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT array_agg(id)::text, count(*) FROM {table}_search(%s::text[], %s) AS id",  # noqa: S608  a table of ours
            [[like(word) for word in words], cap + 1],
        )
        array, number = cursor.fetchone()
    if number or max(map(len, words)) < 4:
        return Found(array or "{}", min(number, cap), complete=number <= cap)
    ids = alike(table, " ".join(words))
    return Found(f"{{{','.join(map(str, ids))}}}", len(ids), guessed=True)


def alike(table: str, text: str, *, cap: int = ALIKE) -> list[UUID]:
    """Rows whose text holds something spelled like ``text``, the nearest first; none when looking takes too long."""
    try:
        with time_limit(GUESS_PATIENCE_MS), connection.cursor() as cursor:
            cursor.execute(f"SELECT {table}_alike(%s, %s)", [text, cap])
            return [row[0] for row in cursor.fetchall()]
    except OutOfTime:
        return []


class OutOfTime(Exception):
    """The statement took longer than the time it was given."""


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """Give the statements inside this much time each, in a savepoint of their own. Raises ``OutOfTime``."""
    try:
        with transaction.atomic():
            _setting("statement_timeout", str(milliseconds))
            yield
            _setting("statement_timeout", "0")
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise OutOfTime from error
        raise


@contextmanager
def index_order() -> Iterator[None]:
    """Make the planner read rows in the order of an index and stop early, for conditions whose frequency it cannot see."""
    names = (
        "enable_sort",
        "enable_seqscan",
        "enable_bitmapscan",
        "enable_hashjoin",
        "enable_mergejoin",
        "enable_material",
    )
    _settings(dict.fromkeys(names, "off") | {"max_parallel_workers_per_gather": "0"})
    yield
    _settings(dict.fromkeys(names, "on") | {"max_parallel_workers_per_gather": "2"})


def _setting(name: str, value: str) -> None:
    _settings({name: value})


def _settings(values: Mapping[str, str]) -> None:
    """Set them until the end of the transaction."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [part for pair in values.items() for part in pair])


@models.UUIDField.register_lookup
class AnyOf(models.Lookup):
    """``id__any_of=[…]`` or ``="{id,id}"``: like ``in``, but the list travels as one array, so thousands of ids are cheap."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> str | list[UUID]:
        return self.rhs if isinstance(self.rhs, str) else list(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::uuid[])", (*params, self.rhs)
