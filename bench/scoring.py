"""Scoring every account of an organization with the default rules, row-level security on, all indexes in place."""

import random
from collections.abc import Iterator, Sequence

from django.db import connection

from accounts.models import Account, TargetAccount
from bench.registry import Figure, bench, note, scaled, stopwatch
from common.ids import uuid7
from events.models import Event
from identity.models import Organization
from identity.scope import org_scope, system_scope
from research import scoring

SLUG = "bench-scoring"
COLUMNS = {
    Account: (
        "id",
        "name",
        "name_norm",
        "name_key",
        "website",
        "domain",
        "industry",
        "city",
        "country",
        "revenue",
        "employee_count",
    ),
    TargetAccount: ("id", "event_id", "account_id", "name_norm"),
}
_DEFAULTS = {
    Account: "description, headquarters, street, postal_code, region, phone, linkedin, notes, source, search_text",
    TargetAccount: "tier, stage, notes, proposed_tier",
}


def ensure_accounts(count: int) -> Organization:
    """An organization with ``count`` accounts at one show; what is there is kept, scores are taken away."""
    with system_scope():
        organization, _ = Organization.objects.get_or_create(slug=SLUG, defaults={"name": "Bench scoring"})
    with org_scope(organization.pk):
        event, _ = Event.objects.get_or_create(
            organization=organization, slug="bench", name="Bench", starts_on="2026-12-08", ends_on="2026-12-10"
        )
        missing = count - TargetAccount.objects.for_org(organization).count()
        if missing > 0:
            note(f"making {missing:,} accounts")
            _make(organization, event, missing)
        TargetAccount.objects.for_org(organization).update(icp_score=None, icp_reasons=[], proposed_tier="")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_account, accounts_targetaccount")
    return organization


def _make(organization: Organization, event: Event, count: int) -> None:
    dice = random.Random(7)
    industries = ["", "Robotics", "Food", "Machine tools", "Logistics", "Software", "Automation", "Textiles"]
    accounts = []
    for i in range(count):
        name = f"Company {i} {dice.choice(['GmbH', 'AG', 'Ltd'])}"
        site = f"https://company{i}.example" if dice.random() < 0.8 else ""
        revenue = dice.randrange(10**5, 5 * 10**9) if dice.random() < 0.6 else None
        employees = dice.randrange(1, 20_000) if dice.random() < 0.7 else None
        accounts.append(
            (
                uuid7(),
                name,
                name.lower(),
                f"company {i}",
                site,
                site[8:],
                dice.choice(industries),
                "Hamburg",
                "Germany",
                revenue,
                employees,
            )
        )
    _copy(organization, Account, accounts)
    _copy(organization, TargetAccount, [(uuid7(), event.pk, row[0], row[2]) for row in accounts])


def _copy(organization: Organization, model: type[Account | TargetAccount], rows: Sequence[tuple[object, ...]]) -> None:
    table, columns = model._meta.db_table, ", ".join(COLUMNS[model])
    empty = _DEFAULTS[model].split(", ")
    more = ", status, icp_reasons" if model is TargetAccount else ""
    filled = "".join(", ''" for _ in empty) + (", 'PROSPECTING', '[]'" if more else "")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA")
        with cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table} ({columns}, {_DEFAULTS[model]}{more}, organization_id, created_at, updated_at) "
            f"SELECT {columns}{filled}, %s, now(), now() FROM incoming",
            [organization.pk],
        )
        cursor.execute("DROP TABLE incoming")


@bench("score_accounts_s", "rescore_unchanged_accounts_s")
def score_accounts() -> Iterator[Figure]:
    organization = ensure_accounts(scaled(100_000))
    for name in ("score_accounts_s", "rescore_unchanged_accounts_s"):
        with org_scope(organization.pk):
            run = scoring.open_run(organization.pk, cause="Bench")
        with stopwatch() as seconds:
            scoring.work_on(run.pk, organization.pk)
        yield Figure(name, seconds(), "s")
