"""Mailboxes: who sends. For admins."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages as notices
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.doorbell import ring
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import health, switches, tasks
from outreach.forms import MailboxForm, StopForm
from outreach.models import Mailbox, MailboxDay, Message, SendingDomain, SendStop
from outreach.services import mailboxes as services

SHOWN_STOPS = 200
ACTIONS = ("pause", "resume", "connect", "test", "archive")


@require_safe
@member_required()
def mailbox_list(request: EventRequest) -> HttpResponse:
    day = timezone.now().astimezone(ZoneInfo(request.organization.time_zone)).date()
    today = MailboxDay.objects.filter(mailbox=OuterRef("pk"), day=day)
    waiting = Message.objects.filter(mailbox=OuterRef("pk"), state=Message.State.QUEUED)
    rows = list(
        Mailbox.objects.for_org(request.organization)
        .in_use()
        .annotate(
            used=Coalesce(Subquery(today.values("used")), 0),
            unread=Exists(waiting.filter(cause=Message.Cause.UNREAD)),
        )
    )
    domains = {row.domain: row for row in SendingDomain.objects.for_org(request.organization).with_override()}
    figures = health.of_mailboxes(request.organization.pk, [row.pk for row in rows])
    pauses = health.pauses(request.organization.pk)
    for row in rows:
        row.health, row.health_pause = figures.get(row.pk), pauses.get(row.pk)  # type: ignore[attr-defined]
        row.allowed_today = row.allowance(day)  # type: ignore[attr-defined]
        row.sending_domain = domains.get(row.from_domain)  # type: ignore[attr-defined]
    context = {
        "rows": rows,
        "may_change": request.membership.may(Role.ADMIN),
        "may_read": request.membership.may(Role.REP),
        "stop": switches.current_stop(request.organization.pk),
        "all_stopped": switches.why_stopped(request.organization.pk),
        "needs_address": not request.organization.postal_address.strip(),
    }
    return render(request, "outreach/mailboxes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.ADMIN)
def edit(request: EventRequest, pk: UUID | None = None) -> HttpResponse:
    mailbox = _mailbox(request, pk) if pk else None
    form = MailboxForm(
        request.POST or None, instance=mailbox, organization=request.organization,
        initial=None if mailbox else {"from_name": request.user.name, "from_address": request.user.email},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        services.save_mailbox(form.instance, secret=form.cleaned_data["secret"], actor=request.user)
        notices.success(request, f"The mailbox “{form.instance.name}” was saved. We are connecting it now.")
        return redirect("outreach:mailboxes")
    context = {"form": form, "mailbox": mailbox}
    return render(request, "outreach/mailbox_edit.html", context, status=422 if form.is_bound else 200)


@require_safe
@member_required()
def stops(request: EventRequest) -> HttpResponse:
    """Every time somebody stopped all sending: who, why, and who let it go on."""
    rows = SendStop.objects.for_org(request.organization).select_related("stopped_by", "ended_by")
    return render(request, "outreach/stops.html", {"rows": rows[:SHOWN_STOPS]})


@require_POST
@member_required(role=Role.ADMIN)
def stop(request: EventRequest) -> HttpResponse:
    """Nothing leaves the organization from now on."""
    form = StopForm(request.POST)
    if not form.is_valid():
        notices.error(request, "Say why sending is stopped. Nothing was changed.")
        return redirect("outreach:mailboxes")
    try:
        switches.stop(request.organization, reason=form.cleaned_data["reason"], actor=request.user)
    except switches.AlreadyStopped:
        notices.info(request, "Sending is stopped already.")
    else:
        notices.success(request, "Nothing leaves any more. What waits stays in the ledger.")
    return redirect("outreach:mailboxes")


@require_POST
@member_required(role=Role.ADMIN)
def start(request: EventRequest) -> HttpResponse:
    """The organization sends again."""
    if switches.start(request.organization, actor=request.user):
        ring(tasks.send_due)
        notices.success(request, "Sending goes on.")
    return redirect("outreach:mailboxes")


@require_POST
@member_required(role=Role.REP)
def mark_read(request: EventRequest, pk: UUID) -> HttpResponse:
    """A person says that they have read the answers: follow-ups may leave."""
    mailbox = _mailbox(request, pk)
    released = services.mark_read(mailbox)
    waited = f" {released:,} {'follow-up' if released == 1 else 'follow-ups'} may leave now." if released else ""
    notices.success(request, f"Noted: the answers to “{mailbox.name}” are read.{waited}")
    return redirect("outreach:mailboxes")


@require_POST
@member_required(role=Role.ADMIN)
def act(request: EventRequest, pk: UUID, action: str) -> HttpResponse:
    """Pause, resume, connect, test or archive."""
    mailbox = _mailbox(request, pk)
    if action not in ACTIONS:
        raise Http404
    if action == "pause":
        services.pause(mailbox, actor=request.user)
        notices.success(request, f"Nothing leaves “{mailbox.name}” until you resume it.")
    elif action == "resume":
        _resume(request, mailbox)
    elif action == "connect":
        services.connect(mailbox)
        notices.info(request, "Connecting. This takes a few seconds.")
    elif action == "test":
        services.send_test(mailbox, actor=request.user)
        notices.info(request, f"A test mail is on its way to {request.user.email}.")
    else:
        services.archive(mailbox)
        notices.success(request, f"“{mailbox.name}” was put aside.")
    return redirect("outreach:mailboxes")


def _resume(request: EventRequest, mailbox: Mailbox) -> None:
    try:
        services.resume(mailbox, actor=request.user, reason=request.POST.get("reason", ""))
    except ValueError as error:
        notices.error(request, f"{error} “{mailbox.name}” stays paused.")
    else:
        notices.success(request, f"“{mailbox.name}” sends again.")


def _mailbox(request: EventRequest, pk: UUID) -> Mailbox:
    return get_object_or_404(Mailbox.objects.for_org(request.organization).in_use(), pk=pk)
