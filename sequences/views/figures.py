"""What a sequence has come to, as a page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from sequences.figures import figures_of
from sequences.models import Enrollment
from sequences.services import plans
from sequences.views.builder import find_sequence

Cause = Enrollment.Cause
LIVE = (
    Cause.SCHEDULED, Cause.MAIL, Cause.TASK, Cause.OUT_OF_OFFICE, Cause.PAUSED, Cause.SEQUENCE_PAUSED, Cause.LATE,
    Cause.MAIL_HELD, Cause.GUARD, Cause.NO_EVENT,
)  # fmt: skip


@require_GET
@member_required()
def figures(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = find_sequence(request, pk)
    found = figures_of(sequence)
    may_edit = request.membership.may(Role.REP)
    context = {
        "sequence": sequence, "version": plans.latest_version(sequence), "tab": "figures", "figures": found,
        "live": sum(found.causes.get(cause, 0) for cause in LIVE), "replied": found.causes.get(Cause.REPLIED, 0),
        "meetings": found.causes.get(Cause.MEETING, 0), "completed": found.causes.get(Cause.COMPLETED, 0),
        "list": f"{reverse('outreach:list')}?all=1&sequence={pk}",
        "people": f"{reverse('sequences:people')}?sequence={pk}",
        "may_edit": may_edit and not sequence.is_archived, "may_archive": may_edit,
    }  # fmt: skip
    return render(request, "sequences/figures.html", context)
