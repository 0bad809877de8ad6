"""Search as typed, through the trigram index that row-level security would otherwise keep from being used.

Under row-level security Postgres may not use an index through ``LIKE`` or the trigram operators, because they are not
leakproof. So the candidates come from SECURITY DEFINER functions owned by the system role that ask for the organization
of the scope themselves; their ids are joined back to the protected table. One pair of functions per table::

    migrations.RunSQL(search_functions_sql("people_person"), drop_search_functions_sql("people_person"))
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from common.tenancy import ORGANIZATION_SETTING, SYSTEM_ROLE
from common.text import normalise

CANDIDATES = 500
"""How many matches are looked at. With more, the list is read in its own order instead, which is quick for such words."""
ALIKE = 60
MOST_WORDS = 6

_BODY = """
CREATE OR REPLACE FUNCTION {table}_search(words text[], cap integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  asking uuid := nullif(current_setting('{setting}', true), '')::uuid;
  condition text;
BEGIN
  SELECT string_agg(
    CASE WHEN length(word) < 3 THEN format('(search_text LIKE %L OR search_text LIKE %L)', word || '%', '% ' || word || '%')
    ELSE format('search_text LIKE %L', '%' || word || '%') END, ' AND ') INTO condition FROM unnest(words) AS word;
  IF asking IS NULL OR condition IS NULL THEN RETURN; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT id FROM {table} WHERE organization_id = %L AND %s LIMIT %s', asking, condition, cap);
END $body$;

CREATE OR REPLACE FUNCTION {table}_alike(wanted text, cap integer) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE asking uuid := nullif(current_setting('{setting}', true), '')::uuid;
BEGIN
  IF asking IS NULL THEN RETURN; END IF;
  PERFORM set_config('pg_trgm.word_similarity_threshold', '0.55', true);
  RETURN QUERY EXECUTE format(
    'SELECT id FROM {table} WHERE organization_id = %L AND %L <%% search_text '
    'ORDER BY word_similarity(%L, search_text) DESC, id LIMIT %s', asking, wanted, wanted, cap);
END $body$;

ALTER FUNCTION {table}_search(text[], integer) OWNER TO {role};
ALTER FUNCTION {table}_alike(text, integer) OWNER TO {role};
"""


def search_functions_sql(table: str) -> str:
    """Create ``<table>_search`` and ``<table>_alike`` over the table's ``organization_id`` and ``search_text``."""
    return _BODY.replace("{table}", table).replace("{setting}", ORGANIZATION_SETTING).replace("{role}", SYSTEM_ROLE)


def drop_search_functions_sql(table: str) -> str:
    return (
        f"DROP FUNCTION IF EXISTS {table}_search(text[], integer); DROP FUNCTION IF EXISTS {table}_alike(text, integer)"
    )


@dataclass(frozen=True)
class Found:
    """The rows that match. ``complete`` says there are no others; ``guessed`` that only similar spellings were found."""

    ids: list[UUID]
    complete: bool = True
    guessed: bool = False


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
        return Found([])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {table}_search(%s::text[], %s)", [[like(word) for word in words], cap + 1])
        ids = [row[0] for row in cursor.fetchall()]
    if ids or max(map(len, words)) < 4:
        return Found(ids[:cap], complete=len(ids) <= cap)
    return Found(alike(table, " ".join(words)), guessed=True)


def alike(table: str, text: str, *, cap: int = ALIKE) -> list[UUID]:
    """Rows whose text holds something spelled like ``text``, the nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {table}_alike(%s, %s)", [text, cap])
        return [row[0] for row in cursor.fetchall()]
