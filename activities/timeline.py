"""The timeline of an account or a person as the page shows it: entries by day, newest first, kinds to choose from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from activities.models import Activity, Note
from common.happenings import Kind
from common.paging import Page, keyset_page

PAGE = 30
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mail": (
        "Mail",
        tuple(kind for kind in Kind.values if kind.startswith(("OUTREACH", "MAIL")) or kind == Kind.OUTREACH_REPLIED),
    ),
    "meetings": ("Meetings", tuple(kind for kind in Kind.values if kind.startswith(("MEETING", "BOOTH")))),
    "notes": ("Notes", (Kind.NOTE_ADDED,)),
    "tasks": ("Tasks", (Kind.TASK_ADDED, Kind.TASK_DONE)),
    "changes": (
        "Changes",
        tuple(kind for kind in Kind.values if kind.startswith(("ACCOUNT", "PERSON", "OWNER", "LIST", "SCORE"))),
    ),
}
"""What the timeline can be filtered by: key -> its name and the kinds it holds."""

_LOOKS = (
    (("OUTREACH_SENT", "OUTREACH_DELIVERED"), "send", "info"),
    (("OUTREACH_OPENED",), "eye", "info"),
    (("OUTREACH_CLICKED",), "click", "info"),
    ((Kind.OUTREACH_REPLIED,), "reply", "ok"),
    (("OUTREACH_BOUNCED", "OUTREACH_COMPLAINED"), "alert", "bad"),
    (("OUTREACH_UNSUBSCRIBED",), "ban", "warn"),
    (("MEETING_COMPLETED",), "check-circle", "ok"),
    (("MEETING_CANCELLED", "MEETING_NO_SHOW"), "x-circle", "bad"),
    (("MEETING_SCHEDULED", "MEETING_CONFIRMED", "MEETING_MOVED"), "calendar", "info"),
    (("BOOTH_VISIT",), "map-pin", "ok"),
    (("MAIL_DECIDED",), "pause", "warn"),
    (("NOTE_ADDED",), "note", ""),
    (("TASK_ADDED",), "list", ""),
    (("TASK_DONE",), "check", "ok"),
    (("SCORE_UPDATED",), "target", "machine"),
    (("OWNER_ASSIGNED",), "user", ""),
    (("LIST_IMPORTED",), "upload", ""),
    (("IMPORT_UNDONE",), "undo", ""),
    (("LIST_EXPORTED",), "download", ""),
    (("ACCOUNT_CREATED", "PERSON_CREATED"), "plus", ""),
    (("ACCOUNT_DELETED", "PERSON_DELETED"), "trash", "warn"),
)
_LOOK = {kind: (icon, tone) for kinds, icon, tone in _LOOKS for kind in kinds}


@dataclass(frozen=True)
class Entry:
    """One line: what happened in words, by whom, about whom, and what was written."""

    activity: Activity
    icon: str
    tone: str
    quote: str = ""

    @property
    def words(self) -> str:
        return self.activity.summary or self.activity.get_kind_display()


@dataclass(frozen=True)
class Day:
    day: date
    entries: list[Entry] = field(default_factory=list)
    repeated: bool = False


def page_of(rows: "QuerySet[Activity]", *, kind: str = "", cursor: str = "") -> Page[Activity]:
    """A page of the timeline, newest first; ``kind`` is a key of ``GROUPS`` or empty. Raises ``InvalidCursor``."""
    if kind in GROUPS:
        rows = rows.filter(kind__in=GROUPS[kind][1])
    rows = rows.select_related("actor", "person", "event")
    return keyset_page(rows, sort=["-occurred_at"], limit=PAGE, cursor=cursor)


def days_of(activities: Sequence[Activity], *, last_day: str = "") -> list[Day]:
    """Entries grouped by day in the current time zone. A first day equal to ``last_day`` continues the page before."""
    notes = _notes(activities)
    days = []
    for day, group in groupby(activities, key=lambda activity: _day(activity.occurred_at)):
        entries = [
            Entry(activity, *_LOOK.get(activity.kind, ("dot", "")), notes.get(_note_id(activity), ""))
            for activity in group
        ]
        days.append(Day(day, entries, repeated=day.isoformat() == last_day))
    return days


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _note_id(activity: Activity) -> UUID | None:
    found: Any = activity.data.get("note") if isinstance(activity.data, dict) else None
    try:
        return UUID(str(found)) if found else None
    except ValueError:
        return None


def _notes(activities: Iterable[Activity]) -> dict[UUID | None, str]:
    """The text of the notes the entries point to, in one query."""
    ids = [note for activity in activities if (note := _note_id(activity))]
    return dict(Note.objects.filter(pk__in=ids).values_list("pk", "body"))
