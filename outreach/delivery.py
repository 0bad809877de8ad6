"""Claim, render, send, record: how a queued message leaves once.

A worker takes one message in one transaction, with every gate in it; renders it and asks the gates again right before
the request; hands it to the provider outside of any transaction; and records the outcome. Every step is conditional on
the token of the claim. When the answer is lost the message is ``unknown`` and stays so until evidence or a person
decides: nothing is ever sent again on a guess (``reconciling``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import merging, rendering, signals
from outreach.addresses import address_hashes
from outreach.connecting import CannotOpen, connect, transport_of
from outreach.models import Campaign, Mailbox, MailboxDay, Message, SendAttempt, Suppression
from outreach.ports import (
    Accepted,
    MailTransport,
    NeedsAttention,
    NotSent,
    OutgoingMail,
    Rejected,
    SendError,
    Throttled,
    UnknownOutcome,
)

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
MARGIN = timedelta(seconds=35)
"""How much of the lease must be left when the request begins; longer than any transport waits for an answer."""

State, Outcome = Message.State, SendAttempt.Outcome


@dataclass(frozen=True)
class Claim:
    """A message this worker alone may send until its lease ends."""

    message: Message
    attempt: int
    token: UUID


@dataclass(frozen=True)
class Desk:
    """What stays the same over the messages of one mailbox."""

    organization: Organization
    mailbox: Mailbox
    transport: MailTransport


def due_mailboxes(now: datetime) -> list[tuple[UUID, UUID]]:
    """``(organization_id, mailbox_id)`` of every mailbox that may send now and has something to send."""
    waiting = Message.objects.filter(mailbox=OuterRef("pk"), state=State.QUEUED, due_at__lte=now)
    with system_scope():
        return list(
            Mailbox.objects.able_to_send(now)
            .filter(Exists(waiting))
            .order_by("id")
            .values_list("organization_id", "id")
        )


def deliver_due(*, seconds: float) -> bool:
    """Send what is due, one mailbox after the other, for about ``seconds``. Returns whether something may be left."""
    deadline = time.monotonic() + seconds
    for organization_id, mailbox_id in due_mailboxes(timezone.now()):
        deliver_mailbox(organization_id, mailbox_id, until=lambda: time.monotonic() >= deadline)
        if time.monotonic() >= deadline:
            return True
    return False


def deliver_mailbox(organization_id: UUID, mailbox_id: UUID, *, until: Callable[[], bool]) -> int:
    """Send the due messages of one mailbox until none is left, a gate closes, or ``until`` says so. Returns how many."""
    sent = 0
    with open_desk(organization_id, mailbox_id) as desk:
        while desk and not until():
            claim = claim_next(desk)
            if claim is None:
                break
            sent += 1
            if not deliver(desk, claim):
                break
    finish_campaigns(organization_id)
    return sent


@contextmanager
def open_desk(organization_id: UUID, mailbox_id: UUID) -> Iterator[Desk | None]:
    """The mailbox with its open transport; ``None`` when its credentials or its transport are not there."""
    with org_scope(organization_id):
        mailbox = Mailbox.objects.for_org(organization_id).select_related("organization").get(pk=mailbox_id)
    if mailbox.connected_at is None and not mailbox.problem:
        # Its reports would be lost if they came before the provider knew where to send them.
        connect(organization_id, mailbox_id)
    try:
        transport = transport_of(mailbox)
    except CannotOpen as error:
        with org_scope(organization_id):
            mailbox.pause(reason="The stored credentials cannot be read. Enter them again.", now=timezone.now())
        log.error("mailbox cannot be opened", mailbox_id=str(mailbox_id), error=type(error).__name__)
        yield None
        return
    try:
        yield Desk(mailbox.organization, mailbox, transport)
    finally:
        transport.close()


# --- Claim -----------------------------------------------------------------------------------------------------------


def claim_next(desk: Desk) -> Claim | None:
    """Take the next due message of the mailbox; ``None`` when none is left, or the mailbox must not send any more now.

    Messages that a gate stops on the way are set aside with their reason. One transaction.
    """
    with org_scope(desk.organization.pk):
        while True:
            now = timezone.now()
            message = _next_due(desk, now)
            if message is None:
                return None
            stopped = _gate(message, now)
            if stopped:
                _set_aside(message, *stopped)
                continue
            if not _count_against_cap(desk, now):
                return None
            return _take(desk, message, now)


def _next_due(desk: Desk, now: datetime) -> Message | None:
    replied_since = Message.objects.filter(
        person=OuterRef("person"), event__isnull=False, event=OuterRef("event"), replied_at__gt=OuterRef("created_at")
    )
    return (
        Message.objects.for_org(desk.organization)
        .due(now)
        .filter(mailbox=desk.mailbox)
        .select_related("event")
        .with_suppression()
        .annotate(has_replied_since=Exists(replied_since))
        .order_by("due_at", "id")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )


def _gate(message: Message, now: datetime) -> tuple[str, str] | None:
    """The state and the reason if this message must not leave now."""
    if message.is_suppressed or is_suppressed(message.organization_id, message.to_address):  # type: ignore[attr-defined]
        return State.SKIPPED, "The address is on the suppression list."
    if message.has_replied_since:  # type: ignore[attr-defined]
        return State.SKIPPED, "The person has answered since this was written."
    if message.not_after and now > message.not_after:
        return State.HELD, "It is too late for this mail: its time has passed."
    return None


def is_suppressed(organization_id: UUID, address: str) -> bool:
    """Whether the address may not be written to, under any key its hash may have been made with."""
    hashes = address_hashes(organization_id, address)
    # With one key the hash in the message is the only one, and the claim has asked for it already.
    return len(hashes) != 1 and Suppression.objects.for_org(organization_id).of(hashes).exists()


def _set_aside(message: Message, state: str, reason: str) -> None:
    Message.objects.filter(pk=message.pk, state=State.QUEUED).update(
        state=state, reason=reason, updated_at=timezone.now()
    )


def _count_against_cap(desk: Desk, now: datetime) -> bool:
    """Use one of the day's sends; the conditional update holds the cap over any number of workers."""
    day = now.astimezone(ZoneInfo(desk.organization.time_zone)).date()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {MailboxDay._meta.db_table} AS d"  # noqa: S608 - our own table's name
            " (id, organization_id, mailbox_id, day, used, created_at, updated_at)"
            " SELECT gen_random_uuid(), organization_id, id, %(day)s, 1, now(), now()"
            f" FROM {Mailbox._meta.db_table} WHERE id = %(mailbox)s AND daily_cap > 0"
            " ON CONFLICT (mailbox_id, day) DO UPDATE SET used = d.used + 1, updated_at = now()"
            f" WHERE d.used < (SELECT daily_cap FROM {Mailbox._meta.db_table} WHERE id = %(mailbox)s)"
            " RETURNING used",
            {"day": day, "mailbox": desk.mailbox.pk},
        )
        return cursor.fetchone() is not None


def _return_to_cap(desk: Desk, now: datetime) -> None:
    day = now.astimezone(ZoneInfo(desk.organization.time_zone)).date()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {MailboxDay._meta.db_table} SET used = used - 1"  # noqa: S608 - our own table's name
            " WHERE mailbox_id = %s AND day = %s AND used > 0",
            [desk.mailbox.pk, day],
        )


def _take(desk: Desk, message: Message, now: datetime) -> Claim:
    token = uuid4()
    number = message.attempts + 1
    Message.objects.filter(pk=message.pk).update(
        state=State.SENDING, token=token, lease_until=now + LEASE, attempts=number, reason="", updated_at=now
    )
    SendAttempt.objects.bulk_create(
        [
            SendAttempt(
                organization_id=message.organization_id,
                message_id=message.pk,
                number=number,
                token=token,
                provider=desk.transport.provider,
                started_at=now,
            )
        ]
    )
    message.state, message.token, message.attempts, message.lease_until = State.SENDING, token, number, now + LEASE
    return Claim(message, number, token)


# --- Send ------------------------------------------------------------------------------------------------------------


def deliver(desk: Desk, claim: Claim) -> bool:
    """Render, ask the last gate, hand over, record. Returns whether the mailbox may go on."""
    try:
        mail = prepare(desk, claim)
    except (rendering.CannotRender, merging.CannotFill, merging.InvalidTemplate) as error:
        put_back(desk, claim, state=State.HELD, reason=str(error))
        return True
    if mail is None:
        return True
    try:
        accepted = desk.transport.send(mail)
    except Rejected as error:
        record_rejected(desk, claim, error)
    except Throttled as error:
        record_throttled(desk, claim, error)
        return False
    except NeedsAttention as error:
        record_needs_attention(desk, claim, error)
        return False
    except NotSent as error:
        record_throttled(desk, claim, Throttled(error.detail, retry_after=60, http_status=error.http_status))
        return False
    except UnknownOutcome as error:
        record_unknown(desk, claim, error)
    except Exception as error:
        log.exception("transport failed", message_id=str(claim.message.pk), provider=desk.transport.provider)
        record_unknown(desk, claim, UnknownOutcome(f"The transport failed ({type(error).__name__})."))
    else:
        record_accepted(desk, claim, accepted)
    return True


def prepare(desk: Desk, claim: Claim) -> OutgoingMail | None:
    """The finished mail, frozen in its row; ``None`` when a gate closed since the claim.

    Freezing and the last gate are one statement, right before the request. Raises CannotRender, CannotFill and
    InvalidTemplate.
    """
    message = claim.message
    envelope = rendering.Envelope(
        organization=desk.organization,
        mailbox=desk.mailbox,
        message_id=message.pk,
        address_hash=message.address_hash or UUID(int=0),
        event_name=message.event.name if message.event else "",
    )
    if message.frozen_at:
        rendered = rendering.Rendered(message.subject, message.text, message.html, message.mail_message_id)
    else:
        subject, body = _filled(desk, message)
        rendered = rendering.render(envelope, subject=subject, body=body)
    if not _last_gate(claim, rendered):
        _explain_closed_gate(desk, claim)
        return None
    return OutgoingMail(
        intent_id=message.pk,
        attempt=claim.attempt,
        from_name=desk.mailbox.from_name,
        from_address=desk.mailbox.from_address,
        to_address=message.to_address,
        reply_to=rendering.reply_address(desk.mailbox, message.pk),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        headers=rendering.headers(envelope, rendered.mail_message_id),
        track_opens=desk.mailbox.track_opens,
        track_clicks=desk.mailbox.track_clicks,
    )


def _filled(desk: Desk, message: Message) -> tuple[str, str]:
    """Subject and body; drafts are filled already, what a sequence planned is filled now."""
    if not merging.has_marks(message.subject) and not merging.has_marks(message.body):
        return message.subject, message.body
    with org_scope(desk.organization.pk):
        full = (
            Message.objects.for_org(desk.organization)
            .select_related("person", "account", "event", "owner")
            .get(pk=message.pk)
        )
        values = rendering.merge_values(
            full.person,
            account=full.account,
            event=full.event,
            sender=full.owner,
            organization=desk.organization,
        )
    return merging.fill(message.subject, values), merging.fill(message.body, values)


def _last_gate(claim: Claim, rendered: rendering.Rendered) -> bool:
    now = timezone.now()
    message = claim.message
    suppressed = Suppression.objects.filter(
        organization_id=message.organization_id, address_hash=OuterRef("address_hash"), lifted_at=None
    )
    open_mailbox = Mailbox.objects.in_use().filter(pk=OuterRef("mailbox_id"), paused_at=None)
    with org_scope(message.organization_id):
        frozen = (
            Message.objects.for_org(message.organization_id)
            .filter(
                ~Exists(suppressed),
                Exists(open_mailbox),
                pk=message.pk,
                state=State.SENDING,
                token=claim.token,
                lease_until__gt=now + MARGIN,
            )
            .update(
                subject=rendered.subject,
                text=rendered.text,
                html=rendered.html,
                mail_message_id=rendered.mail_message_id,
                frozen_at=message.frozen_at or now,
            )
        )
    return frozen == 1


def _explain_closed_gate(desk: Desk, claim: Claim) -> None:
    with org_scope(desk.organization.pk):
        found = Message.objects.for_org(desk.organization).filter(pk=claim.message.pk).with_suppression().first()
    if found and found.is_suppressed:  # type: ignore[attr-defined]
        put_back(desk, claim, state=State.SKIPPED, reason="The address is on the suppression list.")
    else:
        put_back(desk, claim, state=State.QUEUED, reason="The mailbox was paused, or the worker was too slow.")


# --- Record ----------------------------------------------------------------------------------------------------------


def _settle(
    claim: Claim,
    outcome: str,
    *,
    error: SendError | None = None,
    accepted: Accepted | None = None,
    **changes: object,
) -> bool:
    """Move message and attempt together, only while the claim is still ours. Call it in the scope."""
    now = timezone.now()
    answer = accepted or error
    allowed = Q(state=State.SENDING) | Q(state=State.UNKNOWN)
    if not Message.objects.filter(allowed, pk=claim.message.pk, token=claim.token).update(updated_at=now, **changes):
        log.warning("outcome came too late", message_id=str(claim.message.pk), outcome=outcome)
        return False
    SendAttempt.objects.filter(
        message_id=claim.message.pk, token=claim.token, outcome__in=[Outcome.OPEN, Outcome.UNKNOWN]
    ).update(
        outcome=outcome,
        http_status=answer.http_status if answer else None,
        provider_message_id=accepted.provider_message_id[:255] if accepted else "",
        detail=error.detail[:300] if error else "",
        finished_at=now,
        updated_at=now,
    )
    return True


def record_accepted(desk: Desk, claim: Claim, accepted: Accepted) -> None:
    """The provider took it: now, and only now, it counts as sent and stands on the timeline."""
    now = timezone.now()
    message = claim.message
    with org_scope(desk.organization.pk):
        settled = _settle(
            claim, Outcome.ACCEPTED, accepted=accepted,
            state=State.ACCEPTED, reason="", sent_at=now, lease_until=None, unknown_since=None,
            provider_message_id=accepted.provider_message_id[:255],
        )  # fmt: skip
        if settled:
            message.state, message.sent_at = State.ACCEPTED, now
            announce_sent(message)


def announce_sent(message: Message) -> None:
    """Tell the timeline and the apps above. Once per message: whoever moved it to accepted calls this."""
    announce(
        Happening(
            kind=Kind.OUTREACH_SENT,
            organization_id=message.organization_id,
            actor_id=message.approved_by_id,
            event_id=message.event_id,
            account_id=message.account_id,
            person_id=message.person_id,
            summary=f"Mail sent: {message.subject}"[:300],
            data={"message_id": str(message.pk)},
        )
    )
    signals.message_accepted.send(sender=Message, message=message)


def record_rejected(desk: Desk, claim: Claim, error: Rejected) -> None:
    """The provider refuses this mail for good."""
    with org_scope(desk.organization.pk):
        _settle(
            claim, Outcome.REJECTED, error=error,
            state=State.REJECTED, reason=error.detail[:300], token=None, lease_until=None,
        )  # fmt: skip


def record_unknown(desk: Desk, claim: Claim, error: UnknownOutcome) -> None:
    """Nobody knows whether it left. It keeps its token: an answer or a report that still comes is evidence."""
    with org_scope(desk.organization.pk):
        _settle(
            claim, Outcome.UNKNOWN, error=error,
            state=State.UNKNOWN, unknown_since=timezone.now(), lease_until=None,
            reason=f"{error.detail} Waiting for the provider's report."[:300],
        )  # fmt: skip


def record_throttled(desk: Desk, claim: Claim, error: Throttled) -> None:
    """We are too fast, or cannot reach the provider: the mail waits, and so does its mailbox. Not counted as a try."""
    now = timezone.now()
    until = now + timedelta(seconds=min(max(error.retry_after, 1.0), 3_600.0))
    with org_scope(desk.organization.pk):
        _release(desk, claim, error, state=State.QUEUED, reason=error.detail)
        Mailbox.objects.filter(pk=desk.mailbox.pk).filter(
            Q(throttled_until=None) | Q(throttled_until__lt=until)
        ).update(throttled_until=until, problem=error.detail[:300], updated_at=now)


def record_needs_attention(desk: Desk, claim: Claim, error: NeedsAttention) -> None:
    """The account is not usable: the mail waits and the mailbox stops until a person reconnects it."""
    now = timezone.now()
    with org_scope(desk.organization.pk):
        _release(desk, claim, error, state=State.QUEUED, reason=error.detail)
        Mailbox.objects.filter(pk=desk.mailbox.pk, paused_at=None).update(
            paused_at=now, pause_reason=error.detail[:300], problem=error.detail[:300], updated_at=now
        )


def put_back(desk: Desk, claim: Claim, *, state: str, reason: str) -> None:
    """End a claim before anything was sent."""
    with org_scope(desk.organization.pk):
        _release(desk, claim, NotSent(reason), state=state, reason=reason)


def _release(desk: Desk, claim: Claim, error: NotSent, *, state: str, reason: str) -> None:
    settled = _settle(
        claim, Outcome.NOT_SENT, error=error,
        state=state, reason=reason[:300], token=None, lease_until=None,
    )  # fmt: skip
    if settled:
        _return_to_cap(desk, timezone.now())


def finish_campaigns(organization_id: UUID) -> None:
    """Close the campaigns that have nothing left to send."""
    with org_scope(organization_id):
        left = Message.objects.filter(
            campaign=OuterRef("pk"), state__in=[State.PLANNED, State.QUEUED, State.SENDING, State.UNKNOWN]
        )
        Campaign.objects.for_org(organization_id).filter(~Exists(left), status=Campaign.Status.SENDING).update(
            status=Campaign.Status.DONE, updated_at=timezone.now()
        )
