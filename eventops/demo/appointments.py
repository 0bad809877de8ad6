"""Meetings: calls before the show, the days of the show, the show before it, and tables at the booth."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Account, TargetAccount
from common.happenings import Happening, Kind, announce
from eventops.demo.world import Chance, World
from events.models import Event
from identity.models import User
from meetings.models import Attendee, BoothTable, Meeting, Schedule
from people.models import Person

TABLES = (("Bar", 2), ("Lounge", 8), ("Table 1", 4), ("Table 2", 4), ("Table 3", 4), ("Table 4", 6))
OUTCOMES = (
    "Wants a pilot with two trucks in spring; sends the plan of hall 3.", "Budget only after the summer. Stay in touch.",
    "Asked for an offer over 12 vehicles, decision by the board.", "Brings the plant manager to the stand.",
    "Uses a competitor until next year; open for a trial.", "Sent the safety certificate; they check it with their insurer.",
)  # fmt: skip
NOTES = (
    "Bring the K3 data sheet.",
    "Speaks German.",
    "Interested in the battery swap.",
    "Second meeting, prices come up.",
)


def seed_meetings(world: World) -> None:
    if Meeting.objects.filter(event=world.show).exists():
        return
    chance = Chance("meetings")
    tables = [_table(world.show, name, seats, chance) for name, seats in TABLES]
    Schedule.objects.get_or_create(organization=world.organization, event=world.show)
    book = _Book(world, chance)
    targets = _targets_worth_a_meeting(world, chance)
    _calls_before_the_show(world, book, targets[:34])
    _days_of_the_show(world, book, targets[20:86], tables)
    _the_show_before(world, book)
    book.write()
    _move_accounts_on(world)


def _table(event: Event, name: str, seats: int, chance: Chance) -> BoothTable:
    table, _ = BoothTable.objects.get_or_create(
        organization_id=event.organization_id, event=event, name=name, defaults={"seats": seats, "id": chance.uuid()}
    )
    return table


def _targets_worth_a_meeting(world: World, chance: Chance) -> list[TargetAccount]:
    rows = TargetAccount.objects.filter(event=world.show).exclude(status__in=["LOST", ""]).select_related("account")
    found = list(rows.order_by("-icp_score", "id")[:130])
    chance.shuffle(found)
    return found


class _Book:
    """Collects meetings that nobody sits in twice, then writes them at once."""

    def __init__(self, world: World, chance: Chance) -> None:
        self.world, self.chance = world, chance
        self.meetings: list[Meeting] = []
        self.attendees: list[Attendee] = []
        self._taken: set[tuple[UUID, datetime]] = set()
        self._people: dict[UUID, list[Person]] = {}
        for person in Person.objects.filter(account__isnull=False).order_by("name_norm", "id"):
            self._people.setdefault(person.account_id or person.pk, []).append(person)

    def add(
        self, event: Event, account: Account, starts_at: datetime, status: str, *, table: BoothTable | None = None,
        location: str = "", minutes: int = 30, host: User | None = None,
    ) -> None:  # fmt: skip
        people = self._people.get(account.pk, [])
        span = [starts_at + timedelta(minutes=15 * n) for n in range(-(-minutes // 15))]
        reps = [host] if host else self.chance.sample(self.world.reps, len(self.world.reps))
        reps.sort(key=lambda rep: rep.pk != account.owner_id)
        rep = next((rep for rep in reps if not any((rep.pk, at) in self._taken for at in span)), None)
        keys = [key for key in (rep and rep.pk, table and table.pk, people and people[0].pk) if key]
        if not people or rep is None or any((key, at) in self._taken for key in keys for at in span):
            return
        if status in Meeting.OCCUPYING:
            self._taken |= {(key, at) for key in keys for at in span}
        kind = self.chance.choices(list(Meeting.Type), [40, 24, 12, 6, 10, 5, 3])[0]
        meeting = Meeting(
            id=self.chance.uuid(), organization=self.world.organization, event=event, account=account,
            title=f"{kind.label} with {account.name}"[:200], starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes), location=location, table=table, rep=rep, status=status,
            meeting_type=kind, created_by=rep,
            notes=self.chance.choice(NOTES) if self.chance.likely(0.3) else "",
            outcome=self.chance.choice(OUTCOMES) if status == "held" else "",
            checked_in_at=starts_at if status in ("held", "checked_in") else None,
            cancelled_at=min(starts_at, self.world.now) - timedelta(hours=20) if status == "cancelled" else None,
            cancel_reason=self.chance.choice(["They are not coming to the show", "Double-booked on their side", ""])
            if status == "cancelled" else "",
        )  # fmt: skip
        self.meetings.append(meeting)
        seats = (table.seats if table else 4) - 1
        for number, person in enumerate(people[: min(self.chance.choice([1, 1, 1, 2, 3]), seats)]):
            self.attendees.append(
                Attendee(
                    id=self.chance.uuid(), organization=self.world.organization, meeting=meeting, person=person,
                    is_primary=number == 0, response=self.chance.choice(["waiting", "accepted", "accepted", "tentative"]),
                )
            )  # fmt: skip

    def write(self) -> None:
        Meeting.objects.bulk_create(self.meetings)
        Attendee.objects.bulk_create(self.attendees)
        primary = {attendee.meeting_id: attendee.person_id for attendee in self.attendees if attendee.is_primary}
        announce(*(happening for meeting in self.meetings for happening in self._story(meeting, primary)))

    def _story(self, meeting: Meeting, primary: dict[UUID, UUID]) -> list[Happening]:
        booked = min(meeting.starts_at, self.world.now) - timedelta(hours=self.chance.randrange(20, 24 * 12))
        ends = {
            "held": (Kind.MEETING_COMPLETED, "held", meeting.ends_at),
            "no_show": (Kind.MEETING_NO_SHOW, "nobody came", meeting.ends_at),
            "cancelled": (Kind.MEETING_CANCELLED, "cancelled", meeting.cancelled_at),
            "confirmed": (Kind.MEETING_CONFIRMED, "confirmed", booked + timedelta(hours=7)),
        }
        word = "requested" if meeting.status == "requested" else "booked"
        begin = meeting.starts_at.astimezone(meeting.event.zone)
        lines = [(Kind.MEETING_SCHEDULED, f"{word} for {begin:%a} {begin.day} {begin:%b}, {begin:%H:%M}", booked)]
        if meeting.status in ends:
            kind, words, when = ends[meeting.status]
            lines.append((kind, words, when or booked))
        return [
            Happening(
                kind=kind, organization_id=meeting.organization_id, actor_id=meeting.rep_id, event_id=meeting.event_id,
                account_id=meeting.account_id, person_id=primary.get(meeting.pk), summary=f"{meeting.title}: {words}",
                data={"meeting": str(meeting.pk), "status": meeting.status}, occurred_at=min(when, timezone.now()),
            )
            for kind, words, when in lines
        ]  # fmt: skip


def _calls_before_the_show(world: World, book: _Book, targets: list[TargetAccount]) -> None:
    """Video calls of the last three weeks, and what is on today."""
    for number, target in enumerate(targets[:-6]):
        status = book.chance.choices(["held", "no_show", "cancelled"], [68, 18, 14])[0]
        day = -1 - number % 18
        if world.moment(day).weekday() < 5:
            book.add(world.show, target.account, world.moment(day, 9 + number % 8), status, location="Video call")
    hour = world.now.astimezone(world.show.zone).replace(minute=0, second=0, microsecond=0)
    today = (
        (-1, "checked_in"),
        (0, "confirmed"),
        (1, "confirmed"),
        (2, "requested"),
        (3, "confirmed"),
        (26, "confirmed"),
    )
    for number, (target, (offset, status)) in enumerate(zip(targets[-6:], today, strict=True)):
        begin = hour + timedelta(hours=offset)
        host = world.members[0] if number < 4 else None
        book.add(world.show, target.account, begin, status, location="Video call", minutes=45, host=host)


def _days_of_the_show(world: World, book: _Book, targets: list[TargetAccount], tables: list[BoothTable]) -> None:
    days = world.show.days()
    for number, target in enumerate(targets):
        day = (days[number % len(days)] - world.today).days
        slot = book.chance.randrange(0, 17)
        status = book.chance.choices(["confirmed", "requested", "cancelled"], [64, 26, 10])[0]
        table = book.chance.choice(tables) if book.chance.likely(0.9) else None
        begin = world.moment(day, 9 + slot // 2, 30 * (slot % 2))
        book.add(
            world.show, target.account, begin, status, table=table,
            location="" if table else "At their stand", minutes=book.chance.choice([30, 30, 30, 60]),
            host=world.members[0] if number % 9 == 0 else None,
        )  # fmt: skip


def _the_show_before(world: World, book: _Book) -> None:
    rows = TargetAccount.objects.filter(event=world.previous, stage__in=["Checked In", "No Show"]).select_related(
        "account"
    )
    days = world.previous.days()
    for number, target in enumerate(rows.order_by("id")):
        begin = world.moment((days[number % 3] - world.today).days, 9 + number // 3 % 8, 30 * (number % 2))
        book.add(world.previous, target.account, begin, "held" if target.stage == "Checked In" else "no_show")


def _move_accounts_on(world: World) -> None:
    """Stage and status as the services would have left them."""
    found: dict[UUID, set[str]] = {}
    met = Meeting.objects.filter(event=world.show, account__isnull=False)
    for account_id, status in met.values_list("account_id", "status"):
        if account_id is not None:
            found.setdefault(account_id, set()).add(status)
    targets = list(TargetAccount.objects.filter(event=world.show, account__in=found))
    for target in targets:
        statuses = found[target.account_id]
        if statuses & {"held", "checked_in"}:
            target.stage = TargetAccount.Stage.CHECKED_IN
        elif "confirmed" in statuses:
            target.stage = TargetAccount.Stage.BOOKED
        elif "no_show" in statuses:
            target.stage = TargetAccount.Stage.NO_SHOW
        if target.status not in ("WON", "LOST") and statuses & {"held", "checked_in", "confirmed"}:
            target.status = TargetAccount.Status.MEETING_SCHEDULED
    TargetAccount.objects.bulk_update(targets, ["stage", "status"])
