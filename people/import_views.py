"""The import pages: upload, format, columns, preview, result. Every step can be left and come back to."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.fragments import is_fragment
from common.tabular import UnreadableError
from events.web import EventRequest
from identity.models import Role
from identity.scope import org_scope
from identity.web import member_required
from people import import_services as services
from people.import_forms import POLICY_CHOICES, ColumnsForm, LayoutForm, UploadForm, target_groups
from people.import_models import ListImport
from people.import_services import NotNow
from people.importing import files, mapping, rejects, results, undoing

PER_PAGE = 50
SHOWN_ROWS = 10
Status = ListImport.Status


@dataclass(frozen=True)
class Step:
    label: str
    state: str
    href: str = ""


@require_GET
@member_required()
def import_list(request: EventRequest) -> HttpResponse:
    """The imports so far, newest first, and where to upload the next one."""
    return _list_page(request, UploadForm())


@require_POST
@member_required(role=Role.REP)
def upload(request: EventRequest) -> HttpResponse:
    """Keep the file and go on with how to read it."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            list_import = services.begin(
                organization=request.organization, actor=request.user, event=request.event,
                file_name=file.name, source=file,
            )  # fmt: skip
        except UnreadableError as error:
            form.add_error("file", str(error))
        else:
            return redirect("imports:format", pk=list_import.pk)
    return _list_page(request, form, status=422)


@require_GET
@member_required()
def show(request: EventRequest, pk: UUID) -> HttpResponse:
    """Wherever this import stands."""
    list_import = _find(request, pk)
    step = "result" if list_import.started_at else "preview" if list_import.status != Status.DRAFT else "columns"
    if step == "columns" and not request.membership.may(Role.REP):
        return redirect("imports:list")
    return redirect(f"imports:{step}", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def layout(request: EventRequest, pk: UUID) -> HttpResponse:
    """Encoding, delimiter, sheet and header row. A GET with values shows their sample and keeps nothing."""
    list_import = _find(request, pk)
    if list_import.started_at or list_import.is_at_work:
        return redirect("imports:show", pk=pk)
    asked = request.POST if request.method == "POST" else request.GET
    form = LayoutForm(asked or None, list_import=list_import)
    shown, error = list_import, ""
    if form.is_bound and form.is_valid():
        try:
            if request.method == "POST":
                services.set_layout(list_import, form.layout())
                return redirect("imports:columns", pk=pk)
            shown = services.preview_layout(list_import, form.layout())
        except UnreadableError as unreadable:
            error = str(unreadable)
    context = {
        "import": list_import, "form": form, "shown": shown, "error": error, "rows": shown.sample[:SHOWN_ROWS],
        "steps": _steps(list_import, "format"),
    }  # fmt: skip
    template = "imports/format.html#sample" if is_fragment(request) else "imports/format.html"
    return render(request, template, context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def columns(request: EventRequest, pk: UUID) -> HttpResponse:
    """What the columns mean, for which event, and what may be done; then the whole file is checked."""
    list_import = _find(request, pk)
    if list_import.started_at or list_import.is_at_work:
        return redirect("imports:show", pk=pk)
    posted = request.POST if request.method == "POST" else None
    form = ColumnsForm(posted, list_import=list_import, organization=request.organization)
    if posted is not None and form.is_valid():
        services.set_columns(
            list_import, form.columns(), mode=form.cleaned_data["mode"], event=form.cleaned_data["event"]
        )
        services.check(list_import)
        return redirect("imports:preview", pk=pk)
    context = {
        "import": list_import, "form": form, "rows": form.rows(), "groups": target_groups(),
        "policies": POLICY_CHOICES, "steps": _steps(list_import, "columns"),
        "saved": None if list_import.mapped_at else mapping.saved_mapping(list_import),
    }  # fmt: skip
    return render(request, "imports/columns.html", context, status=422 if form.is_bound else 200)


@require_GET
@member_required()
def preview(request: EventRequest, pk: UUID) -> HttpResponse:
    """What a run would do, row by row; while the file is being checked, how far that is."""
    list_import = _find(request, pk)
    if list_import.started_at or list_import.status == Status.DRAFT:
        return redirect("imports:show", pk=pk)
    return _progress_or(request, list_import, "imports/preview.html", "preview")


@require_POST
@member_required(role=Role.REP)
def run(request: EventRequest, pk: UUID) -> HttpResponse:
    """Start writing, or go on after a failure."""
    list_import = _find(request, pk)
    try:
        services.run(list_import)
    except NotNow as error:
        messages.info(request, str(error))
    return redirect("imports:result", pk=pk)


@require_POST
@member_required(role=Role.REP)
def stop(request: EventRequest, pk: UUID) -> HttpResponse:
    """Stop a check or a run; a run can go on later."""
    list_import = _find(request, pk)
    try:
        services.stop(list_import)
    except NotNow as error:
        messages.info(request, str(error))
    return redirect("imports:show", pk=pk)


@require_GET
@member_required()
def result(request: EventRequest, pk: UUID) -> HttpResponse:
    """What the run did; while it runs, how far it is."""
    list_import = _find(request, pk)
    if not list_import.started_at:
        return redirect("imports:show", pk=pk)
    return _progress_or(request, list_import, "imports/result.html", "result")


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def undo(request: EventRequest, pk: UUID) -> HttpResponse:
    """What taking the import back would do, and doing it: for whoever imported the list, and managers."""
    list_import = _find(request, pk)
    if not _may_undo(request, list_import):
        raise PermissionDenied("A list that somebody else imported is taken back by them or by a manager.")
    if request.method == "POST":
        try:
            services.undo(list_import, actor=request.user)
        except NotNow as error:
            messages.info(request, str(error))
        return redirect("imports:result", pk=pk)
    if services.undo_ends(list_import) is None:
        return redirect("imports:show", pk=pk)
    context = {"import": list_import, "steps": _steps(list_import, "result"), "forecast": undoing.foretell(list_import)}
    return render(request, "imports/undo.html", context)


@require_POST
@member_required(role=Role.REP)
def discard(request: EventRequest, pk: UUID) -> HttpResponse:
    """Forget an import that has written nothing, with its file."""
    list_import = _find(request, pk)
    try:
        services.discard(list_import)
    except NotNow as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{list_import.file_name} was discarded. Nothing had been written.")
    return redirect("imports:list")


@require_GET
@member_required(role=Role.REP)
def rejected(request: EventRequest, pk: UUID) -> HttpResponse | StreamingHttpResponse:
    """The rejected rows as a file to correct and upload again."""
    list_import = _find(request, pk)
    return file_response(rejects_in_scope(list_import), f"{list_import.file_name.rpartition('.')[0]}-rejected.csv")


@require_GET
@member_required(role=Role.REP)
def original(request: EventRequest, pk: UUID) -> HttpResponse | StreamingHttpResponse:
    """The file as it was uploaded."""
    list_import = _find(request, pk)

    def pieces() -> Any:
        with org_scope(list_import.organization_id):
            yield from files.blocks(list_import)

    return file_response(pieces(), list_import.file_name, content_type="application/octet-stream")


def rejects_in_scope(list_import: ListImport) -> Any:
    """The error file, piece by piece, in a scope of its own: the request's is over when the answer is sent."""
    with org_scope(list_import.organization_id):
        yield from rejects.as_csv(list_import)


def file_response(pieces: Any, name: str, *, content_type: str = "text/csv; charset=utf-8") -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=content_type)
    plain = "".join(c if c.isalnum() or c in " ._-" else "_" for c in name).strip() or "list.csv"
    response["Content-Disposition"] = (
        f'attachment; filename="{plain.encode("ascii", "replace").decode().replace("?", "_")}"'
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _may_undo(request: EventRequest, list_import: ListImport) -> bool:
    own = list_import.created_by_id == request.user.pk and request.membership.may(Role.REP)
    return own or request.membership.may(Role.MANAGER)


def _find(request: EventRequest, pk: UUID) -> ListImport:
    imports = ListImport.objects.for_org(request.organization).select_related("event", "created_by")
    return get_object_or_404(imports, pk=pk)


def _list_page(request: EventRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    imports = ListImport.objects.for_org(request.organization).select_related("event", "created_by")
    page = Paginator(imports.defer("sample", "mapping"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "may_import": request.membership.may(Role.REP)}
    return render(request, "imports/list.html", context, status=status)


def _progress_or(request: EventRequest, list_import: ListImport, template: str, step: str) -> HttpResponse:
    context: dict[str, Any] = {
        "import": list_import, "steps": _steps(list_import, step), "may_import": request.membership.may(Role.REP),
        "progress": results.progress(list_import), "is_undoing": list_import.status == Status.UNDOING,
    }  # fmt: skip
    if list_import.is_at_work:
        name = "imports/progress.html#progress" if is_fragment(request) else "imports/progress.html"
        return render(request, name, context)
    if is_fragment(request):
        return HttpResponse(headers={"HX-Refresh": "true"})
    until = services.undo_ends(list_import) if _may_undo(request, list_import) else None
    return render(request, template, context | _outcome(list_import) | {"undo_until": until})


def _outcome(list_import: ListImport) -> dict[str, Any]:
    done = list_import.status == Status.FINISHED
    return {
        "found": results.findings(list_import, shown=SHOWN_ROWS),
        "titles": {
            "created": "Created" if done else "Would be created",
            "updated": "Updated" if done else "Would be updated",
        },
        "changed": list_import.accounts_updated + list_import.people_updated,
        "taken": list_import.rows_total - list_import.rows_rejected,
        "accounts_link": f"{reverse('accounts:list')}?all=1&import={list_import.pk}",
        "people_link": f"{reverse('people:list')}?all=1&import={list_import.pk}",
    }


def _steps(list_import: ListImport, now: str) -> list[Step]:
    names = {"upload": "Upload", "format": "Format", "columns": "Columns", "preview": "Preview", "result": "Result"}
    order = list(names)
    done = order[: order.index(now)]
    locked = bool(list_import.started_at) or list_import.is_at_work
    links = {} if locked else {"format": "imports:format", "columns": "imports:columns"}
    return [
        Step(
            label,
            "now" if name == now else "done" if name in done else "",
            reverse(links[name], args=[list_import.pk]) if name in links else "",
        )
        for name, label in names.items()
    ]
