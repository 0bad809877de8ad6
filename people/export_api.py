"""Exports for programs: streamed lists of a show, and everything in one file (BLK-01, BLK-05)."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router
from ninja.errors import HttpError
from pydantic import Field

from accounts.api import find_event
from accounts.exports import accounts_at, attachment, csv_response, full_export
from common.copying import json_blocks, single_csv_blocks, snapshot, zip_blocks
from common.happenings import Happening, Kind, announce
from common.schemas import ApiSchema
from events.models import Event
from identity.apiauth import Scope, member
from identity.scope import org_scope
from identity.web import OrgRequest
from people.exports import people_at

router = Router(tags=["Export"])


class FullExport(ApiSchema):
    format: Literal["csv", "json"] = Field("csv", examples=["csv"])
    event_id: UUID | None = Field(None, description="Only what belongs to this show.")


@router.get("/people/stream", auth=member(Scope.EXPORT), summary="People at a show, as CSV")
def people_stream(request: OrgRequest, eventId: str = "") -> HttpResponseBase:  # noqa: N803
    """Streams ``people.csv`` with the columns Name, Email, Title, Company, Phone, LinkedIn. 400 without ``eventId``."""
    event = _event(request, eventId)
    _tell(request, event, "people")
    return csv_response(people_at(request.organization.pk, event), request.organization.pk)


@router.get("/accounts/stream", auth=member(Scope.EXPORT), summary="Target accounts of a show, as CSV")
def accounts_stream(request: OrgRequest, eventId: str = "") -> HttpResponseBase:  # noqa: N803
    """Streams ``accounts.csv``. 400 without ``eventId``."""
    event = _event(request, eventId)
    _tell(request, event, "accounts")
    return csv_response(accounts_at(request.organization.pk, event), request.organization.pk)


@router.post("/full", auth=member(Scope.EXPORT), summary="Everything in one file")
def full(request: OrgRequest, body: FullExport, single: bool = False) -> HttpResponseBase:
    """``csv``: a zip with one CSV per table, or with ``?single=1`` one CSV with a column ``type``. ``json``: one object
    with a list per table. All tables as of the same moment."""
    event = find_event(request, body.event_id)
    organization_id = request.organization.pk
    tables = [make(organization_id, event) for make in full_export.values()]
    _tell(request, event, "everything")
    if body.format == "json":
        return attachment(_as_of_now(organization_id, json_blocks(tables)), "eventops.json", "application/json")
    if single:
        blocks = single_csv_blocks(tables)
        return attachment(_as_of_now(organization_id, blocks), "eventops.csv", "text/csv; charset=utf-8")
    return attachment(_as_of_now(organization_id, zip_blocks(tables)), "eventops.zip", "application/zip")


def _as_of_now(organization_id: UUID, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Run a lazy writer inside a scope and snapshot of its own: the answer is read after the operation has ended."""
    with snapshot(org_scope(organization_id)):
        yield from blocks


def _event(request: OrgRequest, event_id: str) -> Event:
    try:
        wanted = UUID(event_id)
    except ValueError as error:
        raise HttpError(400, "Send eventId: the show whose list you want.") from error
    event = find_event(request, wanted)
    if event is None:
        raise HttpError(400, "Send eventId: the show whose list you want.")
    return event


def _tell(request: OrgRequest, event: Event | None, what: str) -> None:
    announce(
        Happening(
            kind=Kind.LIST_EXPORTED,
            organization_id=request.organization.pk,
            actor_id=request.user.pk,
            event_id=event.pk if event else None,
            summary=f"Exported {what} over the API",
        )
    )
