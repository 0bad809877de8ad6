"""What becomes of a message whose outcome is unknown: evidence decides, and where there is none, a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.db.models import Exists, OuterRef
from django.utils import timezone

from identity.scope import org_scope, system_scope
from outreach import guard, switches
from outreach.delivery import announce_ended, unannounced_organizations
from outreach.models import Mailbox, Message, ProviderEvent, SendAttempt

log = structlog.get_logger(__name__)

SILENCE = timedelta(hours=26)
"""A provider repeats its reports for 24 hours; after that, with a margin, silence means something."""
NEVER_REPORTED = "The provider never reported it."
KINDS_WITH_REPORTS = [Mailbox.Kind.SENDGRID]
State, Cause, Outcome = Message.State, Message.Cause, SendAttempt.Outcome


def reconcile() -> None:
    """Free what workers lost and hold what stayed unknown. Safe to run any number of times at once."""
    now = timezone.now()
    switches.fence()
    guard.release_expired()
    for organization_id in unannounced_organizations():
        announce_ended(organization_id)
    for organization_id in _organizations_with_doubt(now):
        with org_scope(organization_id):
            expire_leases(organization_id, now)
            hold_what_nobody_reports(organization_id, now)
            settle_what_stayed_silent(organization_id, now)


def _organizations_with_doubt(now: datetime) -> list[UUID]:
    with system_scope():
        lost = Message.objects.overdue_answer(now).values_list("organization_id", flat=True)
        unknown = Message.objects.filter(state=State.UNKNOWN).values_list("organization_id", flat=True)
        return sorted(set(lost) | set(unknown))


def expire_leases(organization_id: UUID, now: datetime) -> int:
    """Claims without an outcome. Returns how many became unknown.

    A message without an open try was never handed over and simply waits again; with one, the worker ended somewhere
    between asking the provider and recording the answer, and nobody knows.
    """
    lost = Message.objects.for_org(organization_id).overdue_answer(now)
    ids = list(lost.select_for_update(skip_locked=True).values_list("pk", flat=True))
    claimed = Message.objects.filter(pk__in=ids, state=State.SENDING)
    opened = SendAttempt.objects.filter(message=OuterRef("pk"), token=OuterRef("token"), outcome=Outcome.OPEN)
    claimed.filter(~Exists(opened)).update(state=State.QUEUED, token=None, lease_until=None, updated_at=now)
    expired = claimed.update(
        state=State.UNKNOWN,
        unknown_since=now,
        lease_until=None,
        cause=Cause.UNKNOWN,
        reason="The sending was interrupted. Waiting for the provider's report.",
        updated_at=now,
    )
    SendAttempt.objects.filter(message__in=ids, outcome=Outcome.OPEN).update(
        outcome=Outcome.UNKNOWN, detail="The worker ended before it recorded the answer.", updated_at=now
    )
    if expired:
        log.warning("sends interrupted", count=expired, organization_id=str(organization_id))
    return expired


def hold_what_nobody_reports(organization_id: UUID, now: datetime) -> int:
    """A plain SMTP server never tells, so a person has to look."""
    return (
        Message.objects.for_org(organization_id)
        .filter(state=State.UNKNOWN)
        .exclude(mailbox__kind__in=KINDS_WITH_REPORTS)
        .update(
            state=State.HELD,
            reason="The server's answer was lost. Look into the Sent folder and say whether it went out.",
            updated_at=now,
        )
    )


def settle_what_stayed_silent(organization_id: UUID, now: datetime) -> int:
    """No report for 26 hours, though later mails of the same mailbox have theirs: it most likely never left.

    Sent again only where its author allowed that; otherwise held, because a missed mail is better than a doubled one, and
    a person can say otherwise. Returns how many were settled.
    """
    reported_since = ProviderEvent.objects.filter(
        message__mailbox=OuterRef("mailbox"),
        message__sent_at__gt=OuterRef("unknown_since"),
    )
    silent = Message.objects.for_org(organization_id).filter(
        Exists(reported_since),
        state=State.UNKNOWN,
        unknown_since__lt=now - SILENCE,
        mailbox__kind__in=KINDS_WITH_REPORTS,
    )
    again = list(silent.filter(resend_on_silence=True).select_for_update(of=("self",)).values_list("pk", flat=True))
    SendAttempt.objects.filter(message__in=again, outcome=Outcome.UNKNOWN).update(
        outcome=Outcome.NOT_SENT, detail=NEVER_REPORTED, finished_at=now, updated_at=now
    )
    resent = Message.objects.filter(pk__in=again).update(
        state=State.QUEUED, token=None, unknown_since=None, due_at=now, cause="",
        reason="The provider never reported the try before, so it is sent again.", updated_at=now,
    )  # fmt: skip
    held = silent.filter(resend_on_silence=False).update(
        state=State.HELD,
        cause=Cause.UNKNOWN,
        reason="The provider reported other mails but not this one, so it most likely did not leave.",
        updated_at=now,
    )
    if resent:
        log.warning("silent sends are sent again", count=resent, organization_id=str(organization_id))
    return resent + held


def accept_on_evidence(message: Message, *, attempt: int | None, at: datetime) -> bool:
    """A report about this very attempt proves that the provider took it. Call it in the scope.

    Returns whether the message has just become sent.
    """
    now = timezone.now()
    tries = SendAttempt.objects.filter(message=message)
    named = tries.filter(number=attempt) if attempt else tries.order_by("-number")[:1]
    found = named.first()
    if found is None and message.cause == Cause.RESTORED:
        # The try happened after the backup and is not in this database.
        found = SendAttempt.objects.create(
            organization_id=message.organization_id, message=message, number=attempt or message.attempts + 1,
            token=uuid4(), outcome=Outcome.NOT_SENT, started_at=at,
        )  # fmt: skip
    if found is None or tries.filter(outcome=Outcome.ACCEPTED).exists():
        return False
    moved = Message.objects.filter(
        pk=message.pk, state__in=[State.SENDING, State.UNKNOWN, State.HELD], sent_at=None
    ).update(
        state=State.ACCEPTED, sent_at=at, cause="", reason="", lease_until=None, unknown_since=None, to_announce=True,
        updated_at=now,
    )  # fmt: skip
    if not moved:
        return False
    SendAttempt.objects.filter(pk=found.pk).update(
        outcome=Outcome.ACCEPTED, detail="Proved by the provider's report.", finished_at=now, updated_at=now
    )
    message.state, message.sent_at = State.ACCEPTED, at
    announce_ended(message.organization_id)
    return True
