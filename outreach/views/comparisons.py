"""Who wins a comparison of wordings, when a person says so."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import comparing
from outreach.models import Comparison


@require_POST
@member_required(role=Role.REP)
def decide(request: EventRequest, pk: UUID) -> HttpResponse:
    """Name the winner (``letter``), or let the comparison go on (no letter)."""
    comparison = get_object_or_404(Comparison.objects.for_org(request.organization), pk=pk)
    try:
        decided = comparing.decide(comparison, letter=request.POST.get("letter", "")[:1], actor=request.user)
    except comparing.NoSuchVariant:
        notices.error(request, "Choose one of the wordings.")
    else:
        everybody = f"Everybody who comes next gets wording {decided.winner}."
        notices.success(request, everybody if decided.winner else "The wordings are compared again.")
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "outreach:list")
