"""One action on many rows: choose, see exactly what it will touch, watch it being done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts import bulk, bulk_services
from accounts.bulk import Selection
from accounts.exports import announce_export, csv_response, file_parts, list_table
from accounts.models import BulkJob
from common.fragments import is_fragment, render_part
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required

MOST_IDS = 2_000


def read_selection(request: EventRequest, subject: str) -> Selection:
    """What the posted form of a list selects: ``id`` (several) or, with ``all=1``, all that its ``query`` finds."""
    found = bulk.find_subject(subject)
    if found is None:
        raise Http404
    ids: list[UUID] = []
    if request.POST.get("all") != "1":
        for value in request.POST.getlist("id")[:MOST_IDS]:
            try:
                ids.append(UUID(value))
            except ValueError:
                continue
    query = QueryDict(request.POST.get("query", "").lstrip("?"), mutable=True)
    for name in ("cursor", "sort"):
        query.pop(name, None)
    return Selection(
        subject=found, organization=request.organization, user=request.user, event=request.event,
        query=query.urlencode(), ids=tuple(ids),
    )  # fmt: skip


@require_POST
@member_required(role=Role.REP)
def start(request: EventRequest, subject: str) -> HttpResponse:
    """Ask first: what it does to exactly how many. With ``sure=1`` and a valid form the job starts."""
    selection = read_selection(request, subject)
    action = bulk.find_action(subject, request.POST.get("action", ""))
    if action is None or (action.needs_event and request.event is None):
        raise Http404
    if not request.membership.may(action.role):
        raise PermissionDenied(f"This needs the role {action.role.label.lower()} or higher.")
    if not selection.ids and request.POST.get("all") != "1":
        return _nothing(request, selection)
    if action.redirect:
        return _go(request, action.redirect(request, selection))
    sure = request.POST.get("sure") == "1"
    form: Any = action.form(selection, request.POST if sure else None) if action.form else None
    if sure and (form is None or form.is_valid()):
        if action.key == "export":
            announce_export(selection)
        job = bulk_services.start_job(selection, action=action, params=form.params() if form else {})
        return _go(request, reverse("accounts:job", args=[job.pk]))
    context = {
        "action": action, "selection": selection, "form": form, "count": selection.count(), "subject": selection.subject,
    }  # fmt: skip
    return render_part(request, "accounts/bulk.html", "dialog", context, status=422 if sure else 200)


@require_GET
@member_required(role=Role.REP)
def export(request: EventRequest, subject: str) -> HttpResponseBase:
    """The list as it is filtered, as CSV, streamed. Excel files are made in the background (the action "Export")."""
    found = bulk.find_subject(subject)
    if found is None:
        raise Http404
    selection = Selection(
        subject=found, organization=request.organization, user=request.user, event=request.event,
        query=request.GET.urlencode(),
    )  # fmt: skip
    announce_export(selection)
    return csv_response(list_table(selection), request.organization.pk, bom=True)


@require_GET
@member_required()
def job(request: EventRequest, pk: UUID) -> HttpResponse:
    """How far the job is; the fragment asks again by itself until it is over."""
    found = get_object_or_404(BulkJob.objects.for_org(request.organization).select_related("created_by"), pk=pk)
    action, subject = bulk.find_action(found.subject, found.action), bulk.find_subject(found.subject)
    if action is None or subject is None:
        raise Http404
    context = {"job": found, "action": action, "subject": subject, "back": _back(found, subject)}
    return render_part(request, "accounts/job.html", "progress", context)


@require_POST
@member_required(role=Role.REP)
def cancel(request: EventRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(BulkJob.objects.for_org(request.organization), pk=pk)
    if bulk_services.cancel_job(found):
        messages.info(request, "Stopped. What was done so far is kept.")
    return redirect("accounts:job", pk=pk)


@require_GET
@member_required(role=Role.REP)
def download(request: EventRequest, pk: UUID) -> HttpResponseBase:
    """The file a job made."""
    jobs = BulkJob.objects.for_org(request.organization).filter(status=BulkJob.Status.DONE)
    found = get_object_or_404(jobs.exclude(file_name=""), pk=pk)
    response = StreamingHttpResponse(file_parts(found.organization_id, found.pk), content_type=_content_type(found))
    response["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    return response


def _content_type(job: BulkJob) -> str:
    if job.file_name.endswith(".xlsx"):
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return "application/octet-stream"


def _back(job: BulkJob, subject: bulk.Subject) -> str:
    return f"{reverse(subject.list_url)}?{job.query}"


def _nothing(request: EventRequest, selection: Selection) -> HttpResponse:
    context = {"selection": selection, "subject": selection.subject, "nothing": True}
    return render_part(request, "accounts/bulk.html", "dialog", context, status=422)


def _go(request: EventRequest, address: str) -> HttpResponse:
    if is_fragment(request):
        response = render(request, "accounts/bulk.html#going")
        response["HX-Redirect"] = address
        return response
    return redirect(address)
