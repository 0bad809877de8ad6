"""Imports over the API: send a file, look at what would happen, run it, fetch what was rejected."""

import json
from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile
from pydantic import Field

from common.tabular import UnreadableError
from events.models import Event
from identity.apiauth import ApiRequest, Scope, member
from people import import_services as services
from people.import_models import ListImport
from people.import_services import NotNow
from people.import_views import file_response, rejects_in_scope
from people.importing import mapping, results
from people.importing.mapping import MappingError

router = Router(tags=["Imports"])


class ImportRequest(Schema):
    """How to take the file. ``mapping`` is JSON, ``{"column header": "account.name", …}``; guessed when left out."""

    eventId: UUID | None = Field(None, description="The show the companies exhibit at")  # noqa: N815
    mapping: str = Field("", examples=['{"Company": "account.name", "E-mail": "person.email"}'])
    mode: ListImport.Mode = Field(ListImport.Mode.BOTH, description="both, create or update")
    run: bool = Field(False, description="Write at once instead of only checking")


class ColumnOut(Schema):
    header: str = Field(examples=["Company"])
    target: str = Field(description="Empty when the column is ignored", examples=["account.name"])
    policy: str = Field(description="overwrite or fill (blanks only)", examples=["fill"])


class RowsOut(Schema):
    """``total`` = ``created`` + ``updated`` + ``unchanged`` + ``rejected`` once the list was checked or is in."""

    total: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    repeated: int = Field(description="Rows about somebody an earlier row was about")
    cleaned: int = Field(description="Rows with a value that was none, such as NaN")


class RejectOut(Schema):
    reason: str
    rows: int


class ImportOut(Schema):
    id: UUID
    fileName: str  # noqa: N815
    status: str = Field(
        description="draft, checking, checked, running, finished, failed or stopped", examples=["checked"]
    )
    percent: int = Field(description="How far the check or the run is", ge=0, le=100)
    mode: str
    eventId: UUID | None = None  # noqa: N815
    columns: list[ColumnOut]
    rows: RowsOut
    accountsCreated: int  # noqa: N815
    accountsUpdated: int  # noqa: N815
    peopleCreated: int  # noqa: N815
    peopleUpdated: int  # noqa: N815
    rejects: list[RejectOut]
    error: str = ""
    createdAt: datetime  # noqa: N815
    finishedAt: datetime | None = None  # noqa: N815


@router.get("", response=list[ImportOut], auth=member(Scope.READ), summary="The latest 100 imports, newest first")
def list_imports(request: ApiRequest) -> list[dict[str, Any]]:
    imports = ListImport.objects.for_org(request.organization)[:100]
    return [_out(list_import, with_rejects=False) for list_import in imports]


@router.post("", response={202: ImportOut}, auth=member(Scope.WRITE), summary="Send a list")
def create_import(
    request: ApiRequest, details: Form[ImportRequest], file: File[UploadedFile]
) -> Status[dict[str, Any]]:
    """The file is kept and checked in the background; ask again until ``status`` is ``checked``, then run it."""
    event = None
    if details.eventId is not None:
        event = get_object_or_404(Event.objects.for_org(request.organization), pk=details.eventId)
    try:
        list_import = services.begin(
            organization=request.organization,
            actor=request.user,
            event=event,
            file_name=file.name or "list",
            source=cast("BinaryIO", file),
        )
        columns = (
            mapping.from_named(list_import.headers, _named(details.mapping))
            if details.mapping
            else mapping.from_json(list_import.headers, list_import.mapping)
        )
        list_import = services.set_columns(list_import, columns, mode=details.mode, event=event)
    except (UnreadableError, MappingError) as error:
        raise HttpError(422, str(error)) from None
    (services.run if details.run else services.check)(list_import)
    list_import.refresh_from_db()
    return Status(202, _out(list_import))


@router.get("/{uuid:import_id}", response=ImportOut, auth=member(Scope.READ), summary="How an import stands")
def get_import(request: ApiRequest, import_id: UUID) -> dict[str, Any]:
    return _out(_find(request, import_id))


@router.post("/{uuid:import_id}/run", response={202: ImportOut}, auth=member(Scope.WRITE), summary="Write the list")
def run_import(request: ApiRequest, import_id: UUID) -> Status[dict[str, Any]]:
    """Writes what was checked, or goes on after a failure or a stop. Answers 409 while the import is at work or finished."""
    list_import = _find(request, import_id)
    try:
        services.run(list_import)
    except NotNow as error:
        raise HttpError(409, str(error)) from None
    list_import.refresh_from_db()
    return Status(202, _out(list_import))


@router.post(
    "/{uuid:import_id}/stop", response=ImportOut, auth=member(Scope.WRITE), summary="Stop the check or the run"
)
def stop_import(request: ApiRequest, import_id: UUID) -> dict[str, Any]:
    """What is in stays in, and a run can go on later. Answers 409 when nothing is at work."""
    try:
        return _out(services.stop(_find(request, import_id)))
    except NotNow as error:
        raise HttpError(409, str(error)) from None


@router.get("/{uuid:import_id}/errors", auth=member(Scope.WRITE), summary="The rejected rows as CSV")
def import_errors(request: ApiRequest, import_id: UUID) -> HttpResponseBase:
    """The original columns and the reason last; correct the rows and send the file again."""
    list_import = _find(request, import_id)
    return file_response(rejects_in_scope(list_import), f"{list_import.file_name.rpartition('.')[0]}-rejected.csv")


def _find(request: ApiRequest, import_id: UUID) -> ListImport:
    return get_object_or_404(ListImport.objects.for_org(request.organization), pk=import_id)


def _named(text: str) -> dict[str, Any]:
    try:
        named = json.loads(text)
    except ValueError:
        raise MappingError("The mapping is not JSON.") from None
    if not isinstance(named, dict):
        raise MappingError("The mapping must be an object of column headers and fields.")
    return named


def _out(list_import: ListImport, *, with_rejects: bool = True) -> dict[str, Any]:
    i = list_import
    at_work = i.is_at_work
    return {
        "id": i.pk, "fileName": i.file_name, "status": i.status, "mode": i.mode, "eventId": i.event_id, "error": i.error,
        "percent": results.progress(i).percent if at_work else 0 if i.status == "draft" else 100,
        "columns": i.mapping, "createdAt": i.created_at, "finishedAt": i.finished_at,
        "rows": {
            "total": i.rows_total, "created": i.rows_created, "updated": i.rows_updated, "unchanged": i.rows_unchanged,
            "rejected": i.rows_rejected, "repeated": i.rows_repeated, "cleaned": i.rows_cleaned,
        },
        "accountsCreated": i.accounts_created, "accountsUpdated": i.accounts_updated,
        "peopleCreated": i.people_created, "peopleUpdated": i.people_updated,
        "rejects": [{"reason": reason, "rows": rows} for reason, rows in results.reasons(i)] if with_rejects else [],
    }  # fmt: skip
