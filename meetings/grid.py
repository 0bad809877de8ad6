"""A day of the show as slots by lanes: one lane per table or per rep, meetings as blocks over the slots they touch."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils import timezone

from events.models import Event
from meetings.availability import double_booked_people, reps_of, schedule_of
from meetings.models import BoothTable, Meeting

TONES = {
    Meeting.Status.REQUESTED: "warn",
    Meeting.Status.CONFIRMED: "info",
    Meeting.Status.CHECKED_IN: "ok",
    Meeting.Status.HELD: "ok",
    Meeting.Status.NO_SHOW: "bad",
}


@dataclass(frozen=True)
class Lane:
    """``key`` is the id a booking takes over; ``""`` is the lane of what has no table, or nobody."""

    key: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Block:
    meeting: Meeting
    tone: str
    conflict: str


@dataclass
class Cell:
    """One place of the grid. ``span`` slots high; without blocks it is free, with ``covered`` a cell above reaches into it."""

    lane: Lane
    slot: datetime
    span: int = 1
    blocks: list[Block] = field(default_factory=list)
    covered: bool = False
    free: bool = False


@dataclass(frozen=True)
class Row:
    slot: datetime
    cells: list[Cell]
    is_hour: bool
    is_now: bool


@dataclass(frozen=True)
class Grid:
    lanes: list[Lane]
    rows: list[Row]
    count: int
    free: int
    """Slots of bookable lanes that nobody has taken yet and that lie ahead."""


def days_of(event: Event) -> list[date]:
    """The days of the show, and other days on which we meet somebody for it."""
    moments = Meeting.objects.for_org(event.organization_id).at(event).exclude(status=Meeting.Status.CANCELLED)
    met = {moment.astimezone(event.zone).date() for moment in moments.values_list("starts_at", flat=True)}
    return sorted(met | set(event.days()))


def build(event: Event, day: date, *, by: str) -> Grid:
    """The grid of ``day``, ``by`` table or rep. Cancelled meetings are not in it; a no-show leaves its slot bookable."""
    meetings = list(
        Meeting.objects.for_org(event.organization_id)
        .at(event)
        .on_day(event, day)
        .exclude(status=Meeting.Status.CANCELLED)
        .for_page()
        .order_by("starts_at", "id")
    )
    slots = _slots(event, day, meetings)
    step = timedelta(minutes=schedule_of(event).slot_minutes)
    lanes = _lanes(event, meetings, by)
    conflicts = double_booked_people(meetings)
    columns = [
        _column(lane, slots, step, [m for m in meetings if _key(m, by) == lane.key], conflicts) for lane in lanes
    ]
    now = timezone.now()
    rows = [
        Row(slot, [column[n] for column in columns], slot.minute == 0, slot <= now < slot + step)
        for n, slot in enumerate(slots)
    ]
    ahead = sum(cell.free and cell.slot > now and bool(cell.lane.key) for row in rows for cell in row.cells)
    return Grid(lanes, rows, len(meetings), ahead)


def _slots(event: Event, day: date, meetings: list[Meeting]) -> list[datetime]:
    """The opening hours, stretched to hold what lies before and after them."""
    schedule = schedule_of(event)
    slots, step = schedule.slots(day), timedelta(minutes=schedule.slot_minutes)
    for meeting in meetings:
        while slots and meeting.starts_at < slots[0] and slots[0].date() == day:
            slots.insert(0, slots[0] - step)
        while slots and meeting.ends_at > slots[-1] + step and (slots[-1] + step).date() == day:
            slots.append(slots[-1] + step)
    return slots


def _lanes(event: Event, meetings: list[Meeting], by: str) -> list[Lane]:
    used = {_key(meeting, by) for meeting in meetings}
    if by == "rep":
        members = reps_of(event.organization_id)
        known = {str(member.pk) for member in members}
        lanes = [Lane(str(member.pk), str(member)) for member in members]
        lanes += [
            Lane(str(m.rep_id), str(m.rep))
            for m in {m.rep_id: m for m in meetings if m.rep_id}.values()
            if str(m.rep_id) not in known
        ]
        return lanes + ([Lane("", "No rep yet")] if "" in used else [])
    tables = BoothTable.objects.for_org(event.organization_id).filter(event=event)
    lanes = [
        Lane(str(table.pk), table.name, f"{table.seats} seats" if table.is_active else "closed")
        for table in tables
        if table.is_active or str(table.pk) in used
    ]
    return lanes + ([Lane("", "No table")] if "" in used or not lanes else [])


def _key(meeting: Meeting, by: str) -> str:
    return str((meeting.rep_id if by == "rep" else meeting.table_id) or "")


def _column(
    lane: Lane, slots: list[datetime], step: timedelta, meetings: list[Meeting], conflicts: dict[UUID, str]
) -> list[Cell]:
    cells = [Cell(lane, slot) for slot in slots]
    for meeting in meetings:
        touched = [n for n, slot in enumerate(slots) if meeting.starts_at < slot + step and meeting.ends_at > slot]
        if not touched:
            continue
        first, last = touched[0], touched[-1]
        while cells[first].covered:
            first -= 1
        last = max([last, *(n + cells[n].span - 1 for n in range(first, last + 1))])
        blocks = [block for n in range(first, last + 1) for block in cells[n].blocks]
        blocks.append(Block(meeting, TONES[Meeting.Status(meeting.status)], conflicts.get(meeting.pk, "")))
        for n in range(first, last + 1):
            cells[n].covered, cells[n].blocks = n > first, []
        cells[first].blocks, cells[first].span = blocks, last - first + 1
    for cell in cells:
        keeps = any(block.meeting.status in Meeting.OCCUPYING for block in cell.blocks)
        cell.free = not cell.covered and lane.note != "closed" and (not keeps or not lane.key)
    return cells
