"""From what was approved to what leaves: values for merge fields, both parts of the mail, the footer and the headers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID

from django.conf import settings
from django.utils.formats import date_format

from accounts.models import Account
from events.models import Event
from identity.models import Organization, User
from outreach import markup, merging, tokens
from outreach.models import Mailbox
from people.models import Person

NO_LINK = "Unsubscribe (a link in real mails)"


class CannotRender(ValueError):
    """This mail must not leave as it is. Its text is the reason in plain words."""


def event_dates(event: Event) -> str:
    """``8–10 December 2026``; months and years only as often as needed."""
    first, last = event.starts_on, event.ends_on
    if first == last:
        return date_format(first, "j F Y")
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{date_format(last, 'j F Y')}"
    return f"{date_format(first, 'j F' if first.year == last.year else 'j F Y')} – {date_format(last, 'j F Y')}"


def merge_values(
    person: Person,
    *,
    account: Account | None,
    event: Event | None,
    sender: User | None,
    organization: Organization,
    stand: str = "",
) -> dict[str, str]:
    """The value of every merge field for one person, empty when unknown."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "full_name": person.name,
        "title": person.title,
        "company": account.name if account else "",
        "industry": account.industry if account else "",
        "city": person.city or (account.city if account else ""),
        "country": person.country or (account.country if account else ""),
        "stand": stand,
        "event": event.name if event else "",
        "event_dates": event_dates(event) if event else "",
        "venue": event.venue if event else "",
        "booth": event.booth if event else "",
        "my_name": sender.name if sender else "",
        "my_company": organization.name,
    }


@dataclass(frozen=True)
class Envelope:
    """Everything around the words of one mail."""

    organization: Organization
    mailbox: Mailbox
    message_id: UUID
    address_hash: UUID
    event_name: str = ""
    is_trial: bool = False
    """A mail to a member who tries it: the link to unsubscribe is only shown."""


@dataclass(frozen=True)
class Rendered:
    """The mail as it leaves."""

    subject: str
    text: str
    html: str
    mail_message_id: str


def unsubscribe_url(envelope: Envelope) -> str:
    token = tokens.unsubscribe_token(
        tokens.Unsubscribe(envelope.organization.pk, envelope.address_hash, envelope.message_id)
    )
    return f"{settings.BASE_URL}/u/{token}/"


def reply_address(mailbox: Mailbox, message_id: UUID) -> str:
    """Where an answer goes: our signed address if its domain hands mail to us, else what the mailbox says."""
    if mailbox.reply_domain:
        return f"{tokens.signed_local_part(message_id)}@{mailbox.reply_domain}"
    return mailbox.reply_to or mailbox.from_address


def answer_subject(subject: str) -> str:
    """The subject of a mail that goes on in the thread of another."""
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"[:300]


def headers(envelope: Envelope, mail_message_id: str, *, thread: Sequence[str] = ()) -> dict[str, str]:
    """The headers that are ours to set: identity, the thread (RFC 5322), one-click unsubscribing (RFC 2369, RFC 8058).

    ``thread`` holds the Message-IDs of the mails before, first to last.
    """
    mailto = f"mailto:{reply_address(envelope.mailbox, envelope.message_id)}?subject=unsubscribe"
    return {
        "Message-ID": mail_message_id,
        "List-Unsubscribe": f"<{unsubscribe_url(envelope)}>, <{mailto}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        **({"In-Reply-To": thread[-1], "References": " ".join(thread)} if thread else {}),
    }


def render(envelope: Envelope, *, subject: str, body: str) -> Rendered:
    """Both parts of the mail with signature and footer. Raises CannotRender."""
    _refuse(envelope, subject, body)
    signature = envelope.mailbox.signature.strip()
    words = f"{body.strip()}\n\n{signature}" if signature else body.strip()
    return Rendered(
        subject=subject,
        text=f"{markup.to_text(words)}\n\n{footer_text(envelope)}\n",
        html=_page(markup.to_html(words), footer_html(envelope)),
        mail_message_id=tokens.mail_message_id(envelope.message_id, envelope.mailbox.domain),
    )


def _refuse(envelope: Envelope, subject: str, body: str) -> None:
    if not envelope.organization.postal_address.strip():
        raise CannotRender("The organization has no postal address for the footer.")
    if not subject.strip() or not body.strip():
        raise CannotRender("The subject or the text is empty.")
    if not subject.isprintable():
        raise CannotRender("The subject must be one line without control characters.")
    if merging.has_marks(subject) or merging.has_marks(body):
        raise CannotRender("A merge field was not filled.")


def _why(envelope: Envelope) -> str:
    about = f" about {envelope.event_name}" if envelope.event_name else ""
    return f"{envelope.organization.name} wrote to you{about} at your business address."


def sender(organization: Organization) -> str:
    """Name and postal address on one line; the name once, however the address was entered."""
    lines = (line.strip() for line in organization.postal_address.splitlines())
    address = ", ".join(filter(None, lines))
    name = organization.name
    return address if address.lower().startswith(name.lower()) else f"{name}, {address}"


def footer_text(envelope: Envelope) -> str:
    link = NO_LINK if envelope.is_trial else unsubscribe_url(envelope)
    return f"-- \n{_why(envelope)}\n{sender(envelope.organization)}\nNo more mails from us: {link}"


def footer_html(envelope: Envelope) -> str:
    link = f'<a href="{escape(unsubscribe_url(envelope))}" style="color:#6b7280">Unsubscribe</a>'
    return f"{escape(_why(envelope))}<br>{escape(sender(envelope.organization))}<br>{NO_LINK if envelope.is_trial else link}"


def _page(body: str, footer: str) -> str:
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark"><style>@media (prefers-color-scheme:dark){'
        "body{color:#e5e7eb!important;background:#111827!important}a{color:#93c5fd}}</style></head>"
        '<body style="margin:0;padding:16px;font:15px/1.5 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;'
        f'color:#111827"><div style="max-width:600px">\n{body}\n'
        '<p style="margin:2em 0 0;padding-top:1em;border-top:1px solid #e5e7eb;font-size:12px;color:#6b7280">'
        f"{footer}</p></div></body></html>"
    )
