"""Shows for programs."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field, field_validator

from common.envelopes import Answer, Paginated, paginated
from common.paging import keyset_page
from common.schemas import ApiSchema
from events import services
from events.models import Event, EventCost
from identity.apiauth import Scope, member
from identity.models import Role
from identity.web import OrgRequest

router = Router(tags=["Events"])


class CostBody(ApiSchema):
    """One cost, in the organization's currency."""

    kind: EventCost.Kind = EventCost.Kind.OTHER
    description: str = Field("", max_length=200)
    amount: Decimal = Field(ge=0, max_digits=12, decimal_places=2, examples=["12500.00"])


class EventFields(ApiSchema):
    name: str = Field(min_length=1, max_length=200, examples=["TechExpo 2026"])
    starts_on: date = Field(examples=["2026-12-08"])
    ends_on: date = Field(examples=["2026-12-10"])
    time_zone: str = Field("UTC", examples=["Europe/Berlin"])
    venue: str = Field("", max_length=200)
    city: str = Field("", max_length=120)
    country: str = Field("", max_length=80)
    website: str = Field("", max_length=200, pattern=r"^(https?://\S+)?$")
    booth: str = Field("", max_length=60, examples=["A-123"])
    goal_meetings: int = Field(0, ge=0, le=1_000_000)
    goal_leads: int = Field(0, ge=0, le=1_000_000)
    notes: str = Field("", max_length=20_000)
    costs: list[CostBody] = Field(default_factory=list, max_length=60)

    @field_validator("time_zone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("This is not a time zone. Use a name such as Europe/Berlin.")
        return value


class EventPatch(ApiSchema):
    """What is left out stays as it is; ``costs`` replaces the whole list."""

    name: str | None = Field(None, min_length=1, max_length=200, examples=["TechExpo 2026"])
    starts_on: date | None = Field(None, examples=["2026-12-08"])
    ends_on: date | None = Field(None, examples=["2026-12-10"])
    time_zone: str | None = Field(None, examples=["Europe/Berlin"])
    venue: str | None = Field(None, max_length=200)
    city: str | None = Field(None, max_length=120)
    country: str | None = Field(None, max_length=80)
    website: str | None = Field(None, max_length=200, pattern=r"^(https?://\S+)?$")
    booth: str | None = Field(None, max_length=60)
    goal_meetings: int | None = Field(None, ge=0, le=1_000_000)
    goal_leads: int | None = Field(None, ge=0, le=1_000_000)
    notes: str | None = Field(None, max_length=20_000)
    costs: list[CostBody] | None = Field(None, max_length=60)

    @field_validator("time_zone")
    @classmethod
    def known_zone(cls, value: str | None) -> str | None:
        return EventFields.known_zone(value) if value is not None else None


class EventOut(ApiSchema):
    """A show. Its dates are days in its own time zone."""

    id: UUID
    name: str
    slug: str
    starts_on: date
    ends_on: date
    time_zone: str
    venue: str
    city: str
    country: str
    website: str
    booth: str
    goal_meetings: int
    goal_leads: int
    notes: str
    costs: list[CostBody]

    @staticmethod
    def resolve_costs(event: Event) -> list[EventCost]:
        return list(event.costs.all())


@router.get("", auth=member(Scope.READ), response=Paginated[EventOut], by_alias=True, summary="List shows")
def list_events(request: OrgRequest, limit: int = 50, cursor: str = "") -> dict[str, Any]:
    """The latest first."""
    rows = Event.objects.for_org(request.organization).prefetch_related("costs")
    page = keyset_page(rows, sort=["-starts_on"], limit=limit, cursor=cursor)
    return paginated(page.items, total=rows.count(), page_size=max(1, min(limit, 200)), next_cursor=page.next_cursor)


@router.post(
    "",
    auth=member(Scope.WRITE, role=Role.MANAGER),
    response={201: Answer[EventOut]},
    by_alias=True,
    summary="Add a show",
)
def create_event(request: OrgRequest, body: EventFields) -> Status[dict[str, Any]]:
    """409 when another show has this name."""
    _check_days(body.starts_on, body.ends_on)
    fields, costs = body.dict(exclude={"costs"}), [services.Cost(**cost.dict()) for cost in body.costs]
    try:
        event = services.create_event(request.organization, actor=request.user, fields=fields, costs=costs)
    except services.NameTaken as error:
        raise HttpError(409, str(error)) from error
    return Status(201, {"data": event})


@router.get("/{event_id}", auth=member(Scope.READ), response=Answer[EventOut], by_alias=True, summary="One show")
def get_event(request: OrgRequest, event_id: UUID) -> dict[str, Any]:
    return {"data": _find(request, event_id)}


@router.patch(
    "/{event_id}", auth=member(Scope.WRITE, role=Role.MANAGER), response=Answer[EventOut], by_alias=True,
    summary="Change a show",
)  # fmt: skip
def change_event(request: OrgRequest, event_id: UUID, body: EventPatch) -> dict[str, Any]:
    event = _find(request, event_id)
    given = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    costs = [services.Cost(**cost) for cost in given.pop("costs")] if "costs" in given else None
    _check_days(given.get("starts_on", event.starts_on), given.get("ends_on", event.ends_on))
    try:
        services.update_event(event, fields=given, costs=costs)
    except services.NameTaken as error:
        raise HttpError(409, str(error)) from error
    return {"data": _find(request, event_id)}


def _check_days(first: date, last: date) -> None:
    if last < first:
        raise HttpError(422, "endsOn is before startsOn.")


def _find(request: OrgRequest, event_id: UUID) -> Event:
    event = Event.objects.for_org(request.organization).filter(pk=event_id).first()
    if event is None:
        raise HttpError(404, "Event not found")
    return event
