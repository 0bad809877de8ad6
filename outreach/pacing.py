"""When the mails of a campaign leave: from a moment on, so many an hour, in the recipient's working hours or at any time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from outreach.models import Campaign, Message, SendAttempt

State = Message.State

_SPREAD = """
UPDATE outreach_message m
SET state = 'queued', cause = '', reason = '', due_at = %(start)s + (q.place - 1) * make_interval(secs => %(step)s),
  keeps_window = %(keeps)s, approved_at = %(approved_at)s, approved_by_id = %(approved_by)s, updated_at = now()
FROM (SELECT id, row_number() OVER (ORDER BY due_at, id) AS place FROM outreach_message WHERE id = ANY(%(ids)s)) AS q
WHERE m.id = q.id
"""


def spread(campaign: Campaign, which: Q, *, after_others: bool = False) -> int:
    """Queue these mails of the campaign by its schedule, in their order. Returns how many.

    They begin when the campaign does, or now when that is over; ``after_others``: behind those that are queued already.
    """
    ids = list(campaign.messages.filter(which).select_for_update(of=("self",)).values_list("pk", flat=True))
    step = timedelta(hours=1) / campaign.per_hour if campaign.per_hour else timedelta(0)
    start = first_moment(campaign)
    if after_others:
        queued = campaign.messages.filter(state__in=[State.QUEUED, State.SENDING]).exclude(pk__in=ids)
        last: datetime | None = queued.aggregate(last=Max("due_at"))["last"]
        start = max(start, last + step) if last else start
    with connection.cursor() as cursor:
        cursor.execute(
            _SPREAD,
            {
                "ids": ids, "start": start, "step": step.total_seconds(), "keeps": campaign.keeps_window,
                "approved_at": campaign.approved_at, "approved_by": campaign.approved_by_id,
            },
        )  # fmt: skip
    return len(ids)


def first_moment(campaign: Campaign) -> datetime:
    now = timezone.now()
    return max(campaign.send_at, now) if campaign.send_at else now


def take_back(messages: QuerySet[Message], **changes: object) -> int:
    """Stop mails that have not left, and write ``changes`` into them. Returns how many.

    A mail whose try is open is past the last gate: it may have left, so it stays. One that a worker has claimed and not
    begun is taken from it; its last gate finds the token gone.
    """
    # Locked first: only a statement that begins under the lock sees a try that was opened a moment ago.
    locked = list(messages.select_for_update(of=("self",)).values_list("pk", flat=True))
    opened = SendAttempt.objects.filter(message=OuterRef("pk"), outcome__in=["open", "unknown"])
    not_gone = [State.PLANNED, State.DRAFT, State.QUEUED, State.HELD, State.SENDING]
    return Message.objects.filter(~Exists(opened), pk__in=locked, state__in=not_gone).update(
        token=None, lease_until=None, updated_at=timezone.now(), **changes
    )
