"""Meetings for programs. Field names and status words are those callers know; times are UTC."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import AwareDatetime, ConfigDict, Field

from accounts.models import Account
from common.envelopes import Answer, Paginated, paginated
from common.paging import keyset_page
from events.models import Event
from identity.apiauth import Scope, member
from identity.models import User
from identity.web import OrgRequest
from meetings import services
from meetings.availability import reps_of
from meetings.calendars import as_ics
from meetings.models import BoothTable, Meeting
from people.models import Person

router = Router(tags=["Meetings"])

WORDS = {
    Meeting.Status.REQUESTED: "REQUESTED",
    Meeting.Status.CONFIRMED: "SCHEDULED",
    Meeting.Status.CHECKED_IN: "CHECKED_IN",
    Meeting.Status.HELD: "COMPLETED",
    Meeting.Status.NO_SHOW: "NO_SHOW",
    Meeting.Status.CANCELLED: "CANCELLED",
}
"""Our status and what the API calls it."""
STATUSES = {word: status for status, word in WORDS.items()} | {status.value.upper(): status for status in WORDS}

_EXAMPLE: dict[str, Any] = {
    "eventId": "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10", "personId": "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e11",
    "scheduledAt": "2026-12-08T09:00:00Z", "duration": 30, "tableId": None, "location": "At their stand",
    "meetingType": "INTRO", "status": "SCHEDULED", "notes": "Bring the data sheet.",
}  # fmt: skip


class MeetingOut(Schema):
    """A meeting. ``personId`` is the first contact, ``personIds`` everybody from the other side of the table."""

    id: UUID
    eventId: UUID  # noqa: N815 - the names callers know, here and below
    accountId: UUID | None  # noqa: N815
    personId: UUID | None  # noqa: N815
    personIds: list[UUID]  # noqa: N815
    title: str
    scheduledAt: datetime  # noqa: N815
    endsAt: datetime  # noqa: N815
    duration: int = Field(description="Minutes.")
    location: str
    tableId: UUID | None  # noqa: N815
    table: str
    repId: UUID | None  # noqa: N815
    rep: str
    status: str = Field(description="REQUESTED, SCHEDULED, CHECKED_IN, COMPLETED, NO_SHOW or CANCELLED.")
    meetingType: str  # noqa: N815
    notes: str
    outcome: str
    cancelledAt: datetime | None  # noqa: N815
    checkedInAt: datetime | None  # noqa: N815
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815


class MeetingIn(Schema):
    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    eventId: UUID  # noqa: N815
    personId: UUID | None = None  # noqa: N815
    personIds: list[UUID] = Field(default_factory=list, max_length=50)  # noqa: N815
    accountId: UUID | None = Field(None, description="The account of the first person by default.")  # noqa: N815
    scheduledAt: AwareDatetime  # noqa: N815
    duration: int = Field(services.DEFAULT_MINUTES, ge=1, le=1440, description="Minutes.")
    location: str = Field("", max_length=200)
    tableId: UUID | None = None  # noqa: N815
    repId: UUID | None = Field(None, description="The caller by default.")  # noqa: N815
    title: str = Field("", max_length=200)
    meetingType: Meeting.Type = Meeting.Type.INTRO  # noqa: N815
    status: str = Field("SCHEDULED", description="SCHEDULED, or REQUESTED while they have not agreed yet.")
    notes: str = Field("", max_length=10_000)


class MeetingPatch(Schema):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"example": {"scheduledAt": "2026-12-08T10:00:00Z", "duration": 45}})

    personIds: list[UUID] | None = Field(None, max_length=50)  # noqa: N815
    scheduledAt: AwareDatetime | None = None  # noqa: N815
    duration: int | None = Field(None, ge=1, le=1440)
    location: str | None = Field(None, max_length=200)
    tableId: UUID | None = None  # noqa: N815
    repId: UUID | None = None  # noqa: N815
    title: str | None = Field(None, max_length=200)
    meetingType: Meeting.Type | None = None  # noqa: N815
    status: str | None = None
    notes: str | None = Field(None, max_length=10_000)
    outcome: str | None = Field(None, max_length=10_000)


class Reason(Schema):
    """Said with an action: why it was cancelled, or what came of it."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "They are not coming to the show"}})

    reason: str = Field("", max_length=200)
    outcome: str = Field("", max_length=10_000)
    tell: bool = Field(False, description="Mail the change to the attendees' calendars.")


class Chosen(Schema):
    eventId: UUID | None = None  # noqa: N815
    accountId: UUID | None = None  # noqa: N815
    personId: UUID | None = None  # noqa: N815
    repId: UUID | None = None  # noqa: N815
    tableId: UUID | None = None  # noqa: N815
    status: str | None = None
    since: AwareDatetime | None = Field(None, description="Beginning at or after this moment.")
    until: AwareDatetime | None = Field(None, description="Beginning before this moment.")


@router.get("", auth=member(Scope.READ), response=Paginated[MeetingOut], summary="List meetings")
def list_meetings(request: OrgRequest, chosen: Query[Chosen], limit: int = 50, cursor: str = "") -> dict[str, Any]:
    """By time, the earliest first."""
    rows = _narrowed(Meeting.objects.for_org(request.organization), chosen)
    page = keyset_page(rows.for_page(), sort=["starts_at"], limit=limit, cursor=cursor)
    items = [_out(meeting) for meeting in page.items]
    return paginated(items, total=rows.count(), page_size=max(1, min(limit, 200)), next_cursor=page.next_cursor)


@router.post("", auth=member(Scope.WRITE), response={201: Answer[MeetingOut]}, summary="Book a meeting")
def create_meeting(request: OrgRequest, body: MeetingIn) -> Status[dict[str, Any]]:
    """Answers 409 when the rep or the table is taken then, saying by what and what is free."""
    status = _status(body.status)
    if status not in Meeting.UPCOMING:
        raise HttpError(422, "A new meeting is SCHEDULED or REQUESTED.")
    ids = list(dict.fromkeys([*([body.personId] if body.personId else []), *body.personIds]))
    plan = services.Plan(
        event=_one(request, Event, body.eventId, "show"),
        account=_one(request, Account, body.accountId, "account") if body.accountId else None,
        people=_people(request, ids),
        starts_at=body.scheduledAt,
        ends_at=body.scheduledAt + timedelta(minutes=body.duration),
        rep=_rep(request, body.repId) if body.repId else request.user,
        table=_one(request, BoothTable, body.tableId, "table") if body.tableId else None,
        location=body.location,
        title=body.title,
        meeting_type=body.meetingType,
        notes=body.notes,
    )
    book = services.book if status == Meeting.Status.CONFIRMED else services.request_meeting
    with _as_problem():
        meeting = book(plan, actor=request.user)
    return Status(201, {"data": _out(_find(request, meeting.pk))})


@router.get("/{meeting_id}", auth=member(Scope.READ), response=Answer[MeetingOut], summary="One meeting")
def get_meeting(request: OrgRequest, meeting_id: UUID) -> dict[str, Any]:
    return {"data": _out(_find(request, meeting_id))}


@router.get("/{meeting_id}/calendar.ics", auth=member(Scope.READ), summary="The meeting as a calendar file")
def get_calendar(request: OrgRequest, meeting_id: UUID) -> HttpResponse:
    return HttpResponse(as_ics(_find(request, meeting_id)), content_type="text/calendar; charset=utf-8")


@router.patch("/{meeting_id}", auth=member(Scope.WRITE), response=Answer[MeetingOut], summary="Change a meeting")
def change_meeting(request: OrgRequest, meeting_id: UUID, body: MeetingPatch) -> dict[str, Any]:
    """A new time, place or rep counts as moved. A ``status`` does what the action of that name does."""
    meeting, given = _find(request, meeting_id), body.dict(exclude_unset=True)
    with _as_problem():
        if given.keys() - {"status", "outcome"}:
            meeting = services.change(meeting, _changed_plan(request, meeting, body, given), actor=request.user)
        if body.outcome is not None:
            meeting.outcome = body.outcome
            meeting.save(update_fields=["outcome", "updated_at"])
        if body.status is not None and _status(body.status) != meeting.status:
            _ACTIONS[_action_to(_status(body.status), meeting)](
                meeting, request.user, Reason(reason="", outcome="", tell=False)
            )
    return {"data": _out(_find(request, meeting_id))}


@router.post(
    "/{meeting_id}/{action}", auth=member(Scope.WRITE), response=Answer[MeetingOut], summary="Move a meeting on"
)
def act_on_meeting(request: OrgRequest, meeting_id: UUID, action: str, body: Reason | None = None) -> dict[str, Any]:
    """``confirm``, ``check-in``, ``held``, ``no-show``, ``cancel`` or ``reopen``; ``invite`` mails it to the attendees."""
    meeting, said = _find(request, meeting_id), body or Reason(reason="", outcome="", tell=False)
    if action not in _ACTIONS:
        raise HttpError(404, "No such action.")
    with _as_problem():
        meeting = _ACTIONS[action](meeting, request.user, said)
        if said.tell or action == "invite":
            services.send_invitations(meeting, actor=request.user)
    return {"data": _out(_find(request, meeting_id))}


_ACTIONS: dict[str, Any] = {
    "confirm": lambda meeting, actor, said: services.confirm(meeting, actor=actor),
    "check-in": lambda meeting, actor, said: services.check_in(meeting, actor=actor),
    "held": lambda meeting, actor, said: services.hold(meeting, actor=actor, outcome=said.outcome),
    "no-show": lambda meeting, actor, said: services.mark_no_show(meeting, actor=actor),
    "cancel": lambda meeting, actor, said: services.cancel(meeting, actor=actor, reason=said.reason),
    "reopen": lambda meeting, actor, said: services.reopen(meeting, actor=actor),
    "invite": lambda meeting, actor, said: meeting,
}


def _action_to(status: Meeting.Status, meeting: Meeting) -> str:
    if status == Meeting.Status.CONFIRMED:
        return "confirm" if meeting.status == Meeting.Status.REQUESTED else "reopen"
    if status == Meeting.Status.REQUESTED:
        raise HttpError(422, "A meeting cannot go back to REQUESTED.")
    names = {"checked_in": "check-in", "held": "held", "no_show": "no-show", "cancelled": "cancel"}
    return names[status.value]


def _narrowed(rows: Any, chosen: Chosen) -> Any:
    same = {
        "event_id": chosen.eventId, "account_id": chosen.accountId, "rep_id": chosen.repId, "table_id": chosen.tableId,
        "attendees__person_id": chosen.personId, "starts_at__gte": chosen.since, "starts_at__lt": chosen.until,
        "status": _status(chosen.status) if chosen.status else None,
    }  # fmt: skip
    return rows.filter(**{name: value for name, value in same.items() if value is not None})


def _changed_plan(request: OrgRequest, meeting: Meeting, body: MeetingPatch, given: dict[str, Any]) -> services.Plan:
    starts_at = body.scheduledAt or meeting.starts_at
    minutes = body.duration or meeting.minutes
    there = [attendee.person for attendee in meeting.attendees.all()]
    rep = _rep(request, body.repId) if body.repId else None
    table = _one(request, BoothTable, body.tableId, "table") if body.tableId else None
    return services.Plan(
        event=meeting.event,
        account=meeting.account,
        people=_people(request, body.personIds) if body.personIds is not None else there,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        rep=rep if "repId" in given else meeting.rep,
        table=table if "tableId" in given else meeting.table,
        location=meeting.location if body.location is None else body.location,
        title=meeting.title if body.title is None else body.title,
        meeting_type=body.meetingType or meeting.meeting_type,
        notes=meeting.notes if body.notes is None else body.notes,
    )


class _as_problem:  # noqa: N801 - reads as the words it stands for
    """Turn what a service refuses into the answer: 409 when something is taken, 422 otherwise."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, services.Taken):
            raise HttpError(409, str(error)) from error
        if isinstance(error, services.Refused):
            raise HttpError(422, str(error)) from error


def _find(request: OrgRequest, pk: UUID) -> Meeting:
    return get_object_or_404(Meeting.objects.for_org(request.organization).for_page(), pk=pk)


def _one(request: OrgRequest, model: Any, pk: UUID, name: str) -> Any:
    found = model.objects.for_org(request.organization).filter(pk=pk).first()
    if found is None:
        raise HttpError(422, f"There is no {name} with this id.")
    return found


def _people(request: OrgRequest, ids: list[UUID]) -> list[Person]:
    rows: QuerySet[Person] = Person.objects.for_org(request.organization).select_related("account")
    found = rows.in_bulk(ids)
    if len(found) < len(set(ids)):
        raise HttpError(422, "There is no person with one of these ids.")
    return [found[pk] for pk in dict.fromkeys(ids)]


def _rep(request: OrgRequest, pk: UUID) -> User:
    found = next((rep for rep in reps_of(request.organization.pk) if rep.pk == pk), None)
    if found is None:
        raise HttpError(422, "There is no member with this id who can sit in a meeting.")
    return found


def _status(word: str) -> Meeting.Status:
    if word.upper() not in STATUSES:
        raise HttpError(422, f"The status is one of {', '.join(WORDS.values())}.")
    return STATUSES[word.upper()]


def _out(meeting: Meeting) -> dict[str, Any]:
    people = [attendee.person_id for attendee in meeting.attendees.all()]
    return {
        "id": meeting.pk,
        "eventId": meeting.event_id,
        "accountId": meeting.account_id,
        "personId": people[0] if people else None,
        "personIds": people,
        "title": meeting.title,
        "scheduledAt": meeting.starts_at,
        "endsAt": meeting.ends_at,
        "duration": meeting.minutes,
        "location": meeting.location,
        "tableId": meeting.table_id,
        "table": meeting.table.name if meeting.table else "",
        "repId": meeting.rep_id,
        "rep": str(meeting.rep or ""),
        "status": WORDS[Meeting.Status(meeting.status)],
        "meetingType": meeting.meeting_type,
        "notes": meeting.notes,
        "outcome": meeting.outcome,
        "cancelledAt": meeting.cancelled_at,
        "checkedInAt": meeting.checked_in_at,
        "createdAt": meeting.created_at,
        "updatedAt": meeting.updated_at,
    }
