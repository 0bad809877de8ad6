"""The people of a file against those who exist, and the outcome of every row. Set-based: a chunk is one table.

Statements name the organization and the event in a sub-select. Of a new one the planner's statistics know no rows, so with
the plain value it would plan for none and loop; this way it plans for as many as others have.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import update_many
from common.happenings import Kind, announce_selected
from common.ids import UUID7_SQL
from common.text import normalise
from people.import_models import ListImport
from people.importing import search
from people.importing.companies import Policies, tags_by_name
from people.models import PERSONA_FLAGS, Person

PERSON_TEXTS = [
    "name",
    "first_name",
    "last_name",
    "name_norm",
    "title",
    "seniority",
    "department",
    "phone",
    "mobile",
    "linkedin",
    "city",
    "country",
    "notes",
]
PERSON_FIELDS = [
    *(name for name in PERSON_TEXTS if name != "name_norm"),
    *PERSONA_FLAGS,
    "owner_id",
]
DERIVED = ["name_norm", "email_norm", "search_text"]

_CHUNK = """
CREATE TEMPORARY TABLE chunk ON COMMIT DROP AS
SELECT r.row_no, r.person, r.emails, r.emails_norm, r.tags, r.hall, r.stand, r.first_row, r.domain,
       CASE WHEN r.reason = %(not_found)s THEN '' ELSE r.reason END AS reason,
       coalesce(lead.key, c.key) AS company_key, coalesce(lead.account_id, c.account_id) AS account_id,
       coalesce(lead.outcome, c.outcome, '') AS company_outcome,
       coalesce(lead.first_row, c.first_row) = r.row_no AS leads_company, t.id AS target_id,
       NULL::uuid AS person_id, false AS is_new, false AS adds, ''::text AS note
FROM people_importrow r
LEFT JOIN people_importcompany c ON c.list_import_id = r.list_import_id AND c.key = r.company_key
LEFT JOIN people_importcompany lead ON lead.list_import_id = c.list_import_id AND lead.key = c.same_as AND c.same_as <> ''
LEFT JOIN accounts_targetaccount t ON t.organization_id = (SELECT %(org)s::uuid) AND t.event_id = (SELECT %(event)s::uuid)
    AND t.account_id = coalesce(lead.account_id, c.account_id)
WHERE r.list_import_id = %(id)s AND r.row_no > %(low)s AND r.row_no <= %(high)s;
ANALYZE chunk (row_no, first_row, account_id, target_id, company_key, domain, hall, stand, reason)
"""

_COMPANY_BY_DOMAIN = """
UPDATE chunk SET account_id = a.id
FROM (SELECT domain, (array_agg(id))[1] AS id FROM accounts_account
      WHERE organization_id = (SELECT %(org)s::uuid) AND domain = ANY(%(domains)s) GROUP BY domain HAVING count(*) = 1) a
WHERE chunk.domain <> '' AND chunk.domain = a.domain AND chunk.account_id IS NULL AND chunk.company_key IS NULL
"""

_BY_ADDRESS = """
UPDATE chunk SET person_id = m.person_id
FROM (SELECT DISTINCT ON (c.row_no) c.row_no, e.person_id
      FROM chunk c, unnest(c.emails_norm) WITH ORDINALITY AS a(address, number), people_personemail e
      WHERE c.first_row IS NULL AND c.person IS NOT NULL
        AND e.organization_id = (SELECT %(org)s::uuid) AND e.email_norm = ANY(%(addresses)s)
        AND e.email_norm = a.address
      ORDER BY c.row_no, a.number) m
WHERE chunk.row_no = m.row_no
"""

_BY_NAME = """
UPDATE chunk SET person_id = m.id
FROM (SELECT DISTINCT ON (c.row_no) c.row_no, p.id
      FROM chunk c JOIN people_person p ON p.name_norm = c.person->>'name_norm' AND p.account_id IS NOT DISTINCT FROM c.account_id
      WHERE c.person_id IS NULL AND c.person IS NOT NULL AND c.first_row IS NULL
        AND (c.account_id IS NOT NULL OR c.company_outcome = '')
        AND p.organization_id = (SELECT %(org)s::uuid) AND p.name_norm = ANY(%(names)s)
        AND (p.email_norm = '' OR c.emails_norm = '{}')
      ORDER BY c.row_no, p.email_norm <> '', p.created_at, p.id) m
WHERE chunk.row_no = m.row_no
"""

_ONE_ROW_PER_PERSON = """
UPDATE chunk SET first_row = m.first_row
FROM (SELECT row_no, min(row_no) OVER (PARTITION BY person_id) AS first_row FROM chunk
      WHERE person_id IS NOT NULL AND first_row IS NULL) m
WHERE chunk.row_no = m.row_no AND m.first_row < m.row_no
"""

_INSERT = f"""
WITH names AS MATERIALIZED (
    SELECT id, name_norm FROM accounts_account
    WHERE organization_id = (SELECT %(org)s::uuid) AND id = ANY(%(accounts)s)
)
INSERT INTO people_person (id, organization_id, account_id, created_at, updated_at, {", ".join(PERSON_TEXTS)},
    {", ".join(PERSONA_FLAGS)}, email, email_norm, owner_id, source, import_id, time_zone, icp_reasons, search_text)
SELECT c.person_id, %(org)s, c.account_id, %(now)s, %(now)s,
    {", ".join(f"coalesce(c.person->>'{name}', '')" for name in PERSON_TEXTS)},
    {", ".join(f"coalesce((c.person->>'{name}')::boolean, false)" for name in PERSONA_FLAGS)},
    coalesce(c.emails[1], ''), coalesce(c.emails_norm[1], ''), (c.person->>'owner_id')::uuid, %(source)s, %(id)s, '', '[]',
    concat_ws(' ', c.person->>'name_norm', nullif(c.emails_norm[1], ''), nullif(c.person->>'title_norm', '')
              , nullif(a.name_norm, ''))
FROM chunk c LEFT JOIN names a ON a.id = c.account_id
WHERE c.is_new
"""  # noqa: S608

_INSERT_ADDRESSES = f"""
INSERT INTO people_personemail (id, organization_id, created_at, updated_at, person_id, email, email_norm, is_primary)
SELECT {UUID7_SQL}, %(org)s, %(now)s, %(now)s, c.person_id, a.address, a.norm, c.is_new AND a.number = 1
FROM chunk c, unnest(c.emails, c.emails_norm) WITH ORDINALITY AS a(address, norm, number)
WHERE c.person_id IS NOT NULL AND c.first_row IS NULL AND (c.is_new OR c.adds)
ON CONFLICT DO NOTHING
"""  # noqa: S608

_NEW_ADDRESS = """
UPDATE chunk c SET adds = true
WHERE c.person_id IS NOT NULL AND NOT c.is_new AND c.first_row IS NULL AND EXISTS (
    SELECT FROM unnest(c.emails_norm) n WHERE n NOT IN (
        SELECT e.email_norm FROM people_personemail e
        WHERE e.organization_id = (SELECT %(org)s::uuid) AND e.email_norm = ANY(c.emails_norm)))
"""

_STANDS = f"""
WITH said AS (
    SELECT target_id, hall, stand, min(row_no) AS row_no FROM chunk
    WHERE reason = '' AND (hall <> '' OR stand <> '') AND target_id IS NOT NULL GROUP BY target_id, hall, stand
), written AS (
    INSERT INTO accounts_stand (id, organization_id, created_at, updated_at, target_id, hall, number)
    SELECT {UUID7_SQL}, %(org)s, %(now)s, %(now)s, target_id, hall, stand FROM said
    ON CONFLICT DO NOTHING RETURNING target_id, hall, number
)
UPDATE chunk SET adds = true
FROM said s JOIN written w ON w.target_id = s.target_id AND w.hall = s.hall AND w.number = s.stand
WHERE chunk.row_no = s.row_no AND NOT chunk.adds
"""  # noqa: S608

_STANDS_FORESEEN = """
WITH missing AS (
    SELECT DISTINCT ON (c.company_key, c.hall, c.stand) c.row_no
    FROM chunk c
    WHERE c.reason = '' AND (c.hall <> '' OR c.stand <> '') AND c.company_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM accounts_stand s WHERE s.organization_id = (SELECT %(org)s::uuid) AND s.target_id = c.target_id
            AND s.hall = c.hall AND s.number = c.stand)
    ORDER BY c.company_key, c.hall, c.stand, c.row_no
)
UPDATE chunk SET adds = true FROM missing m WHERE chunk.row_no = m.row_no
"""

_SETTLED = """
(SELECT *, CASE
    WHEN reason <> '' OR note <> '' THEN 'rejected'
    WHEN person IS NOT NULL AND first_row IS NULL AND is_new THEN 'created'
    WHEN person IS NULL AND leads_company AND company_outcome = 'created' THEN 'created'
    WHEN person IS NOT NULL AND first_row IS NULL AND changed THEN 'updated'
    WHEN leads_company AND company_outcome IN ('created', 'updated') THEN 'updated'
    WHEN adds THEN 'updated'
    ELSE 'unchanged' END AS outcome
 FROM (SELECT *, person_id = ANY(%(changed)s) AS changed FROM chunk) k) c
"""

_NOTE_RESULT = f"""
UPDATE people_importrow r
SET outcome = c.outcome, person_id = CASE WHEN %(write)s OR NOT c.is_new THEN c.person_id END,
    reason = CASE WHEN c.note <> '' THEN c.note ELSE c.reason END
FROM {_SETTLED}
WHERE r.list_import_id = %(id)s AND r.row_no > %(low)s AND r.row_no <= %(high)s AND r.row_no = c.row_no
"""  # noqa: S608

_COUNTS = f"""
SELECT count(*) FILTER (WHERE outcome = 'created'), count(*) FILTER (WHERE outcome = 'updated'),
       count(*) FILTER (WHERE outcome = 'unchanged'), count(*) FILTER (WHERE outcome = 'rejected'),
       count(*) FILTER (WHERE outcome <> 'rejected' AND
                        CASE WHEN person IS NULL THEN NOT leads_company ELSE first_row IS NOT NULL END),
       count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE first_row IS NULL AND NOT is_new AND changed)
FROM {_SETTLED}
"""  # noqa: S608

_FOLLOWS_NOBODY = """
UPDATE chunk SET note = %(not_found)s FROM people_importrow l
WHERE chunk.first_row IS NOT NULL AND chunk.person_id IS NULL AND l.list_import_id = %(id)s AND l.row_no = chunk.first_row
  AND l.person_id IS NULL AND NOT EXISTS (SELECT FROM chunk f WHERE f.row_no = l.row_no AND f.person_id IS NOT NULL)
"""

_MISSING_TAGS = """
SELECT DISTINCT c.person_id, k.id AS tag_id, c.is_new FROM chunk c, unnest(c.tags) t
JOIN unnest(%(names)s::text[], %(ids)s::uuid[]) AS k(name, id) ON k.name = t
WHERE c.first_row IS NULL AND c.reason = '' AND c.person_id IS NOT NULL AND (c.is_new OR %(may_change)s)
  AND NOT EXISTS (SELECT FROM people_persontag p
                  WHERE p.organization_id = (SELECT %(org)s::uuid) AND p.person_id = c.person_id AND p.tag_id = k.id)
"""

_INSERT_TAGS = f"""
INSERT INTO people_persontag (id, organization_id, created_at, updated_at, person_id, tag_id)
SELECT {UUID7_SQL}, %(org)s, %(now)s, %(now)s, m.person_id, m.tag_id FROM ({_MISSING_TAGS}) m ON CONFLICT DO NOTHING
"""  # noqa: S608

NOT_FOUND = "Nobody and nothing like it exists yet, and this import only updates."


@dataclass(frozen=True)
class Counts:
    """What became of the rows of a chunk."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    repeated: int
    people_created: int
    people_updated: int


class MetKnownPeople(Exception):
    """Rows are about people who exist, so that the order in which rows are taken matters."""


def compare(
    list_import: ListImport, policies: Policies, *, low: int, high: int, write: bool, only_new: bool = False
) -> Counts:
    """Decide what becomes of the rows ``low < row_no <= high`` and, with ``write``, do it.

    With ``only_new`` raises ``MetKnownPeople``, before it writes, when it would have to change somebody.
    """
    now = timezone.now()
    params: dict[str, Any] = {
        "id": list_import.pk,
        "org": list_import.organization_id,
        "event": list_import.event_id,
        "low": low,
        "high": high,
        "now": now,
        "not_found": NOT_FOUND,
        "source": f"Import: {list_import.file_name}"[:120],
    }
    _run(_CHUNK, params)
    _match(params)
    mode = list_import.mode
    if only_new and mode != ListImport.Mode.CREATE and _rows("SELECT FROM chunk WHERE person_id IS NOT NULL LIMIT 1"):
        raise MetKnownPeople
    if mode == ListImport.Mode.UPDATE:
        _run(
            "UPDATE chunk SET note = %(note)s WHERE reason = '' AND ("
            "(person IS NOT NULL AND person_id IS NULL AND first_row IS NULL) OR (person IS NULL AND account_id IS NULL))",
            {"note": NOT_FOUND},
        )
        _run(_FOLLOWS_NOBODY, params)
    else:
        _run(
            f"UPDATE chunk SET is_new = true, person_id = {UUID7_SQL} "  # noqa: S608
            "WHERE person IS NOT NULL AND person_id IS NULL AND first_row IS NULL AND reason = ''"
        )
    changed: set[UUID] = set()
    if mode != ListImport.Mode.CREATE:
        changed = _update_known(list_import, policies, now, write=write)
        _run(_NEW_ADDRESS, params)
    if write:
        search.set_aside()
        _write_new(params)
    if list_import.event_id:
        _run(_STANDS if write else _STANDS_FORESEEN, params)
    changed |= _tag(list_import, now, may_change=mode != ListImport.Mode.CREATE, write=write)
    settled = {**params, "changed": list(changed), "write": write}
    _run(_NOTE_RESULT, settled)
    counts = Counts(*_rows(_COUNTS, settled)[0])
    _run("DROP TABLE chunk")
    return counts


def _match(params: dict[str, Any]) -> None:
    domains = [d for (d,) in _rows("SELECT DISTINCT domain FROM chunk WHERE domain <> '' AND company_key IS NULL")]
    if domains:
        _run(_COMPANY_BY_DOMAIN, {**params, "domains": domains})
    addresses = [a for (a,) in _rows("SELECT DISTINCT unnest(emails_norm) FROM chunk WHERE first_row IS NULL")]
    if addresses:
        _run(_BY_ADDRESS, {**params, "addresses": addresses})
    names = [
        name
        for (name,) in _rows(
            "SELECT DISTINCT person->>'name_norm' FROM chunk "
            "WHERE person_id IS NULL AND person IS NOT NULL AND first_row IS NULL AND company_outcome <> 'created'"
        )
    ]
    if names:
        _run(_BY_NAME, {**params, "names": names})
    _run(_ONE_ROW_PER_PERSON)


def _write_new(params: Mapping[str, Any]) -> None:
    accounts = [a for (a,) in _rows("SELECT DISTINCT account_id FROM chunk WHERE is_new AND account_id IS NOT NULL")]
    # Their timeline shows the entry of the import, which is one row instead of one for each of them.
    _run(_INSERT, {**params, "accounts": accounts})
    _run(_INSERT_ADDRESSES, params)


def _update_known(list_import: ListImport, policies: Policies, now: Any, *, write: bool) -> set[UUID]:
    """Bring the people who exist up to date; returns those who changed."""
    rows = _rows(
        "SELECT person_id, person, emails[1], account_id, company_key FROM chunk "
        "WHERE person_id IS NOT NULL AND NOT is_new AND first_row IS NULL"
    )
    if not rows:
        return set()
    people = Person.objects.for_org(list_import.organization_id).in_bulk([row[0] for row in rows])
    changed, names = [], set()
    for person_id, stored, address, account_id, company_key in rows:
        person = people[person_id]
        values = {name: value for name, value in json.loads(stored).items() if name in PERSON_FIELDS}
        if "owner_id" in values:
            values["owner_id"] = UUID(values["owner_id"])
        fields = policies.apply(person, "person", values)
        # A company guessed from the address moves nobody; one that the list names does.
        if account_id is not None and (company_key is not None or person.account_id is None):
            fields |= policies.apply(person, "company", {"account_id": account_id})
        if address and not person.email:
            person.email = address
            fields.add("email")
        if fields:
            person.updated_at = now
            changed.append(person)
            names |= fields
    if write and changed:
        for person in changed:
            person.derive()
        update_many(changed, [*(n.removesuffix("_id") for n in names), *DERIVED, "updated_at"])
        announce_selected(
            "SELECT %s, %s::uuid, %s::uuid, %s::uuid, account_id, id, name || ' changed by a list' FROM people_person "
            "WHERE organization_id = %s AND id = ANY(%s)",
            [
                Kind.PERSON_UPDATED.value,
                list_import.organization_id,
                list_import.created_by_id,
                list_import.event_id,
                list_import.organization_id,
                [person.pk for person in changed],
            ],
        )
    return {person.pk for person in changed}


def _tag(list_import: ListImport, now: Any, *, may_change: bool, write: bool) -> set[UUID]:
    """Add the labels of the people; returns the existing ones who got one they did not have."""
    names = [
        name
        for (name,) in _rows(
            "SELECT DISTINCT unnest(tags) FROM chunk WHERE first_row IS NULL AND reason = '' AND person_id IS NOT NULL"
        )
    ]
    if not names:
        return set()
    tags = tags_by_name(list_import, names, now, write=write)
    known = {name: tags.get(normalise(name)) for name in names}
    params = {
        "names": list(known),
        "ids": list(known.values()),
        "org": list_import.organization_id,
        "now": now,
        "may_change": may_change,
    }
    touched = {row[0] for row in _rows(_MISSING_TAGS, params) if not row[2]}
    if write:
        _run(_INSERT_TAGS, params)
    return touched


def _run(statement: str, params: Mapping[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _rows(statement: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def lock_organization(organization_id: UUID) -> None:
    """Until the end of the transaction no other import of this organization compares or writes."""
    _run("SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"import {organization_id}"})
