"""One organization with very many rows, made by SQL and kept between runs; several benches share it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from bench.registry import note, scaled, stopwatch
from common.ids import uuid7
from events.models import Event
from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope

PEOPLE = 1_000_000
ACCOUNTS = 100_000
INDEXES = {
    "person_search": "CREATE INDEX person_search ON people_person USING gin (organization_id uuid_ops, search_text gin_trgm_ops)",
    "account_search": (
        "CREATE INDEX account_search ON accounts_account USING gin (organization_id uuid_ops, search_text gin_trgm_ops)"
    ),
}


@dataclass(frozen=True)
class Big:
    """The organization, its show, somebody who may look, and how many rows there are."""

    organization: Organization
    event: Event
    user: User
    people: int
    accounts: int


# ruff: noqa: E501 - lists of words
_WORDS = """
CREATE TEMP TABLE words ON COMMIT DROP AS SELECT
  ARRAY['al','bern','cor','dan','el','fried','gar','hol','is','jan','kar','lind','mar','nor','ost','pet','ros','stein','tor','wal'] a,
  ARRAY['a','er','in','o','berg','mann','sen','ov','ez','ini','ska','dt','feld','son','ic','ara','enko','ault','ley','wood'] b,
  ARRAY['','s','k','t','ner','ling','ton','ier','ola','ix','and','ow','ey','ert','ung'] c,
  ARRAY['Anna','Ben','Clara','David','Elena','Felix','Grace','Hugo','Irene','Jonas','Karin','Liam','Marta','Nils','Olga','Pablo',
    'Rosa','Samir','Tara','Uwe','Vera','Wei','Xenia','Yusuf','Zoe','Astrid','Bruno','Carmen','Diego','Emma','Fatima','Georg'] first,
  ARRAY['Head of Operations','Chief Procurement Officer','Plant Manager','Sales Director','Software Engineer','Buyer',
    'Managing Director','Logistics Lead','Quality Manager','Head of IT','Maintenance Planner','Marketing Manager'] title,
  ARRAY['Robotics','Logistik','Systems','Maschinenbau','Automation','Foods','Chemicals','Optics','Motors','Energy','Textiles',
    'Packaging','Medical','Aero','Metals','Pumps','Sensors','Software','Plastics','Tools'] trade,
  ARRAY['GmbH','AG','Ltd','Inc','SA','BV'] form
"""
_ACCOUNTS = """
WITH made AS (
  SELECT n, uuidv7() AS id,
    initcap(a[1 + n %% 20] || b[1 + n / 20 %% 20] || c[1 + n / 400 %% 15]) || ' '
      || trade[1 + n / 6000 %% 20] || ' ' || form[1 + n %% 6] || CASE WHEN n >= 720000 THEN ' ' || n ELSE '' END AS name,
    lower(a[1 + n %% 20] || b[1 + n / 20 %% 20] || c[1 + n / 400 %% 15]) || n || '.com' AS domain
  FROM generate_series(0, %(count)s - 1) AS n, words
)
INSERT INTO accounts_account (id, organization_id, created_at, updated_at, name, name_norm, name_key, website, domain, industry,
  description, headquarters, street, postal_code, city, region, country, phone, linkedin, employee_count, notes, source, search_text)
SELECT id, %(organization)s, now() - n * interval '1 second', now(), name, lower(name), lower(name), 'https://www.' || domain,
  domain, (ARRAY['Machinery','Software','Food','Chemicals'])[1 + n %% 4], '', '', '', '', (ARRAY['Berlin','Oslo','Lyon','Porto'])[1 + n %% 4],
  '', (ARRAY['Germany','Norway','France','Portugal'])[1 + n %% 4], '', '', 10 + n %% 5000, '', 'bench',
  lower(name) || ' ' || domain || ' ' || lower((ARRAY['Berlin','Oslo','Lyon','Porto'])[1 + n %% 4])
FROM made
"""
_TARGETS = """
INSERT INTO accounts_targetaccount (id, organization_id, created_at, updated_at, event_id, account_id, tier, status, stage, notes,
  icp_score, icp_reasons, proposed_tier, name_norm, owner_id)
SELECT uuidv7(), organization_id, created_at, now(), %(event)s, id, (ARRAY['A','B','B','C','C','C','D','D','D','D'])[1 + h %% 10],
  (ARRAY['PROSPECTING','PROSPECTING','PROSPECTING','ENGAGED','ENGAGED','MEETING_SCHEDULED','WON','LOST'])[1 + h / 10 %% 8],
  (ARRAY['Lead','Qualified','Booked','Checked In','No Show'])[1 + h / 80 %% 5], '', h %% 101, '[]', '', name_norm,
  CASE WHEN h %% 3 = 0 THEN %(user)s::uuid END
FROM (SELECT *, abs(hashtext(id::text)) AS h FROM accounts_account WHERE organization_id = %(organization)s) AS a
"""
_PEOPLE = """
WITH account AS (
  SELECT id, name_norm, domain, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_account
  WHERE organization_id = %(organization)s
), made AS (
  SELECT n, uuidv7() AS id, account.id AS account_id, account.name_norm AS company, h,
    first[1 + h %% 32] AS first_name,
    initcap(a[1 + h / 32 %% 20] || b[1 + h / 640 %% 20] || c[1 + h / 12800 %% 15]) AS last_name,
    title[1 + h / 7 %% 12] AS title, account.domain
  FROM words, (SELECT n, abs(hashtext('p' || n)) AS h FROM generate_series(%(from)s, %(to)s - 1) AS n) AS numbers
  JOIN account ON account.place = n %% %(accounts)s
)
INSERT INTO people_person (id, organization_id, created_at, updated_at, account_id, name, first_name, last_name, name_norm, title,
  seniority, department, email, email_norm, phone, mobile, linkedin, city, country, time_zone, notes, source, is_exec_ops, is_ops,
  is_proc, is_sales, is_tech, is_non_ops, icp_score, icp_reasons, owner_id, search_text)
SELECT id, %(organization)s, now() - n * interval '1 second', now(), account_id, first_name || ' ' || last_name, first_name,
  last_name, lower(first_name || ' ' || last_name), title, '', '', email, email, '+49 30 ' || h %% 1000000, '',
  'https://www.linkedin.com/in/' || lower(first_name || '-' || last_name) || n, '', '', '', '', 'bench', h %% 11 = 0, h %% 3 = 0,
  h %% 5 = 0, h %% 7 = 0, h %% 4 = 0, h %% 13 = 0, h / 5 %% 101, '[]', CASE WHEN h %% 3 = 0 THEN %(user)s::uuid END,
  lower(first_name || ' ' || last_name) || ' ' || email || ' ' || lower(title) || ' ' || company
FROM (SELECT *, lower(first_name || '.' || last_name) || n || '@' || domain AS email FROM made) AS m
"""
_EMAILS = """
INSERT INTO people_personemail (id, organization_id, created_at, updated_at, person_id, email, email_norm, is_primary)
SELECT uuidv7(), organization_id, created_at, updated_at, id, email, email_norm, true FROM people_person
WHERE organization_id = %(organization)s
"""


def ensure_big(people: int = 0, accounts: int = 0) -> Big:
    """The organization with (by default) a million people at a hundred thousand accounts, made once and then kept."""
    people, accounts = people or scaled(PEOPLE), accounts or scaled(ACCOUNTS)
    slug = f"bench-{people}"
    with system_scope():
        organization = Organization.objects.filter(slug=slug).first()
        if organization is not None:
            return _found(organization, people, accounts)
    note(f"making {accounts:,} accounts and {people:,} people, once")
    with stopwatch() as seconds:
        with system_scope():
            # It gets its name when it is whole: what an interrupted run left is never taken for it.
            organization = Organization.objects.create(name=f"Bench {people:,}", slug=f"{slug}-{uuid7().hex[:12]}")
            user = User.objects.create(email=f"{organization.slug}@example.com", name="Bench Rep")
            Membership.objects.create(organization=organization, user=user, role=Role.OWNER)
            event = Event.objects.create(
                organization=organization, name="Bench Fair", slug="bench-fair", starts_on=date(2030, 6, 1),
                ends_on=date(2030, 6, 3),
            )  # fmt: skip
        values: dict[str, Any] = {
            "organization": organization.pk, "event": event.pk, "user": user.pk, "count": accounts, "accounts": accounts,
        }  # fmt: skip
        _execute(*(f"DROP INDEX IF EXISTS {name}" for name in INDEXES))
        step = 100_000
        for statement, more in (
            (_ACCOUNTS, {}), (_TARGETS, {}),
            *((_PEOPLE, {"from": at, "to": min(people, at + step)}) for at in range(0, people, step)),
            (_EMAILS, {}),
        ):  # fmt: skip
            with system_scope(), connection.cursor() as cursor:
                cursor.execute(_WORDS)
                cursor.execute(statement, {**values, **more})
        _execute(*(definition.replace("INDEX", "INDEX IF NOT EXISTS", 1) for definition in INDEXES.values()))
        _execute("VACUUM ANALYZE accounts_account, accounts_targetaccount, people_person, people_personemail")
        with system_scope():
            organization.slug = slug
            organization.save()
    note(f"made in {seconds():.0f} s")
    return Big(organization, event, user, people, accounts)


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _found(organization: Organization, people: int, accounts: int) -> Big:
    event = Event.objects.for_org(organization).get(slug="bench-fair")
    user = User.objects.get(memberships__organization=organization)
    return Big(organization, event, user, people, accounts)
