"""Claim: a worker takes a few due messages of one mailbox in one transaction, with every gate in it.

The lock of the mailbox's row comes first and holds its pace over all workers: the day's and the hour's mails and the
space between two. What a gate stops keeps its place in the ledger, with the reason and the next try.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest
from django.utils import timezone

from identity.models import Organization
from identity.scope import org_scope
from outreach import domains, gates, switches, windows
from outreach.models import Mailbox, MailboxDay, Message
from outreach.ports import MailTransport

LEASE = timedelta(seconds=90)
MOST_AT_A_LOOK = 500
"""Due messages looked at in one go when the gates stop them all."""
JITTER = 0.25
"""How much longer than its spacing a mailbox may wait at random, as a share of it."""

State, Cause = Message.State, Message.Cause


@dataclass(frozen=True)
class Claim:
    """A message this worker alone may send until its lease ends."""

    message: Message
    attempt: int
    token: UUID
    at: datetime


@dataclass(frozen=True)
class Desk:
    """What stays the same over the messages of one mailbox."""

    organization: Organization
    mailbox: Mailbox
    transport: MailTransport


@dataclass(frozen=True)
class Budget:
    """How many mails the mailbox may begin now; when it is none, why and until when."""

    left: int
    cause: str = ""
    reason: str = ""
    until: datetime | None = None


def claim_batch(desk: Desk, *, size: int) -> list[Claim]:
    """Take up to ``size`` due messages of the mailbox; none when its pace or a switch does not allow any.

    A claim alone sends nothing: a worker that dies before it has opened a try (``delivery.prepare``) leaves messages
    that certainly did not leave.
    """
    with org_scope(desk.organization.pk):
        now = timezone.now()
        mailbox = (
            Mailbox.objects.for_org(desk.organization)
            .able_to_send(now)
            .filter(pk=desk.mailbox.pk)
            .select_for_update(no_key=True)
            .first()
        )
        if mailbox is None or switches.why_stopped(desk.organization.pk):
            return []
        closed = domains.why_closed(mailbox)
        if closed:
            _postpone_all(mailbox, now, start=now + gates.ASK_AGAIN, cause=Cause.DOMAIN, reason=closed)
            return []
        day = _today(desk.organization, mailbox, now)
        budget = _budget(mailbox, day, now)
        if budget.until is not None:
            _postpone_all(mailbox, now, start=budget.until, cause=budget.cause, reason=budget.reason)
            return []
        free = _through_the_gates(desk.organization, mailbox, now, size=min(size, budget.left))
        if not free:
            return []
        _count(day, len(free), now)
        claims = _take(free, now)
        if mailbox.spacing_seconds:
            _leave_space(mailbox, now)
        return claims


def _through_the_gates(organization: Organization, mailbox: Mailbox, now: datetime, *, size: int) -> list[Message]:
    """The first due messages that may leave, ``size`` at most; what is stopped on the way is written down."""
    look = size
    while True:
        due = _next_due(organization, mailbox, now, look)
        if not due:
            return []
        free: list[Message] = []
        stopped: dict[gates.Verdict, list[UUID]] = defaultdict(list)
        house = gates.Gates(organization, mailbox, due, now=now)
        for message in due:
            if len(free) == size:
                break
            verdict = house.verdict(message)
            if verdict is None:
                free.append(message)
            else:
                stopped[verdict].append(message.pk)
        for verdict, ids in stopped.items():
            _set_aside(ids, verdict, now)
        if free:
            return free
        look = min(MOST_AT_A_LOOK, look * 4)


def _next_due(organization: Organization, mailbox: Mailbox, now: datetime, size: int) -> list[Message]:
    replied_since = Message.objects.filter(
        person=OuterRef("person"), event__isnull=False, event=OuterRef("event"), replied_at__gt=OuterRef("created_at")
    )
    return list(
        Message.objects.for_org(organization)
        .due(now)
        .filter(mailbox=mailbox)
        .select_related("event")
        .with_suppression()
        .annotate(
            has_replied_since=Exists(replied_since),
            person_country=F("person__country"),
            account_country=F("account__country"),
        )
        .order_by("due_at", "id")
        .select_for_update(of=("self",), skip_locked=True)[:size]
    )


def _set_aside(ids: Sequence[UUID], verdict: gates.Verdict, now: datetime) -> None:
    changes: dict[str, object] = {"state": verdict.state, "cause": verdict.cause, "reason": verdict.reason[:300]}
    if verdict.next_try is not None:
        changes["due_at"] = verdict.next_try
    Message.objects.filter(pk__in=ids, state=State.QUEUED).update(**changes, updated_at=now)


def _take(messages: Sequence[Message], now: datetime) -> list[Claim]:
    token = uuid4()
    Message.objects.filter(pk__in=[message.pk for message in messages], state=State.QUEUED).update(
        state=State.SENDING, token=token, lease_until=now + LEASE, cause="", reason="", updated_at=now
    )
    return [Claim(message, message.attempts + 1, token, now) for message in messages]


# --- Pace ------------------------------------------------------------------------------------------------------------


def _today(organization: Organization, mailbox: Mailbox, now: datetime) -> MailboxDay:
    """What the mailbox has sent today, in its organization's zone. Only under the lock of the mailbox."""
    there = now.astimezone(ZoneInfo(organization.time_zone))
    days = MailboxDay.objects.for_org(organization)
    found = days.filter(mailbox=mailbox, day=there.date()).first()
    if found is None:
        found = MailboxDay.objects.create(organization=organization, mailbox=mailbox, day=there.date(), hour=there.hour)
    if found.hour != there.hour:
        found.hour, found.used_in_hour = there.hour, 0
    return found


def _budget(mailbox: Mailbox, day: MailboxDay, now: datetime) -> Budget:
    zone = ZoneInfo(mailbox.organization.time_zone)
    allowed = mailbox.allowance(day.day)
    left = allowed - day.used
    if left <= 0:
        tomorrow = windows.local(day.day + timedelta(days=1), mailbox.window_opens, zone)
        until = windows.first_open(tomorrow, mailbox.window, zone=zone)
        words = f"The mailbox has sent its {allowed} mails of the day: {gates.in_words(until, zone)}."
        return Budget(0, Cause.DAILY_CAP, words, until)
    if mailbox.hourly_cap is not None:
        left = min(left, mailbox.hourly_cap - day.used_in_hour)
        if left <= 0:
            until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            words = f"The mailbox has sent its {mailbox.hourly_cap} mails of this hour: {gates.in_words(until, zone)}."
            return Budget(0, Cause.HOURLY_CAP, words, until)
    return Budget(1 if mailbox.spacing_seconds else left)


def _count(day: MailboxDay, number: int, now: datetime) -> None:
    # By addition, because mails that did not leave are given back without the lock.
    same_hour = MailboxDay.objects.filter(pk=day.pk, hour=day.hour)
    if not same_hour.update(used=F("used") + number, used_in_hour=F("used_in_hour") + number, updated_at=now):
        MailboxDay.objects.filter(pk=day.pk).update(
            used=F("used") + number, hour=day.hour, used_in_hour=number, updated_at=now
        )


def give_back(claim: Claim, desk: Desk) -> None:
    """A claimed mail did not leave: it does not count against the day it was claimed on. Call it in the scope."""
    there = claim.at.astimezone(ZoneInfo(desk.organization.time_zone))
    MailboxDay.objects.for_org(desk.organization).filter(mailbox=desk.mailbox, day=there.date(), used__gt=0).update(
        used=F("used") - 1, used_in_hour=Greatest(F("used_in_hour") - 1, 0)
    )


def _leave_space(mailbox: Mailbox, now: datetime) -> None:
    """Set when the mailbox may send next, and give everything else that is due a slot behind."""
    gap = timedelta(seconds=mailbox.spacing_seconds)
    following = max(now, mailbox.next_slot_at or now) + gap + random.uniform(0, JITTER) * gap
    Mailbox.objects.filter(pk=mailbox.pk).update(next_slot_at=following, updated_at=now)
    words = f"Waits for its turn: the mailbox leaves {mailbox.spacing_seconds} seconds between two mails."
    _postpone_all(mailbox, now, start=following, step=gap, cause=Cause.SPACING, reason=words)


_POSTPONE = """
UPDATE outreach_message m
SET due_at = %(start)s + (q.place - 1) * make_interval(secs => %(step)s), cause = %(cause)s, reason = %(reason)s,
  updated_at = now()
FROM (
  SELECT id, row_number() OVER (ORDER BY due_at, id) AS place
  FROM (SELECT id, due_at FROM outreach_message
        WHERE organization_id = %(organization)s AND mailbox_id = %(mailbox)s AND state = 'queued' AND due_at <= %(now)s
        FOR UPDATE SKIP LOCKED) AS due
) AS q
WHERE m.id = q.id
"""


def _postpone_all(
    mailbox: Mailbox, now: datetime, *, start: datetime, cause: str, reason: str, step: timedelta = timedelta.resolution
) -> None:
    """Give everything that is due in the mailbox a later time, in the same order, ``step`` apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            _POSTPONE,
            {
                "start": start, "step": step.total_seconds(), "cause": cause, "reason": reason[:300], "now": now,
                "organization": mailbox.organization_id, "mailbox": mailbox.pk,
            },
        )  # fmt: skip
