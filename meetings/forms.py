from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.models import Account
from events.models import Event
from identity.models import Organization
from meetings.availability import Offers, reps_of, schedule_of
from meetings.models import BoothTable, Meeting, Schedule
from meetings.services import DEFAULT_MINUTES, Plan
from people.models import Person

MINUTES = (15, 20, 30, 45, 60, 90, 120, 180)
MOST_PEOPLE = 50


class BookingForm(forms.Form):
    """Who, when, where and with whom of us. Times are the show's. ``plan()`` gives the service what it needs."""

    meeting_type = forms.ChoiceField(label="Kind", choices=Meeting.Type.choices, initial=Meeting.Type.INTRO)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    start = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    minutes = forms.TypedChoiceField(label="Length", coerce=int, initial=DEFAULT_MINUTES)
    rep = forms.ChoiceField(label="Our rep", required=False)
    table = forms.ChoiceField(required=False)
    location = forms.CharField(max_length=200, required=False, help_text="If it is not at our booth.")
    title = forms.CharField(max_length=200, required=False, help_text="Left empty, it is named for whom you meet.")
    notes = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=10_000)
    is_agreed = forms.BooleanField(label="They have agreed", required=False, initial=True)
    tell = forms.BooleanField(label="Send invitation by mail", required=False)

    def __init__(
        self, *args: Any, organization: Organization, event: Event, meeting: Meeting | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organization, self.event, self.meeting = organization, event, meeting
        self.offers: Offers | None = None
        self.people: list[Person] = []
        self.account: Account | None = None
        tables = BoothTable.objects.for_org(organization).filter(event=event)
        usable = [table for table in tables if table.is_active or (meeting and meeting.table_id == table.pk)]
        self._tables = {str(table.pk): table for table in usable}
        self._reps = {str(rep.pk): rep for rep in reps_of(organization.pk)}
        if meeting and meeting.rep:
            self._reps.setdefault(str(meeting.rep.pk), meeting.rep)
        seats = [(key, f"{table.name} ({table.seats} seats)") for key, table in self._tables.items()]
        self.fields["table"].choices = [("", "No table"), *seats]  # type: ignore[attr-defined]
        names = [(key, str(rep)) for key, rep in self._reps.items()]
        self.fields["rep"].choices = [("", "Nobody yet"), *names]  # type: ignore[attr-defined]
        lengths = sorted({*MINUTES, meeting.minutes if meeting else DEFAULT_MINUTES, schedule_of(event).slot_minutes})
        self.fields["minutes"].choices = [(number, f"{number} minutes") for number in lengths]  # type: ignore[attr-defined]
        if meeting:
            del self.fields["is_agreed"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.people = find_people(self.organization, self.data.getlist("people"))  # type: ignore[attr-defined]
        self.account = find_account(self.organization, self.data.get("account", ""))
        if not self.people and not self.account:
            self.add_error(None, "Choose at least one person or a company to meet.")
        if data.get("day") and data.get("start"):
            try:
                data["starts_at"] = in_zone(self.event, data["day"], data["start"])
            except ValueError:
                self.add_error("start", "The clocks skip this time on that day. Choose another one.")
        return data

    def plan(self) -> Plan:
        data = self.cleaned_data
        return Plan(
            event=self.event,
            starts_at=data["starts_at"],
            ends_at=data["starts_at"] + timedelta(minutes=data["minutes"]),
            people=self.people,
            account=self.account,
            rep=self._reps.get(data["rep"]),
            table=self._tables.get(data["table"]),
            location=data["location"],
            title=data["title"],
            meeting_type=data["meeting_type"],
            notes=data["notes"],
        )


def initial_of(meeting: Meeting) -> dict[str, Any]:
    """What the form of an existing meeting shows."""
    return {
        "meeting_type": meeting.meeting_type,
        "day": meeting.local_start.date(),
        "start": meeting.local_start.time(),
        "minutes": meeting.minutes,
        "rep": str(meeting.rep_id or ""),
        "table": str(meeting.table_id or ""),
        "location": meeting.location,
        "title": meeting.title,
        "notes": meeting.notes,
    }


def first_slot(event: Event) -> datetime:
    """The next slot of the show that has not begun, or its very first."""
    schedule, now = schedule_of(event), timezone.now()
    slots = [slot for day in event.days() for slot in schedule.slots(day)]
    return next((slot for slot in slots if slot > now), slots[0])


def in_zone(event: Event, day: date, clock: time) -> datetime:
    """The moment when the show's clocks say so. Raises ValueError for a time that daylight saving skips."""
    moment = datetime.combine(day, clock, tzinfo=event.zone)
    if moment.astimezone(UTC).astimezone(event.zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise ValueError(clock)
    return moment


def find_people(organization: Organization, ids: Sequence[str]) -> list[Person]:
    """The people with these ids in this order; ids that are damaged or not ours are left out."""
    wanted = list(dict.fromkeys(filter(None, map(_uuid, ids[:MOST_PEOPLE]))))
    found = Person.objects.for_org(organization).select_related("account").in_bulk(wanted)
    return [found[pk] for pk in wanted if pk in found]


def find_account(organization: Organization, pk: str) -> Account | None:
    key = _uuid(pk)
    return Account.objects.for_org(organization).filter(pk=key).first() if key else None


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Schedule
        fields = ["opens_at", "closes_at", "slot_minutes"]
        widgets = {
            "opens_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "closes_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        opens, closes = data.get("opens_at"), data.get("closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", "The booth must close after it opens.")
        if not 5 <= (data.get("slot_minutes") or 5) <= 240:
            self.add_error("slot_minutes", "A slot lasts between 5 and 240 minutes.")
        return data


class BoothTableForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = BoothTable
        fields = ["name", "seats", "is_active"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = BoothTable.objects.filter(event_id=self.instance.event_id, name__iexact=name).exclude(
            pk=self.instance.pk
        )
        if others.exists():
            raise forms.ValidationError("There is a table with this name already.")
        return name

    def clean_seats(self) -> int:
        seats: int = self.cleaned_data["seats"]
        if not 1 <= seats <= 500:
            raise forms.ValidationError("A table has between 1 and 500 seats.")
        return seats
