"""Rows of one file about the same company or the same person: found by SQL over the whole file, the earliest leads."""

from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from people.import_models import ListImport
from people.importing.vocabulary import SHARED_SITES

_JOIN_COMPANIES = """
WITH leads AS (
    SELECT DISTINCT ON (replace(name_key, ' ', '')) replace(name_key, ' ', '') AS name, key
    FROM people_importcompany
    WHERE list_import_id = %(id)s AND domain <> ''
    ORDER BY replace(name_key, ' ', ''), first_row
), joined AS (
    UPDATE people_importcompany c SET same_as = l.key
    FROM leads l
    WHERE c.list_import_id = %(id)s AND c.domain = '' AND replace(c.name_key, ' ', '') = l.name AND c.key <> l.key
    RETURNING l.key AS lead, c.data, c.target, c.tags, c.first_row
)
UPDATE people_importcompany c
SET data = CASE WHEN j.first_row < c.first_row THEN c.data || j.data ELSE j.data || c.data END,
    target = CASE WHEN j.first_row < c.first_row THEN c.target || j.target ELSE j.target || c.target END,
    first_row = least(c.first_row, j.first_row),
    tags = (SELECT coalesce(array_agg(DISTINCT t), '{}') FROM unnest(c.tags || j.tags) t)
FROM joined j
WHERE c.list_import_id = %(id)s AND c.key = j.lead
"""

# Two names under one site, or one name with two sites: perhaps one company, which a person must judge.
_RESEMBLE = """
WITH sites AS (
    SELECT DISTINCT ON (domain) domain, key, data->>'name' AS name FROM people_importcompany
    WHERE list_import_id = %(id)s AND domain <> '' AND same_as = '' AND NOT domain = ANY(%(shared)s)
    ORDER BY domain, first_row
), names AS (
    SELECT DISTINCT ON (name_key) name_key, key, data->>'name' AS name, domain FROM people_importcompany
    WHERE list_import_id = %(id)s AND same_as = '' ORDER BY name_key, first_row
), found AS (
    SELECT c.key, s.name || ' (the same website)' AS words FROM people_importcompany c JOIN sites s USING (domain)
    WHERE c.list_import_id = %(id)s AND c.same_as = '' AND c.key <> s.key
    UNION ALL
    SELECT c.key, n.name || ' (the same name, website ' || n.domain || ')'
    FROM people_importcompany c JOIN names n USING (name_key)
    WHERE c.list_import_id = %(id)s AND c.same_as = '' AND c.key <> n.key
)
UPDATE people_importcompany c SET resembles = f.words FROM found f WHERE c.list_import_id = %(id)s AND c.key = f.key
"""

_SAME_ADDRESS = """
WITH addresses AS (
    SELECT row_no, unnest(emails_norm) AS address FROM people_importrow
    WHERE list_import_id = %(id)s AND reason = '' AND emails_norm <> '{}'
), shared AS (
    SELECT address, min(row_no) AS first_row FROM addresses GROUP BY address HAVING count(*) > 1
)
UPDATE people_importrow r SET first_row = s.first_row
FROM shared s
WHERE r.list_import_id = %(id)s AND r.reason = '' AND r.emails_norm[1] = s.address AND r.row_no > s.first_row
"""

_SAME_NAME = """
WITH named AS (
    SELECT r.row_no, coalesce(nullif(c.same_as, ''), r.company_key, '') AS company, r.person->>'name_norm' AS name,
           r.emails_norm = '{}' AS bare
    FROM people_importrow r
    LEFT JOIN people_importcompany c ON c.list_import_id = r.list_import_id AND c.key = r.company_key
    WHERE r.list_import_id = %(id)s AND r.reason = '' AND r.person IS NOT NULL AND r.first_row IS NULL
), shared AS (
    SELECT company, name, min(row_no) FILTER (WHERE NOT bare) AS addressed,
           least(min(row_no) FILTER (WHERE bare), min(row_no) FILTER (WHERE NOT bare)) AS first_row
    FROM named GROUP BY company, name HAVING count(*) > 1 AND bool_or(bare)
)
UPDATE people_importrow r SET first_row = s.first_row
FROM named n JOIN shared s USING (company, name)
WHERE r.list_import_id = %(id)s AND r.row_no = n.row_no AND n.row_no <> s.first_row
  AND (n.bare OR n.row_no = s.addressed)
"""

_FOLLOW = """
UPDATE people_importrow r SET first_row = l.first_row
FROM people_importrow l
WHERE r.list_import_id = %(id)s AND l.list_import_id = %(id)s AND l.row_no = r.first_row AND l.first_row IS NOT NULL
"""

_MERGE = """
WITH members AS (
    SELECT coalesce(first_row, row_no) AS lead, row_no, person, emails, emails_norm, tags FROM people_importrow
    WHERE list_import_id = %(id)s AND (first_row IS NOT NULL OR row_no IN (
        SELECT first_row FROM people_importrow WHERE list_import_id = %(id)s AND first_row IS NOT NULL))
), facts AS (
    SELECT lead, jsonb_object_agg(f.key, f.value ORDER BY row_no DESC) AS person
    FROM members, jsonb_each(person) f GROUP BY lead
), addresses AS (
    SELECT lead, array_agg(address ORDER BY place) AS emails, array_agg(norm ORDER BY place) AS emails_norm
    FROM (
        SELECT DISTINCT ON (lead, a.norm) lead, a.address, a.norm, row_no * 1000::bigint + a.number AS place
        FROM members, unnest(emails, emails_norm) WITH ORDINALITY AS a(address, norm, number)
        ORDER BY lead, a.norm, row_no, a.number
    ) d GROUP BY lead
), labels AS (
    SELECT lead, array_agg(DISTINCT t) AS tags FROM members, unnest(tags) t GROUP BY lead
)
UPDATE people_importrow r
SET person = f.person, emails = coalesce(a.emails, '{}'), emails_norm = coalesce(a.emails_norm, '{}'),
    tags = coalesce(l.tags, '{}')
FROM facts f LEFT JOIN addresses a USING (lead) LEFT JOIN labels l USING (lead)
WHERE r.list_import_id = %(id)s AND r.row_no = f.lead
"""


def group(list_import: ListImport) -> None:
    """Mark repeated rows and gather what they say in the first of each. One transaction; doing it again changes nothing."""
    params = {"id": list_import.pk}
    with connection.cursor() as cursor:
        # Fresh rows have no statistics, and a nested loop over a whole file takes hours.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_JOIN_COMPANIES, params)
        cursor.execute(_RESEMBLE, {**params, "shared": sorted(SHARED_SITES)})
        cursor.execute(_SAME_ADDRESS, params)
        _follow(cursor, params)
        cursor.execute(_SAME_NAME, params)
        _follow(cursor, params)
        cursor.execute(_MERGE, params)
        cursor.execute("SET LOCAL enable_nestloop = on")


def _follow(cursor: CursorWrapper, params: dict[str, UUID]) -> None:
    """Let every row point at the first of its group, not at one that points on."""
    cursor.execute(_FOLLOW, params)
    while cursor.rowcount:
        cursor.execute(_FOLLOW, params)
