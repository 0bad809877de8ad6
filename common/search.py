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

from django.conf import settings as config
from django.db import OperationalError, connection, models, transaction
from psycopg import errors

from common.tenancy import ORGANIZATION_SETTING, SYSTEM_ROLE
from common.text import normalise

CANDIDATES = 2_000
"""How many matches are looked at. With more, the list is read in its own order instead, which is quick for such words."""
ALIKE = 60
MOST_WORDS = 6
FIND_PATIENCE_MS = 20
"""A rare word is found sooner. A frequent one is better read off the list in its order than collected and sorted."""
GUESS_PATIENCE_MS = 40
WALK_PATIENCE_MS = 30
PATIENT_MS = 2_000
"""For what somebody waits for on purpose, or what comes after the page."""

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
    ``guessable`` says that nothing is spelled so, and that looking for similar spellings took too long.
    """

    array: str = "{}"
    number: int = 0
    complete: bool = True
    guessed: bool = False
    guessable: bool = False

    @property
    def ids(self) -> list[UUID]:
        return [UUID(text) for text in self.array.strip("{}").split(",") if text]


def words_of(text: str) -> list[str]:
    """The words of a search, normalised as the stored text is. Signs alone are not words: no index knows them."""
    words = normalise(text.replace("\x00", "")).split()
    return [word for word in words if any(map(str.isalnum, word))][:MOST_WORDS]


def like(word: str) -> str:
    """The word with what LIKE reads as a wildcard taken literally."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def find(table: str, text: str, *, cap: int = CANDIDATES, patient: bool = False) -> Found:
    """Rows of the scope's organization whose text holds every word of ``text``; failing that, those spelled alike.

    What takes long is left out, and said, unless the caller is ``patient``.
    """
    words = words_of(text)
    if not words:
        return Found()
    try:
        found = collect(table, text, cap=cap, patience_ms=PATIENT_MS if patient else FIND_PATIENCE_MS)
    except OutOfTime:
        return Found(complete=False)
    if found.number or max(map(len, words)) < 4:
        return found
    ids = _alike(table, " ".join(words), cap=ALIKE, patience_ms=PATIENT_MS if patient else GUESS_PATIENCE_MS)
    if ids is None:
        return Found(guessable=not patient)
    return Found(f"{{{','.join(map(str, ids))}}}", len(ids), guessed=True)


def collect(table: str, text: str, *, cap: int = CANDIDATES, patience_ms: int = PATIENT_MS) -> Found:
    """Rows whose text holds every word of ``text``, ``cap`` at the most. Raises ``OutOfTime``."""
    with time_limit(patience_ms), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT array_agg(id)::text, count(*) FROM {table}_search(%s::text[], %s) AS id",  # noqa: S608  a table of ours
            [[like(word) for word in words_of(text)], cap + 1],
        )
        array, number = cursor.fetchone()
    return Found(array or "{}", min(number, cap), complete=number <= cap)


def alike(table: str, text: str, *, cap: int = ALIKE) -> list[UUID]:
    """Rows whose text holds something spelled like ``text``, the nearest first; none when looking takes too long."""
    return _alike(table, text, cap=cap, patience_ms=PATIENT_MS) or []


def _alike(table: str, text: str, *, cap: int, patience_ms: int) -> list[UUID] | None:
    try:
        with time_limit(patience_ms), connection.cursor() as cursor:
            cursor.execute(f"SELECT {table}_alike(%s, %s)", [text, cap])
            return [row[0] for row in cursor.fetchall()]
    except OutOfTime:
        return None


class OutOfTime(Exception):
    """The statement took longer than the time it was given."""


_WALK = {
    "enable_sort": "off", "enable_incremental_sort": "off", "enable_seqscan": "off", "enable_bitmapscan": "off",
    "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off", "max_parallel_workers_per_gather": "0",
}  # fmt: skip


@contextmanager
def time_limit(milliseconds: int, **settings: str) -> Iterator[None]:
    """Give the statements inside this much time each (times ``QUERY_PATIENCE``), in a savepoint. Raises ``OutOfTime``.

    ``settings`` of the database hold inside as well.
    """
    values = {"statement_timeout": str(int(milliseconds * config.QUERY_PATIENCE)), **settings}
    try:
        with transaction.atomic():
            before = _settings(values)
            yield
            _settings(before)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise OutOfTime from error
        raise


@contextmanager
def walking(milliseconds: int = WALK_PATIENCE_MS) -> Iterator[None]:
    """Read rows in the order of an index and stop early, which is quick unless matches are rare. Raises ``OutOfTime``."""
    with time_limit(milliseconds, **_WALK):
        yield


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    """Set them until the end of the transaction, and tell what they were."""
    calls = ", ".join(["current_setting(%s), set_config(%s, %s, true)"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [part for name, value in values.items() for part in (name, name, value)])
        return dict(zip(values, cursor.fetchone()[::2], strict=True))


@models.UUIDField.register_lookup
class AnyOf(models.Lookup):
    """``id__any_of=[…]`` or ``="{id,id}"``: like ``in``, but the list travels as one array, so thousands of ids are cheap."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> str | list[UUID]:
        return self.rhs if isinstance(self.rhs, str) else list(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::uuid[])", (*params, self.rhs)
