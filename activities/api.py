"""The timeline, notes and to-dos for programs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import AwareDatetime, Field

from accounts.api import find_account, find_event, find_owner
from activities import booth, services
from activities.models import Activity, BoothVisit, Task
from common.envelopes import Answer, Paginated, paginated
from common.happenings import Kind
from common.lists import capped_count
from common.paging import keyset_page
from common.schemas import ApiSchema
from identity.apiauth import Scope, member
from identity.web import OrgRequest
from people.api import find_person
from people.models import Person

router = Router(tags=["Activities"])
notes = Router(tags=["Activities"])
tasks = Router(tags=["Activities"])
booth_visits = Router(tags=["Activities"])


class ActivityOut(ApiSchema):
    """One entry of the timeline. ``data`` holds plain values that depend on the kind."""

    id: UUID
    kind: str = Field(alias="type")
    description: str
    user_name: str
    event_id: UUID | None
    account_id: UUID | None
    person_id: UUID | None
    data: dict[str, Any] = Field(alias="metadata")
    occurred_at: datetime

    @staticmethod
    def resolve_description(activity: Activity) -> str:
        return str(activity)

    @staticmethod
    def resolve_user_name(activity: Activity) -> str:
        return str(activity.actor) if activity.actor else ""


class NoteIn(ApiSchema):
    """A note about an account or a person."""

    account_id: UUID | None = None
    person_id: UUID | None = None
    event_id: UUID | None = None
    body: str = Field(min_length=1, max_length=20_000, examples=["Wants a demo at the booth."])


class NoteOut(ApiSchema):
    id: UUID
    account_id: UUID | None
    person_id: UUID | None
    body: str
    created_at: datetime


class TaskIn(ApiSchema):
    title: str = Field(min_length=1, max_length=200, examples=["Send the data sheet"])
    due_on: date | None = None
    assigned_to: UUID | None = Field(None, description="Who has to do it; the caller by default.")
    account_id: UUID | None = None
    person_id: UUID | None = None
    event_id: UUID | None = None


class TaskOut(ApiSchema):
    id: UUID
    title: str
    due_on: date | None
    assigned_to: UUID | None
    account_id: UUID | None
    person_id: UUID | None
    event_id: UUID | None
    done_at: datetime | None

    @staticmethod
    def resolve_assigned_to(task: Task) -> UUID | None:
        return task.assignee_id


class BoothVisitIn(ApiSchema):
    """Somebody was at our booth."""

    person_id: UUID
    event_id: UUID
    note: str = Field("", max_length=500, examples=["Wants a demo of the conveyor."])
    met_at: AwareDatetime | None = Field(None, description="Now when it is left out; at most 30 days ago.")


class BoothVisitOut(ApiSchema):
    id: UUID
    person_id: UUID
    event_id: UUID
    rep_id: UUID | None
    note: str
    met_at: datetime


@router.get("", auth=member(Scope.READ), response=Paginated[ActivityOut], by_alias=True, summary="What happened")
def list_activities(
    request: OrgRequest, eventId: UUID | None = None, accountId: UUID | None = None, personId: UUID | None = None,  # noqa: N803
    type: Kind | None = None, limit: int = 50, cursor: str = "",  # noqa: A002
) -> dict[str, Any]:  # fmt: skip
    """The newest first."""
    wanted = {"event_id": eventId, "account_id": accountId, "kind": type}
    rows = Activity.objects.for_org(request.organization).filter(**{k: v for k, v in wanted.items() if v is not None})
    if personId:
        person = Person.objects.for_org(request.organization).filter(pk=personId).first()
        rows = rows.about(person) if person else rows.none()
    page = keyset_page(rows.select_related("actor"), sort=["-occurred_at"], limit=limit, cursor=cursor)
    size = max(1, min(limit, 200))
    return paginated(page.items, total=capped_count(rows).number, page_size=size, next_cursor=page.next_cursor)


@notes.post("", auth=member(Scope.WRITE), response={201: Answer[NoteOut]}, by_alias=True, summary="Write a note")
def create_note(request: OrgRequest, body: NoteIn) -> Status[dict[str, Any]]:
    if not (body.account_id or body.person_id):
        raise HttpError(422, "Say whom the note is about: accountId or personId.")
    try:
        note = services.add_note(
            request.organization.pk, author=request.user, body=body.body, event=find_event(request, body.event_id),
            account=find_account(request, body.account_id) if body.account_id else None,
            person=find_person(request, body.person_id) if body.person_id else None,
        )  # fmt: skip
    except services.NothingToSay as error:
        raise HttpError(422, str(error)) from error
    return Status(201, {"data": note})


@booth_visits.post(
    "",
    auth=member(Scope.WRITE),
    response={200: Answer[BoothVisitOut], 201: Answer[BoothVisitOut]},
    by_alias=True,
    summary="Met at the booth",
)
def create_booth_visit(request: OrgRequest, body: BoothVisitIn) -> Status[dict[str, Any]]:
    """Once a person, show and minute: again within it answers 200 with the same visit, and 201 when it is new.

    The account is held for its owner to decide, and rules that ask for a visit apply a minute later.
    """
    event = find_event(request, body.event_id)
    if event is None:
        raise HttpError(422, "Say at which show: eventId.")
    try:
        visit, is_new = booth.meet(
            find_person(request, body.person_id), event=event, rep=request.user, note=body.note, met_at=body.met_at
        )
    except booth.WrongTime as error:
        raise HttpError(422, str(error)) from error
    return Status(201 if is_new else 200, {"data": visit})


@booth_visits.delete("/{visit_id}", auth=member(Scope.WRITE), response={204: None}, summary="Take a visit back")
def delete_booth_visit(request: OrgRequest, visit_id: UUID) -> Status[None]:
    """Within a minute; later it answers 409."""
    visit = BoothVisit.objects.for_org(request.organization).select_related("person").filter(pk=visit_id).first()
    if visit is None:
        raise HttpError(404, "Visit not found")
    try:
        booth.undo(visit, actor=request.user)
    except booth.TooLate as error:
        raise HttpError(409, str(error)) from error
    return Status(204, None)


@tasks.get("", auth=member(Scope.READ), response=Paginated[TaskOut], by_alias=True, summary="Open tasks")
def list_tasks(
    request: OrgRequest,
    assignedTo: UUID | None = None,  # noqa: N803
    limit: int = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """Those due first stand first; those without a day come last."""
    rows = Task.objects.for_org(request.organization).open()
    if assignedTo:
        rows = rows.filter(assignee_id=assignedTo)
    page = keyset_page(rows, sort=["due_on"], limit=limit, cursor=cursor)
    size = max(1, min(limit, 200))
    return paginated(page.items, total=capped_count(rows).number, page_size=size, next_cursor=page.next_cursor)


@tasks.post("", auth=member(Scope.WRITE), response={201: Answer[TaskOut]}, by_alias=True, summary="Add a task")
def create_task(request: OrgRequest, body: TaskIn) -> Status[dict[str, Any]]:
    try:
        task = services.add_task(
            request.organization.pk, actor=request.user, title=body.title, due_on=body.due_on,
            assignee=find_owner(request, body.assigned_to) or request.user, event=find_event(request, body.event_id),
            account=find_account(request, body.account_id) if body.account_id else None,
            person=find_person(request, body.person_id) if body.person_id else None,
        )  # fmt: skip
    except services.NothingToSay as error:
        raise HttpError(422, str(error)) from error
    return Status(201, {"data": task})


@tasks.post(
    "/{task_id}/done", auth=member(Scope.WRITE), response=Answer[TaskOut], by_alias=True, summary="Tick a task off"
)
def finish_task(request: OrgRequest, task_id: UUID) -> dict[str, Any]:
    """Doing it twice changes nothing."""
    task = Task.objects.for_org(request.organization).filter(pk=task_id).first()
    if task is None:
        raise HttpError(404, "Task not found")
    services.finish_task(task, actor=request.user)
    return {"data": task}
