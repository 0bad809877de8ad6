"""What can be asked for around a meeting. Every change tells the timeline and moves the account along the show's stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Account, TargetAccount
from activities.models import Task
from common.happenings import Happening, Kind, announce
from events.models import Event
from identity.models import Membership, Role, User
from meetings.availability import Conflict, Offers, conflicts, offers
from meetings.models import Attendee, BoothTable, Invitation, Meeting
from meetings.tasks import send_invitation
from people.models import Person

Status = Meeting.Status
DEFAULT_MINUTES = 30
LONGEST = timedelta(hours=24)


class Refused(Exception):
    """Nothing was changed; the text says why in words for the person who asked."""


class Taken(Refused):
    """The rep or the table sits in another meeting then."""

    def __init__(self, found: Sequence[Conflict], free: Offers) -> None:
        super().__init__(" ".join([*(str(conflict) for conflict in found), str(free)]))
        self.conflicts, self.offers = list(found), free


class NotAMember(Refused):
    """The rep is no active member of the organization, or a viewer."""


class NobodyToMeet(Refused):
    """Neither a person nor an account was given."""


class BadSpan(Refused):
    """It ends before it begins, or lasts more than a day."""


class TableUnfit(Refused):
    """The table belongs to another show, is closed, or has too few seats."""


class WrongStatus(Refused):
    """The meeting is not in a state from which this can be done."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a meeting should be. The first of ``people`` is the primary attendee; their account is the default one."""

    event: Event
    starts_at: datetime
    ends_at: datetime
    people: Sequence[Person] = ()
    account: Account | None = None
    rep: User | None = None
    table: BoothTable | None = None
    location: str = ""
    title: str = ""
    meeting_type: str = Meeting.Type.INTRO
    notes: str = ""

    @property
    def target(self) -> Account | None:
        return self.account or next((person.account for person in self.people if person.account), None)

    @property
    def name(self) -> str:
        """The title that was given, or one from whom it is with."""
        if self.title.strip():
            return self.title.strip()[:200]
        who = str(self.target or "") or ", ".join(person.name for person in self.people)
        return f"{Meeting.Type(self.meeting_type).label} with {who}"[:200]


# --- Planning ---------------------------------------------------------------------------------------------------------


def request_meeting(plan: Plan, *, actor: User | None) -> Meeting:
    """Put the meeting in the calendar as asked for; it keeps its place but still needs a yes. Raises ``Refused``."""
    return _create(plan, status=Status.REQUESTED, actor=actor)


def book(plan: Plan, *, actor: User | None) -> Meeting:
    """Put the meeting in the calendar as agreed. Raises ``Refused``; ``Taken`` says by what and what is free."""
    return _create(plan, status=Status.CONFIRMED, actor=actor)


@transaction.atomic
def _create(plan: Plan, *, status: Meeting.Status, actor: User | None) -> Meeting:
    _check(plan)
    _one_booking_at_a_time(plan.event.organization_id)
    meeting = Meeting(organization_id=plan.event.organization_id, status=status, created_by=actor)
    _place(meeting, plan)
    Attendee.objects.bulk_create(
        Attendee(organization_id=meeting.organization_id, meeting=meeting, person=person, is_primary=number == 0)
        for number, person in enumerate(plan.people)
    )
    word = "requested" if status == Status.REQUESTED else "booked"
    _tell(meeting, Kind.MEETING_SCHEDULED, f"{meeting.title}: {word} for {_words(meeting)}", actor)
    _follow_account(meeting)
    return meeting


@transaction.atomic
def change(meeting: Meeting, plan: Plan, *, actor: User | None) -> Meeting:
    """Make the meeting what ``plan`` says. A new time, place or rep counts as moved: calendars must be told.

    Raises ``Refused``; a meeting that is over or cancelled cannot be moved, only its words changed.
    """
    _check(plan, keeps=meeting.table_id)
    _one_booking_at_a_time(meeting.organization_id)
    meeting = _locked(meeting)
    before = _whereabouts(meeting)
    account = meeting.account_id
    if (plan.starts_at, plan.ends_at) != (meeting.starts_at, meeting.ends_at) and not meeting.is_open:
        raise WrongStatus(
            f"This meeting is {meeting.get_status_display().lower()}; book a new one instead of moving it."
        )
    _place(meeting, plan)
    people_changed = _set_people(meeting, plan.people)
    if _whereabouts(meeting) != before:
        meeting.sequence += 1
        meeting.save(update_fields=["sequence", "updated_at"])
        _tell(meeting, Kind.MEETING_MOVED, f"{meeting.title}: moved to {_words(meeting)}", actor)
    elif people_changed:
        meeting.sequence += 1
        meeting.save(update_fields=["sequence", "updated_at"])
    _follow_account(meeting)
    if account and account != meeting.account_id:
        _follow(meeting.organization_id, meeting.event_id, account)
    return meeting


def _check(plan: Plan, *, keeps: UUID | None = None) -> None:
    if not plan.people and plan.account is None:
        raise NobodyToMeet("Choose at least one person or a company to meet.")
    if plan.ends_at <= plan.starts_at:
        raise BadSpan("The meeting must end after it begins.")
    if plan.ends_at - plan.starts_at > LONGEST:
        raise BadSpan("A meeting lasts at most a day.")
    if plan.rep:
        member = Membership.objects.for_org(plan.event.organization_id).filter(user=plan.rep, is_active=True).first()
        if member is None or not member.may(Role.REP):
            raise NotAMember(f"{plan.rep} cannot be booked: choose an active member with the role rep or higher.")
    table = plan.table
    if table:
        if table.event_id != plan.event.pk:
            raise TableUnfit(f"{table.name} does not belong to {plan.event.name}.")
        if not table.is_active and table.pk != keeps:
            raise TableUnfit(f"{table.name} cannot be booked any more. Choose another table.")
        if len(plan.people) + bool(plan.rep) > table.seats:
            raise TableUnfit(
                f"{table.name} has {table.seats} seats, but {len(plan.people) + bool(plan.rep)} people would sit there."
            )


def _one_booking_at_a_time(organization_id: UUID) -> None:
    """Bookings of one organization queue up, so that two at once get a clear answer instead of a deadlock.

    The database's exclusion constraints hold without it; they are what refuses.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"meetings {organization_id}"])


def _place(meeting: Meeting, plan: Plan) -> None:
    """Write the plan to the row, or raise ``Taken`` when the database refuses."""
    meeting.event, meeting.account = plan.event, plan.target
    meeting.title, meeting.meeting_type = plan.name, plan.meeting_type
    meeting.starts_at, meeting.ends_at = plan.starts_at, plan.ends_at
    meeting.rep, meeting.table, meeting.location = plan.rep, plan.table, plan.location.strip()[:200]
    meeting.notes = plan.notes
    _save_or_taken(meeting)


def _save_or_taken(meeting: Meeting) -> None:
    wish: dict[str, Any] = {
        "event": meeting.event, "starts_at": meeting.starts_at, "ends_at": meeting.ends_at, "rep": meeting.rep,
        "table": meeting.table, "besides": meeting,
    }  # fmt: skip
    if meeting.status in Meeting.OCCUPYING and (found := conflicts(**wish)):
        raise Taken(found, offers(**wish))
    try:
        with transaction.atomic():
            meeting.save()
    except IntegrityError as error:
        if "_at_a_time" not in str(error):
            raise
        raise Taken(conflicts(**wish), offers(**wish)) from error


def _set_people(meeting: Meeting, people: Sequence[Person]) -> bool:
    there = {attendee.person_id: attendee for attendee in meeting.attendees.all()}
    wanted = [person.pk for person in people]
    if list(there) == wanted:
        return False
    meeting.attendees.exclude(person__in=wanted).delete()
    meeting.attendees.update(is_primary=False)
    Attendee.objects.bulk_create(
        Attendee(organization_id=meeting.organization_id, meeting=meeting, person=person)
        for person in people
        if person.pk not in there
    )
    if wanted:
        meeting.attendees.filter(person=wanted[0]).update(is_primary=True)
    return True


def _whereabouts(meeting: Meeting) -> tuple[Any, ...]:
    return meeting.starts_at, meeting.ends_at, meeting.table_id, meeting.location, meeting.rep_id


# --- What becomes of it -----------------------------------------------------------------------------------------------


@transaction.atomic
def confirm(meeting: Meeting, *, actor: User | None) -> Meeting:
    """They said yes. Raises ``WrongStatus`` unless it was requested."""
    meeting = _locked(meeting)
    _demand(meeting, Status.REQUESTED)
    return _become(meeting, Status.CONFIRMED, Kind.MEETING_CONFIRMED, "confirmed", actor)


@transaction.atomic
def check_in(meeting: Meeting, *, actor: User | None, at: datetime | None = None) -> Meeting:
    """They are here. ``at`` is when it happened, if that was earlier than now. Raises ``WrongStatus``, ``Taken``."""
    meeting = _locked(meeting)
    _demand(meeting, Status.REQUESTED, Status.CONFIRMED, Status.NO_SHOW)
    meeting.checked_in_at = min(at or timezone.now(), timezone.now())
    return _become(meeting, Status.CHECKED_IN, None, "", actor)


@transaction.atomic
def hold(meeting: Meeting, *, actor: User | None, outcome: str = "") -> Meeting:
    """It took place; ``outcome`` says what came of it. Raises ``WrongStatus``, ``Taken``."""
    meeting = _locked(meeting)
    _demand(meeting, Status.REQUESTED, Status.CONFIRMED, Status.CHECKED_IN, Status.NO_SHOW)
    meeting.outcome = outcome.strip() or meeting.outcome
    return _become(meeting, Status.HELD, Kind.MEETING_COMPLETED, "held", actor)


@transaction.atomic
def mark_no_show(meeting: Meeting, *, actor: User | None) -> Meeting:
    """Nobody came. Leaves its rep (or ``actor``) a task to follow up the same day. Raises ``WrongStatus``."""
    meeting = _locked(meeting)
    _demand(meeting, Status.REQUESTED, Status.CONFIRMED)
    if meeting.starts_at > timezone.now():
        raise WrongStatus("This meeting has not begun yet, so nobody can have missed it.")
    _become(meeting, Status.NO_SHOW, Kind.MEETING_NO_SHOW, "nobody came", actor)
    primary = meeting.attendees.select_related("person").first()
    who = primary.person if primary else None
    task = Task.objects.create(
        organization_id=meeting.organization_id,
        title=f"Offer {who or meeting.account} a new time after the no-show"[:200],
        due_on=timezone.now().astimezone(meeting.event.zone).date(),
        assignee=meeting.rep or actor,
        event=meeting.event,
        account=meeting.account,
        person=who,
    )
    _tell(meeting, Kind.TASK_ADDED, task.title, actor)
    return meeting


@transaction.atomic
def cancel(meeting: Meeting, *, actor: User | None, reason: str = "") -> Meeting:
    """It will not take place; rep and table are free again. Raises ``WrongStatus``."""
    meeting = _locked(meeting)
    _demand(meeting, Status.REQUESTED, Status.CONFIRMED, Status.CHECKED_IN)
    meeting.cancelled_at, meeting.cancel_reason = timezone.now(), reason.strip()[:200]
    meeting.sequence += 1
    words = f"cancelled, {meeting.cancel_reason}" if meeting.cancel_reason else "cancelled"
    return _become(meeting, Status.CANCELLED, Kind.MEETING_CANCELLED, words, actor)


@transaction.atomic
def reopen(meeting: Meeting, *, actor: User | None) -> Meeting:
    """Take back a check-in, a no-show, an end or a cancellation. Raises ``WrongStatus``, or ``Taken`` if its place is gone."""
    meeting = _locked(meeting)
    _demand(meeting, Status.CHECKED_IN, Status.HELD, Status.NO_SHOW, Status.CANCELLED)
    if meeting.status == Status.CANCELLED:
        meeting.sequence += 1
    meeting.cancelled_at, meeting.cancel_reason, meeting.checked_in_at = None, "", None
    return _become(meeting, Status.CONFIRMED, Kind.MEETING_CONFIRMED, "open again", actor)


def _locked(meeting: Meeting) -> Meeting:
    rows = Meeting.objects.for_org(meeting.organization_id).select_related("event", "account", "rep", "table")
    return rows.select_for_update(of=("self",)).get(pk=meeting.pk)


def _demand(meeting: Meeting, *allowed: Meeting.Status) -> None:
    if meeting.status not in allowed:
        raise WrongStatus(f"This meeting is already {meeting.get_status_display().lower()}.")


def _become(meeting: Meeting, status: Meeting.Status, kind: Kind | None, words: str, actor: User | None) -> Meeting:
    meeting.status = status
    _save_or_taken(meeting)
    if kind:
        _tell(meeting, kind, f"{meeting.title}: {words}", actor)
    _follow_account(meeting)
    return meeting


def _tell(meeting: Meeting, kind: Kind, summary: str, actor: User | None) -> None:
    primary = meeting.attendees.first()
    announce(
        Happening(
            kind=kind,
            organization_id=meeting.organization_id,
            actor_id=actor.pk if actor else None,
            event_id=meeting.event_id,
            account_id=meeting.account_id,
            person_id=primary.person_id if primary else None,
            summary=summary,
            data={"meeting": str(meeting.pk), "status": meeting.status},
        )
    )


def _words(meeting: Meeting) -> str:
    begin = meeting.local_start
    place = f", {meeting.where}" if meeting.where else ""
    return f"{begin:%a} {begin.day} {begin:%b}, {begin:%H:%M}{place}"


# --- The account's stage ----------------------------------------------------------------------------------------------


def _follow_account(meeting: Meeting) -> None:
    if meeting.account_id:
        _follow(meeting.organization_id, meeting.event_id, meeting.account_id)


def _follow(organization_id: UUID, event_id: UUID, account_id: UUID) -> None:
    """Set stage and status of the account at the show from all its meetings there; a result (won, lost) stays."""
    account = Account.objects.for_org(organization_id).get(pk=account_id)
    target, _ = TargetAccount.objects.select_for_update(of=("self",)).get_or_create(
        organization_id=organization_id,
        event_id=event_id,
        account=account,
        defaults={"name_norm": account.name_norm},
    )
    statuses = set(
        Meeting.objects.for_org(organization_id)
        .filter(event_id=event_id, account_id=account_id)
        .values_list("status", flat=True)
    )
    stage, status = _stage_after(statuses, target), _status_after(statuses, target)
    if (stage, status) != (target.stage, target.status):
        target.stage, target.status = stage, status
        target.save(update_fields=["stage", "status", "updated_at"])


def _stage_after(statuses: set[str], target: TargetAccount) -> str:
    if statuses & {Status.CHECKED_IN, Status.HELD}:
        return TargetAccount.Stage.CHECKED_IN
    if Status.CONFIRMED in statuses:
        return TargetAccount.Stage.BOOKED
    if Status.NO_SHOW in statuses:
        return TargetAccount.Stage.NO_SHOW
    driven = (TargetAccount.Stage.BOOKED, TargetAccount.Stage.CHECKED_IN, TargetAccount.Stage.NO_SHOW)
    return TargetAccount.Stage.QUALIFIED if target.stage in driven else target.stage


def _status_after(statuses: set[str], target: TargetAccount) -> str:
    if target.status in (TargetAccount.Status.WON, TargetAccount.Status.LOST):
        return target.status
    if statuses & {Status.CONFIRMED, Status.CHECKED_IN, Status.HELD}:
        return TargetAccount.Status.MEETING_SCHEDULED
    if target.status == TargetAccount.Status.MEETING_SCHEDULED:
        return TargetAccount.Status.ENGAGED
    return target.status


# --- Calendar mails ---------------------------------------------------------------------------------------------------


@transaction.atomic
def send_invitations(meeting: Meeting, *, actor: User) -> list[Invitation]:
    """Mail the meeting as it is now to its attendees' calendars; a cancelled one goes only to who was invited.

    Asking twice sends once: a mail is one row per attendee and change. What failed before is tried again.
    """
    meeting = _locked(meeting)
    cancelled = meeting.status == Status.CANCELLED
    method = Invitation.Method.CANCEL if cancelled else Invitation.Method.REQUEST
    attendees = meeting.attendees.exclude(person__email_norm="")
    if cancelled:
        attendees = attendees.filter(
            invitations__method=Invitation.Method.REQUEST, invitations__status="sent"
        ).distinct()
    queued = []
    for attendee in attendees:
        invitation, created = Invitation.objects.get_or_create(
            organization_id=meeting.organization_id,
            attendee=attendee,
            method=method,
            sequence=meeting.sequence,
            defaults={"meeting": meeting, "requested_by": actor},
        )
        if not created and invitation.status == Invitation.Status.FAILED:
            invitation.status, invitation.error = Invitation.Status.QUEUED, ""
            invitation.save(update_fields=["status", "error", "updated_at"])
        if invitation.status == Invitation.Status.QUEUED:
            queued.append(invitation)
    for invitation in queued:
        transaction.on_commit(_bell(invitation.pk))
    return queued


def _bell(invitation_id: UUID) -> Any:
    return lambda: send_invitation.delay(str(invitation_id))


def was_invited(meeting: Meeting) -> bool:
    """Whether somebody has this meeting in their calendar by a mail of ours."""
    return meeting.invitations.filter(
        method=Invitation.Method.REQUEST, status__in=[Invitation.Status.SENT, Invitation.Status.UNKNOWN]
    ).exists()
