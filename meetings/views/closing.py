from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from meetings import services
from meetings.models import Meeting
from meetings.views.showing import detail_context, on_show_clocks

Change = Callable[[Meeting, EventRequest], Meeting]

ACTIONS: dict[str, tuple[Change, str]] = {
    "confirm": (lambda m, r: services.confirm(m, actor=r.user), "Confirmed"),
    "check-in": (lambda m, r: services.check_in(m, actor=r.user), "Checked in"),
    "held": (lambda m, r: services.hold(m, actor=r.user, outcome=r.POST.get("outcome", "")), "Held"),
    "no-show": (lambda m, r: services.mark_no_show(m, actor=r.user), "No-show noted; there is a task to follow up"),
    "cancel": (lambda m, r: services.cancel(m, actor=r.user, reason=r.POST.get("reason", "")), "Cancelled"),
    "reopen": (lambda m, r: services.reopen(m, actor=r.user), "Open again"),
}
"""What can become of a meeting: the last part of the address, what it does and what the page says then."""
UNDOABLE = {"check-in", "no-show", "held"}


@require_POST
@member_required(role=Role.REP)
def act(request: EventRequest, pk: UUID, action: str) -> HttpResponse:
    """Confirm, check in, close, cancel or reopen a meeting."""
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization).for_page(), pk=pk)
    if action not in ACTIONS:
        raise Http404
    change, words = ACTIONS[action]
    try:
        meeting = change(meeting, request)
    except services.Refused as refused:
        return _refuse(request, meeting, str(refused))
    if action == "cancel" and request.POST.get("tell"):
        services.send_invitations(meeting, actor=request.user)
    if request.htmx and request.POST.get("row"):
        undo = {"url": reverse("meetings:act", args=[pk, "reopen"])} if action in UNDOABLE else None
        toast = {"text": f"{words}: {meeting.title}", "tone": "ok", **({"undo": undo} if undo else {})}
        return trigger_client_event(_row(request, pk), "toast", toast)
    messages.success(request, f"{words}: {meeting.title}.")
    return go_on(request, reverse("meetings:detail", args=[pk]))


@require_POST
@member_required(role=Role.REP)
def outcome(request: EventRequest, pk: UUID) -> HttpResponse:
    """Write down what came of it."""
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization), pk=pk)
    meeting.outcome = request.POST.get("outcome", "").strip()[:10_000]
    meeting.save(update_fields=["outcome", "updated_at"])
    messages.success(request, "Outcome saved.")
    return go_on(request, reverse("meetings:detail", args=[pk]))


@require_POST
@member_required(role=Role.REP)
def invite(request: EventRequest, pk: UUID) -> HttpResponse:
    """Mail the meeting as it is now to the attendees' calendars."""
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization), pk=pk)
    mails = services.send_invitations(meeting, actor=request.user)
    if mails:
        messages.success(request, f"{len(mails)} calendar mail{'s' if len(mails) != 1 else ''} on the way.")
    else:
        messages.info(request, "Everybody with an e-mail address has this already; nothing was sent.")
    return go_on(request, reverse("meetings:detail", args=[pk]))


def _refuse(request: EventRequest, meeting: Meeting, why: str) -> HttpResponse:
    if request.htmx and request.POST.get("row"):
        return trigger_client_event(_row(request, meeting.pk), "toast", {"text": why, "tone": "bad"})
    context = {**detail_context(meeting), "refused": why}
    return render(request, "meetings/detail.html", context, status=422)


def _row(request: EventRequest, pk: UUID) -> HttpResponse:
    row = Meeting.objects.for_org(request.organization).for_page().get(pk=pk)
    on_show_clocks(row.event)
    return render(request, "meetings/list.html#row", {"row": row})


def go_on(request: EventRequest, otherwise: str) -> HttpResponse:
    """To the page that was asked for in ``next``, if it is ours."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    address = wanted if safe else otherwise
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
