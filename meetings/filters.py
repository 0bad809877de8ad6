"""What the list of meetings can be narrowed to. The same words serve the page, the API and links from other pages."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from events.models import Event
from identity.models import Organization, User
from meetings.models import BoothTable, Meeting
from meetings.querysets import MeetingQuerySet

WHEN = (("upcoming", "Upcoming"), ("past", "Past"), ("all", "All"))


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the query string of the list without it."""

    text: str
    remove: str


class MeetingFilter:
    """The query string of the list, understood; what makes no sense in it is left out, never an error page.

    ``when`` upcoming, past or all · ``day`` 2026-12-08 or ``today`` · ``status`` (several) · ``rep`` id, ``me`` or
    ``none`` · ``table`` id or ``none`` · ``type`` · ``account`` id.
    """

    def __init__(self, query: QueryDict, *, organization: Organization, user: User, event: Event | None) -> None:
        self.query, self.organization, self.user, self.event = query, organization, user, event
        self.statuses = [status for status in query.getlist("status") if status in Meeting.Status.values]
        self.day = self._day(query.get("day", ""))
        self.rep, self.table, self.account = (self._id(query.get(name, "")) for name in ("rep", "table", "account"))
        self.type = query.get("type", "") if query.get("type") in Meeting.Type.values else ""
        narrowed = any([self.statuses, self.day, self.rep, self.table, self.account, self.type])
        wanted = query.get("when", "")
        self.when = wanted if wanted in dict(WHEN) else ("all" if narrowed else "upcoming")

    def _day(self, text: str) -> date | None:
        if text == "today":
            return timezone.now().astimezone(self.event.zone).date() if self.event else timezone.localdate()
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None

    def _id(self, text: str) -> UUID | str:
        if text == "me":
            return self.user.pk
        if text == "none":
            return "none"
        try:
            return UUID(text)
        except ValueError:
            return ""

    def rows(self) -> MeetingQuerySet:
        """The meetings of the chosen show that fit; of every show when there is none."""
        rows = Meeting.objects.for_org(self.organization)
        if self.event:
            rows = rows.at(self.event)
            if self.day:
                rows = rows.on_day(self.event, self.day)
        if self.statuses:
            rows = rows.filter(status__in=self.statuses)
        for name, value in (("rep", self.rep), ("table", self.table), ("account", self.account)):
            if value:
                rows = rows.filter(**{f"{name}_id": None if value == "none" else value})
        if self.type:
            rows = rows.filter(meeting_type=self.type)
        if self.when == "upcoming":
            rows = rows.filter(ends_at__gte=timezone.now()).exclude(status=Meeting.Status.CANCELLED)
        elif self.when == "past":
            rows = rows.filter(ends_at__lt=timezone.now())
        return rows

    @property
    def sort(self) -> list[str]:
        return ["-starts_at"] if self.when == "past" else ["starts_at"]

    def without(self, name: str) -> str:
        """This list's query string with one filter, and the page, taken away."""
        params = self.query.copy()
        for key in (name, "cursor"):
            params.pop(key, None)
        return f"?{params.urlencode()}"

    def chips(self) -> list[Chip]:
        words = []
        if self.day:
            words.append(("day", f"{self.day:%a} {self.day.day} {self.day:%b}"))
        if self.statuses:
            words.append(("status", " or ".join(Meeting.Status(status).label for status in self.statuses)))
        if self.rep:
            words.append(("rep", f"rep {self._rep_name()}"))
        if self.table:
            words.append(("table", self._table_name()))
        if self.type:
            words.append(("type", Meeting.Type(self.type).label))
        if self.account:
            words.append(("account", "one account"))
        return [
            Chip(text[:1].upper() + text[1:] if number == 0 else text, self.without(name))
            for number, (name, text) in enumerate(words)
        ]

    def _rep_name(self) -> str:
        if self.rep == "none":
            return "nobody"
        if self.rep == self.user.pk:
            return "me"
        member = User.objects.filter(pk=self.rep, memberships__organization=self.organization).first()
        return str(member or "unknown")

    def _table_name(self) -> str:
        if self.table == "none":
            return "no table"
        return str(BoothTable.objects.for_org(self.organization).filter(pk=self.table).first() or "unknown table")
