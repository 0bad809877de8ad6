"""Imports: everybody sees them, reps bring lists in."""

from django.core.files.uploadedfile import SimpleUploadedFile

from identity.models import Organization
from identity.scope import org_scope
from people import import_services
from tests.access.matrix import MANAGER, REP, VIEWER, members, operation
from tests.people.importing.helpers import begin, bring_in

FILE = b"Company,City\nAcme GmbH,Bremen\n"
LIST = [["Company", "City"], ["Acme GmbH", "Bremen"], ["", "Nowhere"]]


def _draft(organization: Organization) -> object:
    return begin(organization, FILE).pk


def _checked(organization: Organization) -> object:
    return bring_in(organization, LIST, only_check=True).pk


def _finished(organization: Organization) -> object:
    return bring_in(organization, LIST).pk


def _running(organization: Organization) -> object:
    checked = bring_in(organization, LIST, only_check=True)
    with org_scope(organization.pk):
        import_services.run(checked, ring=False)
    return checked.pk


ROWS = {
    "imports:list": members(get=VIEWER),
    "imports:upload": members(post=REP, data={"file": SimpleUploadedFile("list.csv", FILE)}),
    "imports:show": members(get=VIEWER, pk="finished_import"),
    "imports:format": members(
        get=REP, post=REP, pk="draft_import", data={"encoding": "utf-8", "delimiter": ",", "header_row": 1}
    ),
    "imports:columns": members(get=REP, post=REP, pk="draft_import", data={"mode": "both", "target-0": "account.name"}),
    "imports:preview": members(get=VIEWER, pk="checked_import"),
    "imports:run": members(post=REP, pk="checked_import"),
    "imports:result": members(get=VIEWER, pk="finished_import"),
    "imports:stop": members(post=REP, pk="checked_import"),
    "imports:undo": members(get=MANAGER, post=MANAGER, pk="finished_import"),  # or whoever brought the list in
    "imports:discard": members(post=REP, pk="draft_import"),
    "imports:rejected": members(get=REP, pk="finished_import"),
    "imports:original": members(get=REP, pk="finished_import"),
    "GET /api/imports": operation(VIEWER),
    "POST /api/imports": operation(REP, body={"file": SimpleUploadedFile("list.csv", FILE)}),
    "GET /api/imports/{import_id}": operation(VIEWER, import_id="finished_import"),
    "POST /api/imports/{import_id}/run": operation(REP, import_id="checked_import"),
    "POST /api/imports/{import_id}/stop": operation(REP, import_id="running_import"),
    "GET /api/imports/{import_id}/errors": operation(REP, import_id="finished_import"),
}
BUILDERS = {
    "draft_import": _draft,
    "checked_import": _checked,
    "finished_import": _finished,
    "running_import": _running,
}
