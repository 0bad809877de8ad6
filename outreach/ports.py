"""The door to whoever carries our mail, in our words. Adapters live in ``integrations`` and register themselves here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, kw_only=True)
class OutgoingMail:
    """One finished mail to one recipient. ``intent_id`` and ``attempt`` are all a provider learns about our rows."""

    intent_id: UUID
    attempt: int
    from_name: str
    from_address: str
    to_address: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    track_opens: bool = False
    track_clicks: bool = False


@dataclass(frozen=True)
class Accepted:
    """The provider took the mail and answers for it; ``rest``: seconds until it takes the next one, 0 at once."""

    provider_message_id: str = ""
    http_status: int | None = None
    rest: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TransportSettings:
    """What an adapter needs of a mailbox. ``credentials`` is secret and stays out of ``repr``."""

    mailbox_id: UUID
    credentials: Mapping[str, str] = field(repr=False)
    host: str = ""
    port: int = 0
    username: str = ""
    security: str = ""


@dataclass(frozen=True)
class EventChannel:
    """How a provider will report: the key that verifies its signature."""

    verification_key: str


@dataclass(frozen=True, kw_only=True)
class TemplateText:
    """The words of a template for a provider that keeps templates. Fields are in its own (Handlebars) notation."""

    name: str
    version: int
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class DnsRecord:
    """A record as a person pastes it into the settings of their DNS."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, kw_only=True)
class SenderRecords:
    """What a provider needs in the DNS of a domain. Without ``return_path`` bounces come back to the domain itself.

    ``dkim`` are the records it signs with, ``selectors`` where it usually signs when it does not tell which.
    """

    spf_include: str = ""
    dkim: tuple[DnsRecord, ...] = ()
    return_path: DnsRecord | None = None
    selectors: tuple[str, ...] = ()


class ReportKind(StrEnum):
    """What a provider can tell about a mail, in our words."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One thing a provider says about a mail of ours. ``event_id`` is the same however often it is said."""

    provider: str
    event_id: str
    intent_id: UUID
    attempt: int | None
    kind: ReportKind
    occurred_at: datetime
    is_machine: bool = False
    reason: str = ""
    provider_message_id: str = ""
    mail_message_id: str = ""


class SendError(Exception):
    """A send that did not end in acceptance. ``detail`` is for people and holds no address and no secret."""

    def __init__(self, detail: str, *, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.detail, self.http_status = detail, http_status


class NotSent(SendError):
    """It certainly did not leave: trying again later is safe."""


class Throttled(NotSent):
    """It did not leave because we are too fast: wait ``retry_after`` seconds, with the whole mailbox."""

    def __init__(self, detail: str, *, retry_after: float, http_status: int | None = None) -> None:
        super().__init__(detail, http_status=http_status)
        self.retry_after = retry_after


class NeedsAttention(NotSent):
    """It did not leave and no other mail of this mailbox will, until a person reconnects it."""


class Rejected(SendError):
    """It did not leave and never will: the provider refuses this mail."""


class UnknownOutcome(SendError):
    """It may or may not have left. Never try again without evidence."""


class MailTransport(Protocol):
    """One provider account. ``reports`` says whether it tells us afterwards what it accepted."""

    provider: str
    reports: bool

    def send(self, mail: OutgoingMail) -> Accepted:
        """Hand over one mail, once. Raises a SendError; anything else counts as an unknown outcome."""

    def check(self) -> None:
        """Raise NeedsAttention, NotSent or Throttled unless the account can be used."""

    def open_event_channel(self, *, events_url: str, inbound_url: str, inbound_domain: str) -> EventChannel | None:
        """Ask the provider to report to us; ``None`` when it has no such thing. Raises a SendError."""

    def keep_template(self, template: TemplateText, *, template_id: str) -> tuple[str, str] | None:
        """Give the provider a new version of a template; ``template_id`` is where it was kept before, or empty.

        Returns the ids of template and version, ``None`` when the provider keeps none. Raises a SendError.
        """

    def sender_records(self, domain: str) -> SenderRecords:
        """What has to stand in the DNS of a domain that this account sends for. Raises a SendError."""

    def close(self) -> None:
        """Let go of open connections."""


@dataclass(frozen=True)
class SecondLook:
    """What a reader makes of an answer: one of the values of ``classifying.ReplyClass``, and the words that say so."""

    label: str
    evidence: str = ""


class ReaderFailed(Exception):
    """The reader cannot answer now; the mail keeps the class of the rules."""


class ReplyReader(Protocol):
    """Somebody, usually a language model, who reads what the rules cannot tell."""

    def read(self, *, subject: str, words: str) -> SecondLook:
        """The class of an answer. Raises ReaderFailed."""


def reply_reader() -> ReplyReader | None:
    """The reader that the setting ``EVENTOPS_REPLY_READER`` names, ``package.module.Class``; none by default."""
    path: str = settings.EVENTOPS_REPLY_READER
    reader: ReplyReader | None = import_string(path)() if path else None
    return reader


Factory = Callable[[TransportSettings], MailTransport]
_factories: dict[str, Factory] = {}


class NoTransport(LookupError):
    """Nothing is registered that carries this kind of mailbox."""


def register_transport(kind: str, factory: Factory) -> None:
    _factories[kind] = factory


def open_transport(kind: str, settings: TransportSettings) -> MailTransport:
    """An adapter for one mailbox. Raises NoTransport."""
    try:
        return _factories[kind](settings)
    except KeyError as error:
        raise NoTransport(kind) from error
