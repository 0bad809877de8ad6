"""The ledger: every planned mail with its state, why it has not left, and when it is tried next.

A reason that a gate wrote down stands in the row. What stops a whole mailbox or organization is not written into every
row; ``Outlook`` adds it when a row is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.utils import timezone

from common.ids import read_uuid
from identity.models import Organization
from outreach import switches
from outreach.models import Mailbox, Message

State, Cause = Message.State, Message.Cause
STATES = [State.PLANNED, State.QUEUED, State.SENDING, State.UNKNOWN, State.HELD]


@dataclass(frozen=True)
class Line:
    """One mail of the ledger. ``next_try`` is ``None`` when a person or a report comes first."""

    message: Message
    why: str
    next_try: datetime | None


def lines(organization_id: UUID, messages: Iterable[Message]) -> list[Line]:
    """Why each has not left, in full. The messages have ``mailbox`` at hand. Works inside the scope."""
    now, stopped = timezone.now(), switches.why_stopped(organization_id)
    return [_line(message, stopped, now) for message in messages]


def _line(message: Message, stopped: str, now: datetime) -> Line:
    mailbox = message.mailbox
    if message.state == State.SENDING:
        return Line(message, "It is being handed over.", None)
    if message.state != State.QUEUED:
        return Line(message, message.reason or message.get_state_display(), None)
    if stopped:
        return Line(message, stopped, None)
    if mailbox is not None and mailbox.archived_at:
        return Line(message, f"The mailbox “{mailbox.name}” was put aside.", None)
    if mailbox is not None and mailbox.paused_at:
        return Line(message, f"The mailbox “{mailbox.name}” is paused. {mailbox.pause_reason}".strip(), None)
    due = message.due_at or now
    if mailbox is not None and mailbox.throttled_until and mailbox.throttled_until > max(due, now):
        return Line(message, f"The provider makes us wait. {mailbox.problem}".strip(), mailbox.throttled_until)
    if due <= now:
        return Line(message, message.reason or "It is due and leaves with the next round.", due)
    return Line(message, message.reason or "Waits for its time.", due)


def next_line(organization_id: UUID, messages: QuerySet[Message]) -> Line | None:
    """The next planned mail among ``messages``, and why it has not left."""
    found = (
        messages.filter(state__in=STATES, due_at__isnull=False)
        .select_related("mailbox", "person")
        .defer("body", "text", "html")
        .order_by("due_at", "id")
        .first()
    )
    return lines(organization_id, [found])[0] if found else None


class LedgerFilter:
    """The query string of the ledger, understood; what makes no sense in it is left out."""

    def __init__(self, query: QueryDict, *, organization: Organization) -> None:
        self.organization = organization
        self.state = query.get("state", "") if query.get("state", "") in STATES else ""
        self.cause = query.get("cause", "") if query.get("cause", "") in Cause.values else ""
        self.sequence = read_uuid(query.get("sequence", ""))
        self.account = read_uuid(query.get("account", ""))
        self.person = read_uuid(query.get("person", ""))
        mailbox = read_uuid(query.get("mailbox", ""))
        self.mailbox = Mailbox.objects.for_org(organization).filter(pk=mailbox).first() if mailbox else None

    def rows(self) -> QuerySet[Message]:
        rows = Message.objects.for_org(self.organization).open()
        if self.state:
            rows = rows.filter(state=self.state)
        if self.cause:
            rows = rows.filter(cause=self.cause)
        if self.sequence:
            rows = rows.filter(sequence_id=self.sequence)
        if self.account:
            rows = rows.filter(account=self.account)
        if self.person:
            rows = rows.filter(person=self.person)
        if self.mailbox:
            rows = rows.filter(mailbox=self.mailbox)
        return rows

    def causes(self) -> list[tuple[str, str, int]]:
        """``(cause, words, how many)`` of everything that is planned, the most frequent first."""
        counted = Message.objects.for_org(self.organization).open().exclude(cause="").order_by().values_list("cause")
        found = sorted(counted.annotate(number=Count("id")), key=lambda pair: -pair[1])
        return [(cause, Cause(cause).label, number) for cause, number in found]

    @property
    def is_narrow(self) -> bool:
        return bool(self.state or self.cause or self.sequence or self.mailbox or self.account or self.person)

    @property
    def state_label(self) -> str:
        return State(self.state).label if self.state else ""

    @property
    def cause_label(self) -> str:
        return Cause(self.cause).label if self.cause else ""
