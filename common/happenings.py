"""How a lower app tells the timeline what happened, without knowing who keeps the timeline.

A service calls ``announce`` inside its transaction; ``activities`` listens and writes the entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.dispatch import Signal


class Kind(models.TextChoices):
    """What can stand on a timeline. The first eight names are fixed (SEC-14)."""

    ACCOUNT_CREATED = "ACCOUNT_CREATED", "Account created"
    ACCOUNT_UPDATED = "ACCOUNT_UPDATED", "Account updated"
    PERSON_CREATED = "PERSON_CREATED", "Person created"
    PERSON_UPDATED = "PERSON_UPDATED", "Person updated"
    OUTREACH_SENT = "OUTREACH_SENT", "Mail sent"
    MEETING_SCHEDULED = "MEETING_SCHEDULED", "Meeting scheduled"
    MEETING_COMPLETED = "MEETING_COMPLETED", "Meeting held"
    SCORE_UPDATED = "SCORE_UPDATED", "ICP score updated"
    ACCOUNT_DELETED = "ACCOUNT_DELETED", "Account deleted"
    PERSON_DELETED = "PERSON_DELETED", "Person deleted"
    OWNER_ASSIGNED = "OWNER_ASSIGNED", "Owner assigned"
    LIST_IMPORTED = "LIST_IMPORTED", "List imported"
    IMPORT_UNDONE = "IMPORT_UNDONE", "Import taken back"
    LIST_EXPORTED = "LIST_EXPORTED", "List exported"
    NOTE_ADDED = "NOTE_ADDED", "Note added"
    TASK_ADDED = "TASK_ADDED", "Task added"
    TASK_DONE = "TASK_DONE", "Task done"
    OUTREACH_DELIVERED = "OUTREACH_DELIVERED", "Mail delivered"
    OUTREACH_OPENED = "OUTREACH_OPENED", "Mail opened"
    OUTREACH_CLICKED = "OUTREACH_CLICKED", "Link clicked"
    OUTREACH_REPLIED = "email_replied", "Reply received"
    OUTREACH_BOUNCED = "OUTREACH_BOUNCED", "Mail bounced"
    OUTREACH_UNSUBSCRIBED = "OUTREACH_UNSUBSCRIBED", "Unsubscribed"
    OUTREACH_COMPLAINED = "OUTREACH_COMPLAINED", "Reported as spam"
    MEETING_CONFIRMED = "MEETING_CONFIRMED", "Meeting confirmed"
    MEETING_MOVED = "MEETING_MOVED", "Meeting moved"
    MEETING_CANCELLED = "MEETING_CANCELLED", "Meeting cancelled"
    MEETING_NO_SHOW = "MEETING_NO_SHOW", "No-show"
    BOOTH_VISIT = "BOOTH_VISIT", "Met at the booth"
    MAIL_DECIDED = "MAIL_DECIDED", "Decision about automatic mail"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One timeline entry. ``occurred_at`` defaults to now; ``data`` holds plain JSON values, no addresses or bodies.

    ``entry_id`` is the id the entry gets, when something is to point at it.
    """

    kind: Kind
    organization_id: UUID
    actor_id: UUID | None = None
    event_id: UUID | None = None
    account_id: UUID | None = None
    person_id: UUID | None = None
    summary: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    entry_id: UUID | None = None


happened = Signal()
"""Sent with ``happenings: Sequence[Happening]``, inside the transaction of the change."""


def announce(*happenings: Happening) -> None:
    """Tell whoever keeps the timeline. Call it in the transaction that made the change; pass many at once for bulk."""
    if happenings:
        batch: Sequence[Happening] = happenings
        happened.send(sender=Happening, happenings=batch)


happened_in_bulk = Signal()
"""Sent with ``select: str`` and ``params``, inside the transaction of the change; see ``announce_selected``."""


def announce_selected(select: str, params: Sequence[Any]) -> None:
    """Tell the timeline about as many happenings as ``select`` has rows, without fetching them.

    The statement yields the columns ``kind, organization_id, actor_id, event_id, account_id, person_id, summary`` in
    this order. It is written by our code; values go into ``params``.
    """
    happened_in_bulk.send(sender=Happening, select=select, params=params)
