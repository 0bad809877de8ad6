"""The mail that comes back: read, sorted, tied to what it answers, and acted upon.

A mail is kept as it came before anything is made of it. It belongs to a message only if it names that message's signed
Message-ID or was sent to its signed address: never by a resemblance of addresses or subjects.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from uuid import UUID

import nh3
import structlog
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from common.text import email_key
from identity.scope import org_scope, system_scope
from outreach import signals, tokens
from outreach.addresses import masked
from outreach.models import InboundMail, Mailbox, Message, Suppression
from outreach.reconciling import accept_on_evidence
from outreach.suppressing import suppress

log = structlog.get_logger(__name__)

LARGEST = 25 * 2**20
LONGEST_TEXT = 200_000
MOST_PARTS = 200
_IDENTIFIER = re.compile(r"<[^<>\s]{1,990}>")
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(automatic reply|auto[- ]?reply|out of (the )?office|abwesenheits?(notiz|mitteilung)?|automatische antwort"
    r"|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|risposta automatica"
    r"|automatisch antwoord|afwezig)\b",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"^(please )?(unsubscribe|stop|remove me|remove|opt[- ]?out|take me off( your list)?|abmelden|abbestellen"
    r"|bitte (austragen|abmelden)|désabonner|désinscription|cancelar suscripción|baja|uitschrijven|cancellami)"
    r"( me| from your list| from this list)?[.! ]*$",
    re.IGNORECASE,
)
_QUOTE = re.compile(
    r"^(>|-{2,}\s*(original message|ursprüngliche nachricht|message d'origine)|on .{4,200} wrote:$|on the mail of "
    r"|am .{4,200} schrieb|le .{4,200} a écrit|from: |von: |de : |_{10,})",
    re.IGNORECASE,
)
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
        parsed = read(bytes(mail.raw))
        _fill(mail, parsed)
        mail.message = find_message(mail, parsed)
        mail.person = mail.message.person if mail.message else None
        mail.kind = _kind(mail, parsed)
        mail.sorted_at = timezone.now()
        mail.save()
        _act(mail, parsed)


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parsed:
    """What is known of a mail after parsing; every field is harmless text."""

    headers: dict[str, str]
    text: str
    html: str
    delivery_status: str
    is_report: bool


def read(raw: bytes) -> Parsed:
    """Parse a mail of any quality. Never raises: what cannot be read is left empty."""
    try:
        mail = message_from_bytes(raw[:LARGEST], policy=policy.default)
        headers = _headers(mail)
        texts, htmls, statuses = _bodies(mail)
    except (ValueError, LookupError, AttributeError, TypeError, IndexError, RecursionError) as error:
        log.warning("mail cannot be parsed", error=type(error).__name__, size=len(raw))
        return Parsed({}, "", "", "", False)
    text = texts or text_of(htmls)
    is_report = headers.get("content-type", "").startswith("multipart/report")
    return Parsed(headers, text[:LONGEST_TEXT], htmls[:LONGEST_TEXT], statuses[:20_000], is_report)


_WANTED = (
    "from", "to", "cc", "delivered-to", "subject", "message-id", "in-reply-to", "references", "auto-submitted",
    "x-autoreply", "x-autorespond", "x-auto-response-suppress", "precedence", "return-path", "content-type", "date",
)  # fmt: skip


def _headers(mail: EmailMessage) -> dict[str, str]:
    found = {}
    for name in _WANTED:
        try:
            value = str(mail.get(name, ""))
        except (ValueError, LookupError, AttributeError, TypeError, IndexError):
            value = ""
        found[name] = " ".join(_harmless(value).split())[:4_000]
    return found


def _harmless(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _bodies(mail: EmailMessage) -> tuple[str, str, str]:
    texts: list[str] = []
    htmls: list[str] = []
    statuses: list[str] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment":
            continue
        if kind == "message/delivery-status":
            statuses.append(_harmless(str(part)))
        elif kind in {"text/plain", "text/html"}:
            content = part.get_payload(decode=True)
            decoded = _decode(content if isinstance(content, bytes) else b"", part.get_content_charset())
            (texts if kind == "text/plain" else htmls).append(_harmless(decoded))
    return "\n".join(texts), "\n".join(htmls), "\n".join(statuses)


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    for number, part in enumerate(mail.walk()):
        if number >= MOST_PARTS:
            return
        if not part.is_multipart() or part.get_content_type() == "message/delivery-status":
            yield part


def _decode(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def text_of(markup: str) -> str:
    """The words of an HTML mail."""
    broken = re.sub(r"(?i)<(br|/p|/div|/tr|/li)\b[^>]*>", "\n", markup)
    return html.unescape(nh3.clean(broken, tags=set())).strip()


def clean_html(markup: str) -> str:
    """HTML that may be shown in a sandboxed frame: no scripts, forms, styles, images or other outside content."""
    return nh3.clean(
        markup,
        tags={
            "a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre",
            "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
        },
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip


def own_words(text: str) -> str:
    """What the person wrote, without the mail it answers."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _QUOTE.match(line.strip()):
            break
        lines.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# --- Sorting ---------------------------------------------------------------------------------------------------------


def _fill(mail: InboundMail, parsed: Parsed) -> None:
    name, address = parseaddr(parsed.headers.get("from", ""))
    mail.from_name, mail.from_address = name[:200], address[:320]
    mail.subject = parsed.headers.get("subject", "")[:500]
    mail.text, mail.html = parsed.text, parsed.html
    mail.message_id_header = parsed.headers.get("message-id", "")[:998]
    named = f"{parsed.headers.get('in-reply-to', '')} {parsed.headers.get('references', '')}"
    mail.references = [*mail.references, *dict.fromkeys(_IDENTIFIER.findall(named))][:50]


def find_message(mail: InboundMail, parsed: Parsed) -> Message | None:
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


def _original_ids(parsed: Parsed) -> str:
    """A delivery report quotes the mail it is about, Message-ID included."""
    return parsed.text[-20_000:] + parsed.delivery_status if parsed.is_report else ""


def _kind(mail: InboundMail, parsed: Parsed) -> str:
    if parsed.is_report or _is_bounce_sender(mail.from_address):
        return MailKind.BOUNCE
    if email_key(mail.from_address) == email_key(mail.mailbox.from_address):
        return MailKind.OWN
    if _is_automatic(parsed.headers):
        return MailKind.AUTO_REPLY
    if mail.message is None:
        return MailKind.UNMATCHED
    words = own_words(mail.text)
    if _STOP.match(words) or mail.subject.strip().lower() in {"unsubscribe", "re: unsubscribe"}:
        return MailKind.OPT_OUT
    return MailKind.REPLY


def _is_bounce_sender(address: str) -> bool:
    return address.rpartition("@")[0].lower() in {"mailer-daemon", "postmaster"}


def _is_automatic(headers: dict[str, str]) -> bool:
    submitted = headers.get("auto-submitted", "").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or bool(headers.get("x-autoreply") or headers.get("x-autorespond"))
        or headers.get("precedence", "").lower() in {"auto_reply", "auto-reply"}
        or bool(_AUTOMATIC_SUBJECT.match(headers.get("subject", "")))
    )


# --- Acting ----------------------------------------------------------------------------------------------------------


def _act(mail: InboundMail, parsed: Parsed) -> None:
    message = mail.message
    if message is None:
        return
    Message.objects.filter(pk=message.pk).update(last_checked=timezone.now())
    if mail.kind in {MailKind.REPLY, MailKind.OPT_OUT}:
        accept_on_evidence(message, attempt=None, at=mail.received_at)
        record_reply(message, mail, at=mail.received_at)
    if mail.kind == MailKind.OPT_OUT:
        _suppress(message, Reason.ASKED)
    if mail.kind == MailKind.BOUNCE and re.search(r"(?im)^status:\s*5\.", parsed.delivery_status):
        Message.objects.filter(pk=message.pk, bounced_at=None).update(
            bounced_at=mail.received_at, bounce_reason="The mail server of the recipient sent it back."
        )
        _suppress(message, Reason.HARD_BOUNCE)


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
    signals.reply_received.send(sender=InboundMail, message=message, mail=mail)


def _suppress(message: Message, reason: str) -> None:
    if message.address_hash is not None:
        suppress(
            message.organization_id, address_hash=message.address_hash, hint=masked(message.to_address),
            reason=reason, source="mail", message=message,
        )  # fmt: skip
