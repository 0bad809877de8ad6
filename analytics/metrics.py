"""What it came to at a show: read from the running sums, a few hundred rows or one pass over the accounts of the show."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from analytics.models import AccountTally, MessageTally
from events.models import Event
from identity.models import Organization
from meetings.models import Meeting
from outreach.models import Message

AGREED = (Meeting.Status.CONFIRMED, Meeting.Status.CHECKED_IN, Meeting.Status.HELD)
"""A meeting both sides want, or wanted and had."""
PERIOD = 30
"""The days of the response rate, in UTC, today included."""
TOP = 10
WEEKS = 12
STEPS = (
    ("targets", "Targeted"),
    ("contacted", "Contacted"),
    ("delivered", "Delivered"),
    ("opened", "Opened by a person"),
    ("replied", "Replied"),
    ("booked", "Meeting booked"),
    ("held", "Meeting held"),
)
"""The steps of the funnel: its key in the list of accounts (``reached=``), and how a page calls it."""


@dataclass(frozen=True)
class Rate:
    """``replied`` of ``sent`` messages; ``share`` is None without a base (X38: the base is what was sent)."""

    sent: int
    replied: int

    @property
    def share(self) -> float | None:
        return self.replied / self.sent if self.sent else None

    @property
    def percent(self) -> float:
        """Per cent to two digits: 234 of 1,234 is 18.96."""
        return round(self.replied / self.sent * 100, 2) if self.sent else 0.0


@dataclass(frozen=True)
class TopAccount:
    id: UUID
    name: str
    meetings: int
    outreach: int

    @property
    def score(self) -> int:
        return self.meetings * 10 + self.outreach


@dataclass(frozen=True)
class Figures:
    """Everything a dashboard shows of a show, or of all shows of the organization. Plain values: it is cached as it is."""

    accounts: int
    people: int
    outreach: int
    meetings: int
    outreach_by_status: dict[str, int]
    meetings_by_status: dict[str, int]
    rate: Rate
    rate_before: Rate
    funnel: dict[str, int]
    top: list[TopAccount]
    weeks: list[tuple[date, int, int]]
    """Monday of the week (UTC), messages sent in it, and how many of those were answered."""
    computed_at: datetime


def compute(organization: Organization, event: Event | None) -> Figures:
    """Four queries, whatever the size of the show."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    by_day = _messages_by_day(organization, event)
    by_status = Counter[str]()
    for (_, status), number in by_day.items():
        by_status[status] += number
    funnel, top = _accounts(organization, event)
    meetings = _meetings_by_status(organization, event)
    return Figures(
        accounts=funnel["targets"],
        people=_people(organization, event),
        outreach=sum(by_status.values()),
        meetings=sum(number for status, number in meetings.items() if status != Meeting.Status.CANCELLED),
        outreach_by_status={status: by_status[status] for status in Message.Status.values},
        meetings_by_status=meetings,
        rate=_rate(by_day, today - timedelta(days=PERIOD - 1), today),
        rate_before=_rate(by_day, today - timedelta(days=2 * PERIOD - 1), today - timedelta(days=PERIOD)),
        funnel=funnel,
        top=top,
        weeks=_weeks(by_day, today),
        computed_at=now,
    )


def _messages_by_day(organization: Organization, event: Event | None) -> dict[tuple[date | None, str], int]:
    rows = MessageTally.objects.for_org(organization)
    if event:
        rows = rows.filter(event_id=event.pk)
    sums = rows.values_list("day", "status").annotate(number=Sum("messages")).order_by()
    return {(day, status): number for day, status, number in sums if number}


def _rate(by_day: dict[tuple[date | None, str], int], first: date, last: date) -> Rate:
    sent = replied = 0
    for (day, status), number in by_day.items():
        if day and first <= day <= last:
            sent += number
            replied += number if status == Message.Status.RESPONDED else 0
    return Rate(sent, replied)


def _weeks(by_day: dict[tuple[date | None, str], int], today: date) -> list[tuple[date, int, int]]:
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    rates = [_rate(by_day, start, start + timedelta(days=6)) for start in starts]
    return [(start, rate.sent, rate.replied) for start, rate in zip(starts, rates, strict=True)]


def _meetings_by_status(organization: Organization, event: Event | None) -> dict[str, int]:
    rows = Meeting.objects.for_org(organization)
    if event:
        rows = rows.at(event)
    found = dict(rows.values_list("status").annotate(number=Count("pk")).order_by())
    return {status: found.get(status, 0) for status in Meeting.Status.values}


_COLUMNS = {
    "targets": "targets", "contacted": "sent", "delivered": "delivered", "opened": "opened", "replied": "replied",
    "booked": "booked", "held": "held",
}  # fmt: skip
"""The steps of the funnel and the sums that tell whether an account came so far."""
_AT = "organization_id = %(organization)s AND (%(event)s::uuid IS NULL OR event_id = %(event)s)"
_ACCOUNTS = f"""
WITH target AS MATERIALIZED (
  SELECT account_id, {", ".join(f"sum({name}) AS {name}" for name in (*_COLUMNS.values(), "meetings", "messages"))}
  FROM analytics_accounttally WHERE {_AT} GROUP BY event_id, account_id
), worked_on AS (
  SELECT account_id, sum(meetings) AS meetings, sum(messages) AS messages FROM target
  WHERE meetings > 0 OR messages > 0 GROUP BY account_id
  ORDER BY sum(meetings) * 10 + sum(messages) DESC, account_id LIMIT {TOP}
)
SELECT ARRAY[{", ".join(f"count(*) FILTER (WHERE targets > 0 AND {name} > 0)" for name in _COLUMNS.values())}],
  (SELECT coalesce(jsonb_agg(jsonb_build_array(a.id, a.name, w.meetings, w.messages)
                             ORDER BY w.meetings * 10 + w.messages DESC, a.id), '[]')
   FROM worked_on w JOIN accounts_account a ON a.organization_id = %(organization)s AND a.id = w.account_id)
FROM target
"""  # noqa: S608 - names of our own columns


def _accounts(organization: Organization, event: Event | None) -> tuple[dict[str, int], list[TopAccount]]:
    """The funnel among the targeted accounts, and the accounts we have done most with, in one pass over the sums."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, {"organization": organization.pk, "event": event.pk if event else None})
        counts, best = cursor.fetchone()
    top = [TopAccount(UUID(pk), name, meetings, messages) for pk, name, meetings, messages in json.loads(best)]
    return dict(zip(_COLUMNS, counts, strict=True)), top


_PEOPLE = """
SELECT coalesce(sum(p.people), 0) FROM analytics_peopletally p
WHERE p.organization_id = %(organization)s AND (%(event)s::uuid IS NULL OR p.account_id IN (
  SELECT account_id FROM accounts_targetaccount WHERE organization_id = %(organization)s AND event_id = %(event)s))
"""


def _people(organization: Organization, event: Event | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"organization": organization.pk, "event": event.pk if event else None})
        return int(cursor.fetchone()[0])


def reached(event: Event | None, step: str) -> Any:
    """A subquery of the ids of accounts that came as far as ``step`` at the show (None: at any): the rows of a figure."""
    column = _COLUMNS[step]
    rows = AccountTally.objects.all()
    if event:
        rows = rows.for_org(event.organization_id).filter(event_id=event.pk)
    return rows.values("account_id").annotate(so_far=Sum(column)).filter(so_far__gt=0).values("account_id")
