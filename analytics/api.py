"""The dashboard for programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from analytics import today
from analytics.metrics import Figures
from analytics.services import figures
from events.models import Event
from identity.apiauth import Scope, member
from identity.web import OrgRequest
from meetings.api import WORDS

router = Router(tags=["Analytics"])
dashboards = Router(tags=["Analytics"])


class Totals(Schema):
    model_config = ConfigDict(
        json_schema_extra={"example": {"accounts": 310, "people": 943, "outreach": 1500, "meetings": 83}}
    )

    accounts: int = Field(description="Targeted accounts.")
    people: int = Field(description="People of the targeted accounts.")
    outreach: int = Field(description="Messages, drafts included.")
    meetings: int = Field(description="Meetings that were not cancelled.")


class ResponseRate(Schema):
    """Of the messages sent in the last 30 days (UTC days, today included), how many were answered."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"days": 30, "sent": 1234, "responded": 234, "rate": 18.96}}
    )

    days: int
    sent: int
    responded: int
    rate: float = Field(description="Per cent, two digits; the base is what was sent.")


class TopAccountOut(Schema):
    """An account and its score: meetings * 10 + outreach."""

    id: UUID
    name: str
    meetings: int
    outreach: int
    score: int


class DashboardOut(Schema):
    """What a show came to so far."""

    eventId: UUID  # noqa: N815 - the names callers know, here and below
    totals: Totals
    outreachByStatus: dict[str, int]  # noqa: N815
    meetingsByStatus: dict[str, int]  # noqa: N815
    responseRate: float = Field(description="Per cent over 30 days; the same as `response.rate`.")  # noqa: N815
    response: ResponseRate
    funnel: dict[str, int] = Field(description="Accounts that came so far: targets, contacted, … held.")
    topAccounts: list[TopAccountOut]  # noqa: N815
    computedAt: datetime  # noqa: N815


class Actor(Schema):
    id: UUID
    name: str


class Entry(Schema):
    """One line of the activity feed."""

    id: UUID
    type: str
    summary: str
    user: Actor | None
    accountId: UUID | None  # noqa: N815
    personId: UUID | None  # noqa: N815
    occurredAt: datetime  # noqa: N815


class StatsOut(Schema):
    """The figures over all shows, or of one, with the last 20 activities."""

    totals: Totals
    outreachByStatus: dict[str, int]  # noqa: N815
    meetingsByStatus: dict[str, int]  # noqa: N815
    responseRate: float  # noqa: N815
    activity: list[Entry]


@router.get("/dashboard", auth=member(Scope.READ), response=DashboardOut, summary="Dashboard of a show")
def dashboard(request: OrgRequest, eventId: str = "") -> dict[str, Any]:  # noqa: N803 - the name callers know
    """Remembered for up to five minutes and computed anew after a change. Answers 400 without ``eventId``."""
    event = _event(request, eventId)
    found = figures(request.organization, event)
    return {
        "eventId": event.pk,
        **_common(found),
        "response": {"days": 30, "sent": found.rate.sent, "responded": found.rate.replied, "rate": found.rate.percent},
        "funnel": found.funnel,
        "topAccounts": found.top,
        "computedAt": found.computed_at,
    }


@dashboards.get("/stats", auth=member(Scope.READ), response=StatsOut, summary="Totals and the activity feed")
def stats(request: OrgRequest, eventId: str = "") -> dict[str, Any]:  # noqa: N803
    """Over all shows of the organization, or of the one named by ``eventId``."""
    event = _event(request, eventId) if eventId else None
    feed = today.recent(request.organization, event)
    return {**_common(figures(request.organization, event)), "activity": [_entry(activity) for activity in feed]}


def _event(request: OrgRequest, text: str) -> Event:
    if not text:
        raise HttpError(400, "eventId required")
    try:
        pk = UUID(text)
    except ValueError as error:
        raise HttpError(422, "eventId is not the id of a show.") from error
    return get_object_or_404(Event.objects.for_org(request.organization), pk=pk)


def _common(found: Figures) -> dict[str, Any]:
    return {
        "totals": {
            "accounts": found.accounts, "people": found.people, "outreach": found.outreach, "meetings": found.meetings,
        },
        "outreachByStatus": found.outreach_by_status,
        "meetingsByStatus": {WORDS[status]: found.meetings_by_status[status] for status in WORDS},
        "responseRate": found.rate.percent,
    }  # fmt: skip


def _entry(activity: Any) -> dict[str, Any]:
    return {
        "id": activity.pk,
        "type": activity.kind,
        "summary": str(activity),
        "user": {"id": activity.actor_id, "name": str(activity.actor)} if activity.actor else None,
        "accountId": activity.account_id,
        "personId": activity.person_id,
        "occurredAt": activity.occurred_at,
    }
