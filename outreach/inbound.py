"""The mail that comes back: read, sorted, tied to what it answers, and acted upon.

A mail is kept as it came before anything is made of it. It belongs to a message only if it names that message's signed
Message-ID or was sent to its signed address: never by a resemblance of addresses or subjects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parseaddr
from uuid import UUID

import structlog
from django.utils import timezone

from activities.models import Task
from common.happenings import Happening, Kind, announce
from common.text import email_key
from identity.scope import org_scope, system_scope
from outreach import guard, health, ports, reading, signals, tokens
from outreach.addresses import masked
from outreach.classifying import Reading, ReplyClass, Verdict, classify
from outreach.models import AccountHold, InboundMail, Mailbox, Message, Suppression
from outreach.querysets import InboundMailQuerySet
from outreach.reconciling import accept_on_evidence
from outreach.suppressing import suppress
from people.models import Person

log = structlog.get_logger(__name__)

_IDENTIFIER = re.compile(r"<[^<>\s]{1,990}>")
SOFT_BOUNCES = 3
SOFT_BOUNCE_SPAN = timedelta(days=10)
NOT_NOW_SPAN = timedelta(weeks=4)
Reason, MailKind = Suppression.Reason, InboundMail.Kind


def keep(mailbox: Mailbox, raw: bytes, *, envelope_to: str = "") -> InboundMail | None:
    """Store a mail as it arrived; ``None`` when it is here already. Works inside the scope."""
    digest = hashlib.sha256(raw).hexdigest()
    mails = InboundMail.objects.for_org(mailbox.organization_id)
    if mails.filter(digest=digest).exists():
        return None
    InboundMail.objects.bulk_create(
        [
            InboundMail(
                organization_id=mailbox.organization_id, mailbox=mailbox, digest=digest, raw=raw,
                from_address="", references=[envelope_to[:998]] if envelope_to else [], received_at=timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return mails.filter(digest=digest, sorted_at=None).first()


def unsorted() -> list[tuple[UUID, UUID]]:
    """``(organization_id, mail_id)`` of what was kept and not yet sorted."""
    with system_scope():
        return list(InboundMail.objects.filter(sorted_at=None).values_list("organization_id", "id")[:1_000])


def sort(organization_id: UUID, mail_id: UUID) -> None:
    """Read, classify, match and act on one kept mail. Doing it again changes nothing."""
    with org_scope(organization_id):
        mail = (
            InboundMail.objects.for_org(organization_id)
            .select_related("mailbox")
            .select_for_update(of=("self",))
            .filter(pk=mail_id, sorted_at=None)
            .first()
        )
        if mail is None:
            return
        parsed = reading.read(bytes(mail.raw))
        _fill(mail, parsed)
        mail.message = find_message(mail, parsed)
        mail.person = mail.message.person if mail.message else None
        verdict = judge(mail, parsed)
        take(mail, verdict)
        mail.assignee_id = mail.message.owner_id if mail.message else None
        mail.sorted_at = timezone.now()
        mail.save()
        act(mail)
    look_again(organization_id, mail_id)


def look_again(organization_id: UUID, mail_id: UUID) -> None:
    """Ask the configured reader about an answer the rules cannot tell, outside of any transaction."""
    reader = ports.reply_reader()
    if reader is None:
        return
    with org_scope(organization_id):
        mail = _undecided(organization_id).filter(pk=mail_id).first()
    if mail is None:
        return
    try:
        found = reader.read(subject=mail.subject, words=reading.own_words(mail.text))
        told = ReplyClass(found.label)
    except (ports.ReaderFailed, ValueError) as error:
        log.warning("second look failed", mail_id=str(mail_id), error=type(error).__name__)
        return
    if told not in TOLD_BY_READERS:
        return
    with org_scope(organization_id):
        mail = _undecided(organization_id).select_for_update(of=("self",)).filter(pk=mail_id).first()
        if mail is not None:
            become(mail, Verdict(label=told, evidence=found.evidence))


def _undecided(organization_id: UUID) -> InboundMailQuerySet:
    mails = InboundMail.objects.for_org(organization_id).filter(label=ReplyClass.OTHER, labelled_by=None)
    return mails.filter(kind__in=[MailKind.REPLY, MailKind.UNMATCHED]).select_related("mailbox", "message__person")


def sort_again(organization_id: UUID, *, since: datetime | None = None) -> Iterator[tuple[UUID, str, str]]:
    """Run the rules over kept mails once more, never over what a person decided.

    Yields ``(mail_id, class before, class now)`` of every mail whose class has changed.
    """
    with org_scope(organization_id):
        kept = InboundMail.objects.for_org(organization_id).filter(labelled_by=None, sorted_at__isnull=False)
        kept = kept.exclude(raw=b"").filter(received_at__gte=since) if since else kept.exclude(raw=b"")
        ids = list(kept.order_by("received_at").values_list("id", flat=True))
    for mail_id in ids:
        with org_scope(organization_id):
            found = InboundMail.objects.for_org(organization_id).select_related("mailbox", "message__person")
            mail = found.select_for_update(of=("self",)).filter(pk=mail_id, labelled_by=None).first()
            if mail is None:
                continue
            before, verdict = mail.label, judge(mail, reading.read(bytes(mail.raw)))
            read_by_other = verdict.label == ReplyClass.OTHER and ports.reply_reader() is not None
            if verdict.label != before and not read_by_other:
                become(mail, verdict)
                yield mail_id, before, verdict.label


# --- Sorting ---------------------------------------------------------------------------------------------------------


def _fill(mail: InboundMail, parsed: reading.Parsed) -> None:
    name, address = parseaddr(parsed.headers.get("from", ""))
    mail.from_name, mail.from_address = name[:200], address[:320]
    mail.subject = parsed.headers.get("subject", "")[:500]
    mail.text, mail.html = parsed.text, parsed.html
    mail.message_id_header = parsed.headers.get("message-id", "")[:998]
    named = f"{parsed.headers.get('in-reply-to', '')} {parsed.headers.get('references', '')}"
    mail.references = [*mail.references, *dict.fromkeys(_IDENTIFIER.findall(named))][:50]


def find_message(mail: InboundMail, parsed: reading.Parsed) -> Message | None:
    """The message this mail answers: named by its signed Message-ID, or written to at its signed reply address."""
    mine = Message.objects.for_org(mail.organization_id).select_related("person")
    headers = parsed.headers
    recipients = [headers.get(name, "") for name in ("to", "cc", "delivered-to")]
    named = tokens.messages_named_in(
        " ".join([headers.get("in-reply-to", ""), *reversed(mail.references), *recipients, _original_ids(parsed)])
    )
    for message_id in named:
        found = mine.filter(pk=message_id).first()
        if found is not None:
            return found
    # A provider may have put an identifier of its own in place of ours and reported it.
    known = [reference for reference in mail.references if reference.startswith("<")]
    return mine.filter(mail_message_id__in=known).exclude(mail_message_id="").first() if known else None


def _original_ids(parsed: reading.Parsed) -> str:
    """A delivery report quotes the mail it is about, Message-ID included."""
    return parsed.text[-20_000:] + parsed.delivery_status if parsed.is_report else ""


KIND_OF_LABEL = {
    ReplyClass.OUT_OF_OFFICE: MailKind.AUTO_REPLY,
    ReplyClass.AUTO_REPLY: MailKind.AUTO_REPLY,
    ReplyClass.RECEIPT: MailKind.AUTO_REPLY,
    ReplyClass.BOUNCE_HARD: MailKind.BOUNCE,
    ReplyClass.BOUNCE_SOFT: MailKind.BOUNCE,
    ReplyClass.OPT_OUT: MailKind.OPT_OUT,
}
"""What a class means for us; all others are replies of a person."""


ANSWERS = {MailKind.REPLY, MailKind.OPT_OUT}
TOLD_BY_READERS = {
    ReplyClass.INTERESTED, ReplyClass.QUESTION, ReplyClass.REFERRAL, ReplyClass.NOT_NOW, ReplyClass.OUT_OF_OFFICE,
    ReplyClass.OPT_OUT, ReplyClass.AUTO_REPLY,
}  # fmt: skip
"""What a second look may say. Bounces and receipts have a form of their own, so the rules alone tell them."""


def judge(mail: InboundMail, parsed: reading.Parsed) -> Verdict:
    """What the rules say of a mail."""
    return classify(
        Reading(
            headers=parsed.headers,
            subject=mail.subject,
            from_address=mail.from_address,
            words=reading.own_words(mail.text),
            delivery_status=parsed.delivery_status,
            received_on=mail.received_at.date(),
        )
    )


def take(mail: InboundMail, verdict: Verdict) -> None:
    """Set the class and the kind; the caller saves."""
    mail.label, mail.evidence = verdict.label, verdict.evidence[:200]
    mail.label_on, mail.other_address = verdict.on, verdict.address[:254]
    mail.kind = _kind(mail)


def _kind(mail: InboundMail) -> str:
    kind = KIND_OF_LABEL.get(ReplyClass(mail.label), MailKind.REPLY)
    if email_key(mail.from_address) == email_key(mail.mailbox.from_address) and kind != MailKind.BOUNCE:
        return MailKind.OWN
    if mail.message is None and mail.person_id is None and kind in ANSWERS:
        return MailKind.UNMATCHED
    return kind


def become(mail: InboundMail, verdict: Verdict) -> None:
    """Give a sorted mail another class, save it and do what that asks for. Works inside the scope.

    An answer that turns out to be none no longer counts as one. A suppression stays: only a person lifts it.
    """
    was_answer = mail.kind in ANSWERS
    take(mail, verdict)
    mail.save()
    if was_answer and mail.kind not in ANSWERS and mail.message_id:
        others = InboundMail.objects.for_org(mail.organization_id).filter(message=mail.message_id, kind__in=ANSWERS)
        first = others.order_by("received_at").values_list("received_at", flat=True).first()
        Message.objects.filter(pk=mail.message_id).update(replied_at=first, updated_at=timezone.now())
    act(mail, is_recorded=was_answer)


# --- Acting ----------------------------------------------------------------------------------------------------------


def act(mail: InboundMail, *, is_recorded: bool = False) -> None:
    """Do what the class of a sorted mail asks for; an answer is recorded unless it is already. Works inside the scope."""
    message = mail.message
    if message is None:
        return
    Message.objects.filter(pk=message.pk).update(last_checked=timezone.now())
    if mail.kind in ANSWERS and not is_recorded:
        accept_on_evidence(message, attempt=None, at=mail.received_at)
        record_reply(message, mail, at=mail.received_at)
    match mail.label:
        case ReplyClass.OPT_OUT:
            _suppress(message, Reason.ASKED)
        case ReplyClass.BOUNCE_HARD:
            _record_bounce(message, mail)
            Message.objects.filter(pk=message.pk).update(bounced_for_good=True)
            _suppress(message, Reason.HARD_BOUNCE)
            health.judge(mail.organization_id, [mail.mailbox_id])
        case ReplyClass.BOUNCE_SOFT if _bounced_softly(mail) >= SOFT_BOUNCES:
            _record_bounce(message, mail)
            _suppress(message, Reason.PROVIDER)
        case ReplyClass.OUT_OF_OFFICE:
            accept_on_evidence(message, attempt=None, at=mail.received_at)
            signals.absence_told.send(sender=InboundMail, message=message, until=mail.label_on)
        case ReplyClass.NOT_NOW:
            _remind(message, mail)


def _record_bounce(message: Message, mail: InboundMail) -> None:
    Message.objects.filter(pk=message.pk, bounced_at=None).update(
        bounced_at=mail.received_at, bounce_reason="The mail server of the recipient sent it back."
    )


def _bounced_softly(mail: InboundMail) -> int:
    """How many soft bounces of ten days this person has."""
    since = mail.received_at - SOFT_BOUNCE_SPAN
    recent = InboundMail.objects.for_org(mail.organization_id).filter(
        person=mail.person_id, label=ReplyClass.BOUNCE_SOFT, received_at__gte=since
    )
    return recent.count()


def reminder_title(person: Person) -> str:
    return f"Ask {person.name} again"[:200]


def _remind(message: Message, mail: InboundMail) -> None:
    """A dated to-do for the owner: ask again when the person said, or in four weeks."""
    due = mail.label_on or (mail.received_at + NOT_NOW_SPAN).date()
    Task.objects.get_or_create(
        organization_id=message.organization_id, person_id=message.person_id, title=reminder_title(message.person), done_at=None,
        defaults={
            "due_on": due, "assignee_id": message.owner_id, "account_id": message.account_id,
            "event_id": message.event_id,
        },
    )  # fmt: skip


def record_reply(message: Message, mail: InboundMail, *, at: datetime) -> None:
    """The person has answered: the message counts as responded, and everybody who waits for it is told."""
    Message.objects.filter(pk=message.pk, replied_at=None).update(replied_at=at, updated_at=timezone.now())
    message.refresh_from_db()
    announce(
        Happening(
            kind=Kind.OUTREACH_REPLIED,
            organization_id=message.organization_id,
            event_id=message.event_id,
            account_id=message.account_id,
            person_id=message.person_id,
            summary=f"{message.person.name} answered: {mail.subject}"[:300],
            data={
                "message_id": str(message.pk),
                "mail_id": str(mail.pk),
                "personName": message.person.name,
                "respondedAt": at.isoformat(),
            },
            occurred_at=at,
        )
    )
    guard.hold_account(
        message.organization_id, message.person.account_id, cause=AccountHold.Cause.REPLY,
        reason=f"{message.person.name} answered.", person_id=message.person_id,
    )  # fmt: skip
    signals.reply_received.send(sender=InboundMail, message=message, mail=mail)


def _suppress(message: Message, reason: str) -> None:
    if message.address_hash is not None:
        suppress(
            message.organization_id, address_hash=message.address_hash, hint=masked(message.to_address),
            reason=reason, source="mail", message=message,
        )  # fmt: skip
