"""The pages of shows, and the switcher that governs every page."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from events import services
from events.forms import CostFormSet, DeleteForm, EventForm, costs_of
from events.models import Event
from events.panels import event_figures
from events.web import SESSION_KEY, EventRequest
from identity.history import history_of
from identity.models import Role
from identity.web import member_required


@require_GET
@member_required()
def event_list(request: EventRequest) -> HttpResponse:
    events = (
        Event.objects.for_org(request.organization).annotate(cost=Sum("costs__amount")).order_by("-starts_on", "name")
    )
    today = timezone.localdate()
    shown = [event for event in events if not event.archived_at]
    context = {
        "ahead": sorted((e for e in shown if e.ends_on >= today), key=lambda e: (e.starts_on, e.name)),
        "past": [event for event in shown if event.ends_on < today],
        "archived": [event for event in events if event.archived_at],
        "total": len(events),
    }
    return render(request, "events/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.MANAGER)
def create(request: EventRequest) -> HttpResponse:
    if request.method == "POST":
        form, costs = EventForm(request.POST), CostFormSet(request.POST, prefix="costs")
        if form.is_valid() and costs.is_valid():
            try:
                event = services.create_event(
                    request.organization, actor=request.user, fields=form.values(), costs=costs_of(costs)
                )
            except services.NameTaken as error:
                form.add_error("name", str(error))
            else:
                request.session[SESSION_KEY] = str(event.pk)
                messages.success(request, f"{event.name} was added and is now the show of every page.")
                return redirect("events:detail", pk=event.pk)
    else:
        form = EventForm(initial={"time_zone": request.organization.time_zone})
        costs = CostFormSet(prefix="costs")
    context = {"form": form, "costs": costs, "event": None}
    return render(request, "events/form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.MANAGER)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    event = get_object_or_404(Event.objects.for_org(request.organization), pk=pk)
    if request.method == "POST":
        form = EventForm(request.POST, instance=Event(pk=event.pk, organization=event.organization))
        costs = CostFormSet(request.POST, prefix="costs")
        if form.is_valid() and costs.is_valid():
            try:
                services.update_event(event, fields=form.values(), costs=costs_of(costs))
            except services.NameTaken as error:
                form.add_error("name", str(error))
            else:
                messages.success(request, f"{event.name} was saved.")
                return redirect("events:detail", pk=event.pk)
    else:
        form = EventForm(instance=event)
        costs = CostFormSet(prefix="costs", initial=list(event.costs.values("kind", "description", "amount")))
    context = {"form": form, "costs": costs, "event": event}
    return render(request, "events/form.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.MANAGER)
def archive(request: EventRequest, pk: UUID) -> HttpResponse:
    """Put the show away, or bring it back."""
    event = get_object_or_404(Event.objects.for_org(request.organization), pk=pk)
    if event.archived_at:
        services.restore_event(event)
        messages.success(request, f"{event.name} is back in the list of shows.")
    else:
        services.archive_event(event)
        messages.success(request, f"{event.name} was archived. Nothing was deleted; bring it back at any time.")
    return redirect("events:detail", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.MANAGER)
def delete(request: EventRequest, pk: UUID) -> HttpResponse:
    """An empty show goes at once; one with rows only for an owner of the organization who types its name."""
    event = get_object_or_404(Event.objects.for_org(request.organization), pk=pk)
    found = services.belongings(event)
    allowed = not found or request.membership.may(Role.OWNER)
    form = DeleteForm(request.POST if request.method == "POST" else None, name=event.name if found else "")
    if request.method == "POST" and not allowed:
        raise PermissionDenied("Only an owner of the organization deletes a show that is not empty.")
    if request.method == "POST" and form.is_valid():
        services.delete_event(event, with_everything=bool(found))
        messages.success(request, f"{event.name} was deleted.")
        return redirect("events:list")
    context = {"event": event, "belongings": found, "allowed": allowed, "form": form}
    return render(request, "events/delete.html", context, status=422 if form.is_bound else 200)


@require_GET
@member_required()
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    event = get_object_or_404(Event.objects.for_org(request.organization).select_related("owner"), pk=pk)
    costs = list(event.costs.all())
    context = {
        "event": event,
        "costs": costs,
        "total_cost": sum(cost.amount for cost in costs),
        "figures": event_figures(event),
        "currency": request.organization.currency,
        "may_change": request.membership.may(Role.MANAGER),
        "is_current": request.event is not None and request.event.pk == event.pk,
        "changes": history_of(event, limit=20),
    }
    return render(request, "events/detail.html", context)


@require_POST
@member_required()
def switch(request: EventRequest) -> HttpResponse:
    """Choose the show that governs every page, and stay on the page."""
    try:
        chosen = UUID(request.POST.get("event", ""))
    except ValueError:
        return HttpResponse("Choose a show.", status=422, content_type="text/plain")
    event = get_object_or_404(Event.objects.for_org(request.organization).in_use(), pk=chosen)
    request.session[SESSION_KEY] = str(event.pk)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    return redirect(back)
