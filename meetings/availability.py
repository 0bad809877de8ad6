"""Who and what is free when: conflicts of a wished span, and what could be offered instead."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from events.models import Event
from identity.models import Membership, Role, User
from meetings.models import BoothTable, Meeting, Schedule

OFFERS = 3


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """``what`` is ``rep`` or ``table``, ``name`` theirs; ``meeting`` is the one that keeps them."""

    what: str
    name: str
    meeting: Meeting

    def __str__(self) -> str:
        begin, end = self.meeting.local_start, self.meeting.local_end
        return f"{self.name} is taken from {begin:%H:%M} to {end:%H:%M}: {self.meeting.title.rstrip('.')}."


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What is free instead: tables and reps at the wished time, and other times for the wished rep and table."""

    tables: list[BoothTable]
    reps: list[User]
    times: list[datetime]

    def __str__(self) -> str:
        parts = []
        if self.tables:
            parts.append(f"Free at that time: {', '.join(table.name for table in self.tables)}.")
        if self.reps:
            parts.append(f"Reps free at that time: {', '.join(str(rep) for rep in self.reps)}.")
        if self.times:
            days = {time.date() for time in self.times}
            style = "%H:%M" if len(days) == 1 else "%a %H:%M"
            parts.append(f"Next free times: {', '.join(time.strftime(style) for time in self.times)}.")
        return " ".join(parts) or "Nothing else is free that day."


def schedule_of(event: Event) -> Schedule:
    """The opening hours of our booth; the usual ones, unsaved, while nobody has set them."""
    found = Schedule.objects.filter(organization_id=event.organization_id, event=event).first()
    schedule = found or Schedule(organization_id=event.organization_id, event=event)
    schedule.event = event
    return schedule


def reps_of(organization_id: UUID) -> list[User]:
    """Everybody who may sit in a meeting for us, by name."""
    members = Membership.objects.for_org(organization_id).filter(is_active=True, user__is_active=True)
    members = members.exclude(role=Role.VIEWER).select_related("user")
    return sorted((member.user for member in members), key=lambda user: str(user).casefold())


def conflicts(
    *,
    event: Event,
    starts_at: datetime,
    ends_at: datetime,
    rep: User | None,
    table: BoothTable | None,
    besides: Meeting | None = None,
) -> list[Conflict]:
    """What keeps ``rep`` and ``table`` from this span, ``besides`` not counted. A rep is looked for at all shows."""
    wanted = Q(pk=None)
    if rep:
        wanted |= Q(rep=rep)
    if table:
        wanted |= Q(table=table)
    taken = Meeting.objects.for_org(event.organization_id).occupying().overlapping(starts_at, ends_at).filter(wanted)
    if besides:
        taken = taken.exclude(pk=besides.pk)
    found = []
    for meeting in taken.select_related("event").order_by("starts_at"):
        if rep and meeting.rep_id == rep.pk:
            found.append(Conflict(what="rep", name=str(rep), meeting=meeting))
        if table and meeting.table_id == table.pk:
            found.append(Conflict(what="table", name=table.name, meeting=meeting))
    return found


def offers(
    *,
    event: Event,
    starts_at: datetime,
    ends_at: datetime,
    rep: User | None,
    table: BoothTable | None,
    besides: Meeting | None = None,
) -> Offers:
    """What could be booked instead of a span that is taken. Three queries, whatever the size of the show."""
    busy = _Busy(event, besides)
    length = ends_at - starts_at
    tables = (
        []
        if table is None
        else list(BoothTable.objects.for_org(event.organization_id).filter(event=event, is_active=True))
    )
    now = timezone.now()
    slots = [slot for day in event.days() for slot in schedule_of(event).slots(day) if slot > now]
    slots.sort(key=lambda slot: abs(slot - starts_at))
    times = [
        slot
        for slot in slots
        if (not rep or busy.is_free(rep.pk, slot, slot + length))
        and (not table or busy.is_free(table.pk, slot, slot + length))
    ]
    others = reps_of(event.organization_id) if rep and not busy.is_free(rep.pk, starts_at, ends_at) else []
    return Offers(
        tables=[t for t in tables if t != table and busy.is_free(t.pk, starts_at, ends_at)][:OFFERS],
        reps=[other for other in others if busy.is_free(other.pk, starts_at, ends_at)][:OFFERS],
        times=sorted(times[:OFFERS]),
    )


def free_slots(event: Event, *, rep: User, number: int) -> list[datetime]:
    """The next slots of the show in which the rep is free, and one of our tables if we have any."""
    busy = _Busy(event, None)
    tables = list(BoothTable.objects.for_org(event.organization_id).filter(event=event, is_active=True))
    schedule, now = schedule_of(event), timezone.now()
    length = timedelta(minutes=schedule.slot_minutes)
    free = (
        slot
        for day in event.days()
        for slot in schedule.slots(day)
        if slot > now
        and busy.is_free(rep.pk, slot, slot + length)
        and (not tables or any(busy.is_free(table.pk, slot, slot + length) for table in tables))
    )
    return list(islice(free, number))


class _Busy:
    """The spans in which reps and tables are taken around a show."""

    def __init__(self, event: Event, besides: Meeting | None) -> None:
        self._spans: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
        begin = datetime.combine(event.starts_on, datetime.min.time(), tzinfo=event.zone) - timedelta(days=1)
        end = datetime.combine(event.ends_on, datetime.min.time(), tzinfo=event.zone) + timedelta(days=2)
        rows = Meeting.objects.for_org(event.organization_id).occupying()
        rows = rows.filter(Q(event=event) | Q(starts_at__lt=end, ends_at__gt=begin))
        if besides:
            rows = rows.exclude(pk=besides.pk)
        for rep_id, table_id, starts_at, ends_at in rows.values_list("rep_id", "table_id", "starts_at", "ends_at"):
            for key in filter(None, (rep_id, table_id)):
                self._spans[key].append((starts_at, ends_at))

    def is_free(self, key: UUID, starts_at: datetime, ends_at: datetime) -> bool:
        return all(end <= starts_at or begin >= ends_at for begin, end in self._spans[key])


def double_booked_people(meetings: Iterable[Meeting]) -> dict[UUID, str]:
    """Meeting id → why it hatches: somebody who attends it sits in another of these meetings at the same time."""
    by_person: dict[UUID, list[Meeting]] = defaultdict(list)
    names: dict[UUID, str] = {}
    for meeting in meetings:
        if meeting.status in Meeting.OCCUPYING:
            for attendee in meeting.attendees.all():
                by_person[attendee.person_id].append(meeting)
                names[attendee.person_id] = attendee.person.name
    found: dict[UUID, str] = {}
    for person_id, theirs in by_person.items():
        for one in theirs:
            for other in theirs:
                if one is not other and one.starts_at < other.ends_at and other.starts_at < one.ends_at:
                    found[one.pk] = f"{names[person_id]} is also in: {other.title}"
    return found
