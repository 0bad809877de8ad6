"""Claim, render, send, record: how a queued message leaves once.

A worker takes a few messages in one transaction, with every gate in it (``claiming``). Then, for each of them: it renders
the mail, asks the gates once more while it opens a try, hands the mail to the provider outside of any transaction, and
records the outcome. Every step is conditional on the token of the claim. When the answer is lost the message is
``unknown`` and stays so until evidence or a person decides: nothing is ever sent again on a guess (``reconciling``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from common import places
from common.happenings import Happening, Kind, announce
from common.ids import uuid7
from identity.scope import org_scope, run_in_org, system_scope
from outreach import guard, merging, rendering, signals, switches
from outreach.claiming import LEASE, Claim, Desk, claim_batch, give_back
from outreach.connecting import CannotOpen, connect, transport_of
from outreach.models import Campaign, InboundMail, Mailbox, Message, SendAttempt
from outreach.ports import (
    Accepted,
    NeedsAttention,
    NotSent,
    OutgoingMail,
    Rejected,
    SendError,
    Throttled,
    UnknownOutcome,
)

log = structlog.get_logger(__name__)

BATCH = 20
"""Messages a worker takes at once; each is still sent, and recorded, on its own."""
MARGIN = timedelta(seconds=35)
"""How much of the lease must be left when the request begins; longer than any transport waits for an answer."""

State, Cause, Outcome = Message.State, Message.Cause, SendAttempt.Outcome
_IDENTIFIER = re.compile(r"<[!-;=?-~]{1,253}>")
"""A Message-ID that may stand in a header of ours: theirs come from outside."""


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
    """Send the due messages of one mailbox until none is left, a gate closes, or ``until`` says so.

    Returns how many were handed over or came to another end.
    """
    done = 0
    with open_desk(organization_id, mailbox_id) as desk:
        while desk and not until():
            claims = claim_batch(desk, size=BATCH)
            if not claims:
                break
            handled, goes_on = deliver_batch(desk, claims, until=until)
            done += handled
            if not goes_on:
                break
    finish_campaigns(organization_id)
    return done


def deliver_batch(desk: Desk, claims: Sequence[Claim], *, until: Callable[[], bool]) -> tuple[int, bool]:
    """Send claimed messages one after the other; what is not begun goes back. Returns how many, and whether to go on."""
    handled, goes_on = 0, True
    try:
        for claim in claims:
            if handled and until():
                break
            handled += 1
            goes_on = deliver(desk, claim)
            if not goes_on:
                break
        return handled, goes_on
    finally:
        for claim in claims[handled:]:
            put_back(desk, claim, state=State.QUEUED)
        announce_ended(desk.organization.pk)


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


# --- Send ------------------------------------------------------------------------------------------------------------


def deliver(desk: Desk, claim: Claim) -> bool:
    """Render, ask the last gate, hand over, record. Returns whether the mailbox may go on."""
    try:
        mail = prepare(desk, claim)
    except (rendering.CannotRender, merging.CannotFill, merging.InvalidTemplate) as error:
        put_back(desk, claim, state=State.HELD, cause=Cause.UNFINISHED, reason=str(error))
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
        if accepted.rest > 0:
            rest(desk, accepted.rest, "The provider asks for a pause between mails.")
            return False
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
    thread = _thread(desk, message)
    if not _last_gate(desk, claim, rendered):
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
        headers=rendering.headers(envelope, rendered.mail_message_id, thread=thread),
        track_opens=_notices_opens(desk.mailbox, message),
        track_clicks=desk.mailbox.track_clicks,
    )


def _notices_opens(mailbox: Mailbox, message: Message) -> bool:
    """Opens are noticed where that needs no consent, or where the members say that they have it."""
    if not mailbox.track_opens or mailbox.track_opens_in_europe:
        return mailbox.track_opens
    ending = message.to_address.rpartition(".")[2]
    return not places.wants_consent(message.person_country, message.account_country, ending)  # type: ignore[attr-defined]


def _filled(desk: Desk, message: Message) -> tuple[str, str]:
    """Subject and body. Drafts are filled already; what a sequence planned takes the template's words of this moment."""
    if message.body and not merging.has_marks(message.subject) and not merging.has_marks(message.body):
        return message.subject, message.body
    with org_scope(desk.organization.pk):
        full = (
            Message.objects.for_org(desk.organization)
            .select_related("person", "account", "event", "owner", "template", "follows")
            .get(pk=message.pk)
        )
        if not full.body and full.template is not None:
            full.subject, full.body = full.template.subject, full.template.body
            message.template_version = full.template.version
        if full.follows is not None and full.follows.sent_at is not None:
            full.subject = rendering.answer_subject(full.follows.subject)
        values = rendering.merge_values(
            full.person,
            account=full.account,
            event=full.event,
            sender=full.owner,
            organization=desk.organization,
        )
    return merging.fill(full.subject, values), merging.fill(full.body, values)


def _thread(desk: Desk, message: Message) -> list[str]:
    """The Message-IDs of the mails this one goes on with, theirs among them, first to last; empty for a first mail."""
    if message.follows_id is None:
        return []
    with org_scope(desk.organization.pk):
        before = Message.objects.for_org(desk.organization).filter(
            Q(pk=message.follows_id) | Q(follows=message.follows_id)
        )
        ours = before.sent().exclude(mail_message_id="").values_list("sent_at", "mail_message_id")
        answers = InboundMail.objects.for_org(desk.organization).filter(
            message__in=before, kind=InboundMail.Kind.REPLY, received_at__lte=message.created_at
        )
        theirs = answers.values_list("received_at", "message_id_header")
        thread = sorted([*ours, *theirs])
    return [identifier for _, identifier in thread if _IDENTIFIER.fullmatch(identifier)]


_OPEN_TRY = f"""
WITH passed AS (
  UPDATE outreach_message m SET subject = %s, text = %s, html = %s, mail_message_id = %s, template_version = %s,
    frozen_at = coalesce(m.frozen_at, now()), attempts = m.attempts + 1, lease_until = now() + %s, updated_at = now()
  FROM outreach_mailbox b
  WHERE m.id = %s AND m.organization_id = %s AND m.state = 'sending' AND m.token = %s AND m.lease_until > now() + %s
    AND b.id = m.mailbox_id AND b.paused_at IS NULL AND b.archived_at IS NULL
    AND NOT EXISTS (
      SELECT FROM outreach_suppression s
      WHERE s.organization_id = m.organization_id AND s.address_hash = m.address_hash AND s.lifted_at IS NULL
        AND s.scope IN ('organization', 'event:' || m.event_id, 'sequence:' || m.sequence_id))
    AND NOT EXISTS (
      SELECT FROM people_person p LEFT JOIN outreach_accounthold h ON h.organization_id = p.organization_id
        AND h.account_id = p.account_id AND h.lifted_at IS NULL AND (h.until IS NULL OR h.until > now())
      WHERE p.id = m.person_id AND (p.contact_basis IN ('objected', 'restricted')
        OR h.id IS NOT NULL AND (m.enrollment_id IS NOT NULL OR m.campaign_id IS NOT NULL)))
    AND {switches.NOT_STOPPED}
  RETURNING m.id, m.organization_id, m.attempts, m.token)
INSERT INTO outreach_sendattempt (id, organization_id, created_at, updated_at, message_id, number, token, provider,
  provider_message_id, outcome, detail, started_at)
SELECT %s, organization_id, now(), now(), id, attempts, token, %s, '', 'open', '', now() FROM passed
RETURNING number
"""  # noqa: S608 - our own words


def _last_gate(desk: Desk, claim: Claim, rendered: rendering.Rendered) -> bool:
    """Freeze the mail and open the try in one statement, unless a gate has closed. Asked once per message, so in SQL."""
    message = claim.message
    opened = run_in_org(
        message.organization_id,
        _OPEN_TRY,
        [
            rendered.subject, rendered.text, rendered.html, rendered.mail_message_id, message.template_version, LEASE,
            message.pk, message.organization_id, claim.token, MARGIN, settings.EVENTOPS_SEND_EPOCH, uuid7(),
            desk.transport.provider,
        ],
    )  # fmt: skip
    return bool(opened)


def _explain_closed_gate(desk: Desk, claim: Claim) -> None:
    """Put the message back with the reason of the gate that closed since the claim."""
    with org_scope(desk.organization.pk):
        found = (
            Message.objects.for_org(desk.organization)
            .with_suppression()
            .select_related("person")
            .get(pk=claim.message.pk)
        )
        refusal = guard.may_contact(found.person, automatic=found.is_automatic)
        stopped = switches.why_stopped(desk.organization.pk)
    if found.is_suppressed:  # type: ignore[attr-defined]
        put_back(
            desk, claim, state=State.SKIPPED, cause=Cause.SUPPRESSED, reason="The address is on the suppression list."
        )
    elif refusal:
        state = State.SKIPPED if refusal.for_good else State.QUEUED
        put_back(desk, claim, state=state, cause=refusal.cause, reason=refusal.reason)
    else:
        reason = stopped or "The mailbox was paused, or the worker was too slow."
        put_back(desk, claim, state=State.QUEUED, cause=Cause.PAUSED, reason=reason)


# --- Record ----------------------------------------------------------------------------------------------------------


def _settle(claim: Claim, outcome: str, *, error: SendError, **changes: object) -> bool:
    """Move message and attempt together, only while the claim is still ours. Call it in the scope."""
    now = timezone.now()
    allowed = Q(state=State.SENDING) | Q(state=State.UNKNOWN)
    if not Message.objects.filter(allowed, pk=claim.message.pk, token=claim.token).update(updated_at=now, **changes):
        log.info("outcome came too late", message_id=str(claim.message.pk), outcome=outcome)
        return False
    SendAttempt.objects.filter(
        message_id=claim.message.pk, token=claim.token, outcome__in=[Outcome.OPEN, Outcome.UNKNOWN]
    ).update(outcome=outcome, http_status=error.http_status, detail=error.detail[:300], finished_at=now, updated_at=now)
    return True


_RECORD_ACCEPTED = """
WITH settled AS (
  UPDATE outreach_message SET state = 'accepted', cause = '', reason = '', sent_at = now(), provider_message_id = %s,
    lease_until = NULL, unknown_since = NULL, to_announce = true, updated_at = now()
  WHERE id = %s AND organization_id = %s AND token = %s AND state IN ('sending', 'unknown')
  RETURNING id, token)
UPDATE outreach_sendattempt a SET outcome = 'accepted', provider_message_id = %s, http_status = %s, detail = '',
  finished_at = now(), updated_at = now()
FROM settled s WHERE a.message_id = s.id AND a.token = s.token AND a.outcome IN ('open', 'unknown')
RETURNING a.number
"""


def record_accepted(desk: Desk, claim: Claim, accepted: Accepted) -> None:
    """The provider took it: now, and only now, it counts as sent. ``announce_ended`` tells the timeline."""
    name = accepted.provider_message_id[:255]
    settled = run_in_org(
        desk.organization.pk,
        _RECORD_ACCEPTED,
        [name, claim.message.pk, desk.organization.pk, claim.token, name, accepted.http_status],
    )
    if not settled:
        log.info("acceptance came too late", message_id=str(claim.message.pk), attempt=claim.attempt)


def announce_ended(organization_id: UUID) -> None:
    """Tell whoever waits for a message that it came to an end: each end once, the timeline of what was accepted."""
    with org_scope(organization_id):
        waiting = list(
            Message.objects.for_org(organization_id)
            .filter(to_announce=True)
            .select_for_update(of=("self",), skip_locked=True)
            .defer("body", "text", "html")[:500]
        )
        if not waiting:
            return
        Message.objects.filter(pk__in=[message.pk for message in waiting]).update(to_announce=False)
        announce_sent(*(message for message in waiting if message.state == State.ACCEPTED))
        signals.messages_ended.send(sender=Message, organization_id=organization_id, messages=waiting)


def unannounced_organizations() -> list[UUID]:
    with system_scope():
        return list(Message.objects.filter(to_announce=True).values_list("organization_id", flat=True).distinct())


def announce_sent(*messages: Message) -> None:
    """Tell the timeline."""
    announce(
        *(
            Happening(
                kind=Kind.OUTREACH_SENT,
                organization_id=message.organization_id,
                actor_id=message.approved_by_id,
                event_id=message.event_id,
                account_id=message.account_id,
                person_id=message.person_id,
                summary=f"Mail sent: {message.subject}"[:300],
                data={"message_id": str(message.pk)},
                occurred_at=message.sent_at,
            )
            for message in messages
        )
    )


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
            state=State.UNKNOWN, unknown_since=timezone.now(), lease_until=None, cause=Cause.UNKNOWN,
            reason=f"{error.detail} Waiting for the provider's report."[:300],
        )  # fmt: skip


def record_throttled(desk: Desk, claim: Claim, error: Throttled) -> None:
    """We are too fast, or cannot reach the provider: the mail waits, and so does its mailbox. Not counted as a try."""
    with org_scope(desk.organization.pk):
        # The mailbox before its day: the order a claim locks them in.
        rest(desk, error.retry_after, error.detail)
        _release(desk, claim, error, state=State.QUEUED, cause=Cause.PROVIDER)


def rest(desk: Desk, seconds: float, why: str) -> None:
    """Let the whole mailbox wait, an hour at most."""
    now = timezone.now()
    until = now + timedelta(seconds=min(max(seconds, 1.0), 3_600.0))
    with org_scope(desk.organization.pk):
        Mailbox.objects.filter(pk=desk.mailbox.pk).filter(
            Q(throttled_until=None) | Q(throttled_until__lt=until)
        ).update(throttled_until=until, problem=why[:300], updated_at=now)


def record_needs_attention(desk: Desk, claim: Claim, error: NeedsAttention) -> None:
    """The account is not usable: the mail waits and the mailbox stops until a person reconnects it."""
    now = timezone.now()
    with org_scope(desk.organization.pk):
        Mailbox.objects.filter(pk=desk.mailbox.pk, paused_at=None).update(
            paused_at=now, pause_reason=error.detail[:300], problem=error.detail[:300], updated_at=now
        )
        _release(desk, claim, error, state=State.QUEUED, cause=Cause.PROVIDER)


def put_back(desk: Desk, claim: Claim, *, state: str, cause: str = "", reason: str = "") -> None:
    """End a claim before anything was sent."""
    with org_scope(desk.organization.pk):
        _release(desk, claim, NotSent(reason), state=state, cause=cause)


def _release(desk: Desk, claim: Claim, error: NotSent, *, state: str, cause: str) -> None:
    settled = _settle(
        claim, Outcome.NOT_SENT, error=error,
        state=state, cause=cause, reason=error.detail[:300], token=None, lease_until=None,
    )  # fmt: skip
    if settled:
        give_back(claim, desk)


def finish_campaigns(organization_id: UUID) -> None:
    """Close the campaigns that have nothing left to send."""
    with org_scope(organization_id):
        left = Message.objects.filter(
            campaign=OuterRef("pk"), state__in=[State.PLANNED, State.QUEUED, State.SENDING, State.UNKNOWN]
        )
        Campaign.objects.for_org(organization_id).filter(~Exists(left), status=Campaign.Status.SENDING).update(
            status=Campaign.Status.DONE, updated_at=timezone.now()
        )
