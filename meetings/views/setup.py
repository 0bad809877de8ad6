"""The booth of the chosen show: when it is open, and the tables where meetings are held."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, RestrictedError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from meetings.availability import schedule_of
from meetings.forms import BoothTableForm, ScheduleForm
from meetings.models import BoothTable


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.MANAGER)
def booth(request: EventRequest) -> HttpResponse:
    """Opening hours and tables; a POST saves the hours."""
    if request.event is None:
        return render(request, "meetings/booth.html", {})
    form = ScheduleForm(request.POST or None, instance=schedule_of(request.event))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Opening hours saved.")
        return redirect("meetings:booth")
    return _page(request, form=form, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.MANAGER)
def add_table(request: EventRequest) -> HttpResponse:
    if request.event is None:
        return redirect("meetings:booth")
    new = BoothTable(organization=request.organization, event=request.event)
    form = BoothTableForm({**request.POST.dict(), "is_active": True}, instance=new)
    if form.is_valid():
        form.save()
        messages.success(request, f"{new.name} was added.")
        return redirect("meetings:booth")
    return _page(request, new_table=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.MANAGER)
def edit_table(request: EventRequest, pk: UUID) -> HttpResponse:
    table = get_object_or_404(BoothTable.objects.for_org(request.organization), pk=pk)
    form = BoothTableForm(request.POST or None, instance=table)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"{table.name} was saved.")
        return redirect("meetings:booth")
    context = {"form": form, "table": table, "meetings": table.meetings.count()}
    return render(request, "meetings/table.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.MANAGER)
def delete_table(request: EventRequest, pk: UUID) -> HttpResponse:
    """Delete a table that was never used; a used one can only be closed, because its meetings name it."""
    table = get_object_or_404(BoothTable.objects.for_org(request.organization), pk=pk)
    try:
        table.delete()
    except RestrictedError:
        messages.error(request, f"{table.name} has meetings. Close it instead, so that they keep their place.")
        return redirect("meetings:table_edit", pk=pk)
    messages.success(request, f"{table.name} was deleted.")
    return redirect("meetings:booth")


def _page(
    request: EventRequest,
    *,
    form: ScheduleForm | None = None,
    new_table: BoothTableForm | None = None,
    status: int = 200,
) -> HttpResponse:
    event = request.event
    assert event is not None  # noqa: S101 - the callers have looked
    context = {
        "form": form or ScheduleForm(instance=schedule_of(event)),
        "new_table": new_table or BoothTableForm(),
        "tables": BoothTable.objects.for_org(request.organization).filter(event=event).annotate(used=Count("meetings")),
    }
    return render(request, "meetings/booth.html", context, status=status)
