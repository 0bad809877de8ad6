"""Today and the dashboard."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import Account
from analytics import today
from analytics.boards import board, so_far
from analytics.services import figures
from events.models import Event
from events.web import EventRequest
from identity.web import member_required


@require_GET
@member_required()
def today_page(request: EventRequest) -> HttpResponse:
    """What needs me today, and what happened last."""
    if request.event:
        timezone.activate(request.event.zone)
    context: dict[str, Any] = {"today": today.look(request.organization, request.event, request.user)}
    if request.event:
        context["so_far"] = so_far(figures(request.organization, request.event))
        context["is_new"] = not Account.objects.for_org(request.organization).exists()
    return render(request, "analytics/today.html", context)


@require_GET
@member_required()
def dashboard(request: EventRequest) -> HttpResponse:
    """What the chosen show came to so far."""
    event = request.event
    if event is None:
        return render(request, "analytics/dashboard.html", {})
    before = (
        Event.objects.for_org(request.organization).filter(starts_on__lt=event.starts_on).order_by("-starts_on").first()
    )
    context = {
        "board": board(event, figures(request.organization, event)),
        "before": before,
        "figures_before": figures(request.organization, before) if before else None,
    }
    return render(request, "analytics/dashboard.html", context)
