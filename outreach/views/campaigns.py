"""Writing to many: choose, review, send, watch."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages as notices
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.fragments import is_fragment, render_part
from common.lists import capped_count
from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import comparing, merging
from outreach.figures import figures_for
from outreach.forms import CampaignForm, ComparisonForm
from outreach.lacking import lacking
from outreach.models import Campaign, Mailbox, Message, Template
from outreach.schedule_form import ScheduleForm
from outreach.selections import PICKED
from outreach.services import campaigns as services
from people.filters import PersonFilter
from people.models import Person

State = Message.State
SHOWN = {
    "drafts": Q(state=State.DRAFT) | Q(state=State.PLANNED, cause=""),
    "left_out": Q(state__in=[State.SKIPPED, State.REJECTED]),
    "waiting": Q(state__in=[State.QUEUED, State.SENDING]) | Q(state=State.PLANNED) & ~Q(cause=""),
    "sent": Q(sent_at__isnull=False),
    "decide": Q(state__in=[State.UNKNOWN, State.HELD]),
    "all": Q(),
}
MOST_PEOPLE = 50_000
PATIENCE_MS = 5_000
"""How long counting may take: whoever writes to people is told how many they are, not about how many."""


@require_safe
@member_required()
def campaign_list(request: EventRequest) -> HttpResponse:
    rows = Campaign.objects.for_org(request.organization).select_related("event", "owner", "template")
    if request.event and request.GET.get("all") != "1":
        rows = rows.at(request.event)
    shown = list(rows[:100])
    counts = Message.objects.for_org(request.organization).filter(campaign__in=shown).values("campaign").annotate(
        total=Count("id"), sent=Count("id", filter=Q(sent_at__isnull=False)),
        opened=Count("id", filter=Q(opened_at__isnull=False)), replied=Count("id", filter=Q(replied_at__isnull=False)),
    )  # fmt: skip
    by_campaign = {row["campaign"]: row for row in counts}
    context: dict[str, Any] = {"rows": [(campaign, by_campaign.get(campaign.pk, {})) for campaign in shown]}
    return render(request, "outreach/campaigns.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def new(request: EventRequest) -> HttpResponse:
    """Choose template and mailbox for the people of a filter; the query string is the one of the list of people."""
    chosen = PersonFilter(
        request.GET, organization=request.organization, user=request.user, event=request.event, patient=True
    )
    picked = request.session.get(PICKED, {}) if request.GET.get("picked") else {}
    people = _picked(request, picked) if picked else chosen.rows()
    count = capped_count(people, cap=MOST_PEOPLE, patience_ms=PATIENCE_MS)
    initial = {"name": _proposed_name(request), "template": request.GET.get("template")}
    form = CampaignForm(request.POST or None, organization=request.organization, initial=initial)
    compare = ComparisonForm(request.POST or None, organization=request.organization, with_share=True)
    if request.method == "POST" and form.is_valid() and compare.is_valid():
        if count.number == 0 or count.more:
            form.add_error(None, "Choose at least one person, and at most 50,000.")
        else:
            try:
                campaign = services.start_campaign(
                    request.organization, event=request.event, people=people, actor=request.user, **form.cleaned_data,
                    comparison=compare.keep(form.cleaned_data["template"]),
                    test_share=compare.cleaned_data["test_share"] or 100,
                )  # fmt: skip
            except merging.InvalidTemplate as error:
                form.add_error("template", str(error))
            else:
                return redirect("outreach:campaign", pk=campaign.pk)
    context = {
        "form": form, "compare": compare, "filter": chosen, "chips": chosen.chips(), "count": count,
        "filter_url": reverse("outreach:filter"),
        "without_address": capped_count(people.filter(email_norm=""), patience_ms=PATIENCE_MS) if count.number else 0,
        "lacks": lacking(
            people, Template.objects.for_org(request.organization).in_use()[:50], event=request.event
        ) if count.number else [],
        "has_template": Template.objects.for_org(request.organization).in_use().exists(),
        "has_mailbox": Mailbox.objects.for_org(request.organization).in_use().exists(),
        "some": people.select_related("account").order_by("-icp_score", "id")[:8], "picked": bool(picked),
        "needs_address": not request.organization.postal_address.strip(),
    }  # fmt: skip
    return render(request, "outreach/new.html", context, status=422 if form.is_bound else 200)


def _proposed_name(request: EventRequest) -> str:
    day = timezone.localdate()
    return f"{request.event.name if request.event else 'Mails'}, {day.day} {day:%B}"


def _picked(request: EventRequest, picked: dict[str, list[str]]) -> QuerySet[Person]:
    """The people ticked on a list, or those of the accounts ticked there."""
    people = Person.objects.for_org(request.organization)
    if accounts := picked.get("accounts"):
        return people.filter(account_id__in=accounts)
    return people.filter(pk__in=picked.get("people", []))


@require_safe
@member_required(role=Role.REP)
def filter_form(request: EventRequest) -> HttpResponse:
    """The filter of people, for choosing whom to write to."""
    chosen = PersonFilter(request.GET, organization=request.organization, user=request.user, event=request.event)
    context = {"filter": chosen, "action": reverse("outreach:new"), "title": "Whom to write to"}
    return render_part(request, "accounts/filter.html", "dialog", context)


@require_safe
@member_required()
def campaign(request: EventRequest, pk: UUID) -> HttpResponse:
    """Review before sending, and the state of every mail afterwards."""
    found = _campaign(request, pk)
    progress = services.progress(found.messages.all())
    default = "drafts" if progress.drafts or progress.planned else "all"
    show = request.GET.get("show", "")
    show = show if show in SHOWN else default
    rows = found.messages.filter(SHOWN[show]).select_related("person", "account").defer("text", "html")
    try:
        page = keyset_page(rows, sort=["created_at"], cursor=request.GET.get("cursor", ""), limit=30)
    except InvalidCursor:
        return redirect("outreach:campaign", pk=pk)
    context: dict[str, Any] = {
        "campaign": found, "page": page, "show": show, "may_write": request.membership.may(Role.REP),
        "next": f"?show={show}&cursor={page.next_cursor}" if page.has_more else "", "progress": progress,
    }  # fmt: skip
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, "outreach/campaign.html", "rows", context)
    reasons = found.messages.filter(SHOWN["left_out"]).values("reason").annotate(number=Count("id")).order_by("-number")
    context |= {
        **_start_of(found), "figures": figures_for(found.messages.all()) if progress.sent else None,
        "list": f"{reverse('outreach:list')}?all=1&campaign={found.pk}",
        "board": comparing.board_of(found.comparison) if found.comparison else None,
        "reasons": reasons, "needs_address": not request.organization.postal_address.strip(), "tabs": _tabs(progress),
    }  # fmt: skip
    return render(request, "outreach/campaign.html", context)


def _start_of(campaign: Campaign) -> dict[str, Any]:
    """When the campaign leaves, by the clocks of the show, or of the organization without one."""
    if campaign.send_at is None or campaign.send_at <= timezone.now():
        return {"starts_later": False}
    zone = campaign.event.zone if campaign.event else ZoneInfo(campaign.organization.time_zone)
    # Without a zone, so that the page does not move it into the reader's.
    return {
        "starts_later": True, "starts_zone": str(zone),
        "starts_there": campaign.send_at.astimezone(zone).replace(tzinfo=None),
    }  # fmt: skip


def _tabs(progress: services.Progress) -> list[tuple[str, str, int]]:
    tabs = [
        ("drafts", "Drafts", progress.drafts + progress.planned),
        ("left_out", "Left out", progress.left_out + progress.failed),
        ("waiting", "Waiting", progress.queued + progress.waiting),
        ("sent", "Sent", progress.sent),
        ("decide", "Need a decision", progress.unresolved),
        ("all", "Everybody", progress.total),
    ]
    return [tab for tab in tabs if tab[2] or tab[0] == "all"]


@require_safe
@member_required()
def campaign_progress(request: EventRequest, pk: UUID) -> HttpResponse:
    """The bar that a page asks for every second; 286 tells htmx that it is over."""
    found = _campaign(request, pk)
    progress = services.progress(found.messages.all())
    context = {"campaign": found, "progress": progress, "may_write": request.membership.may(Role.REP)}
    moving = progress.is_moving or found.status == Campaign.Status.DRAFTING
    response = render(request, "outreach/campaign.html#progress", context, status=200 if moving else 286)
    if not moving:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@member_required(role=Role.REP)
def approve(request: EventRequest, pk: UUID) -> HttpResponse:
    found = _campaign(request, pk)
    try:
        queued = services.approve_campaign(found, actor=request.user)
    except services.CannotSend as error:
        notices.error(request, str(error))
    else:
        notices.success(request, f"{queued:,} {'mail is' if queued == 1 else 'mails are'} on the way.")
    return redirect("outreach:campaign", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def schedule(request: EventRequest, pk: UUID) -> HttpResponse:
    """Approve the drafts for a later time, or move what has not left."""
    found = _campaign(request, pk)
    progress = services.progress(found.messages.all())
    form = ScheduleForm(request.POST or None, campaign=found)
    if request.method == "POST" and form.is_valid():
        try:
            if progress.drafts:
                number = services.approve_campaign(found, actor=request.user, schedule=form.schedule())
            else:
                number = services.reschedule_campaign(found, schedule=form.schedule())
        except services.CannotSend as error:
            form.add_error(None, str(error))
        else:
            notices.success(request, f"{number:,} {'mail leaves' if number == 1 else 'mails leave'} by this schedule.")
            return redirect("outreach:campaign", pk=pk)
    context = {
        "campaign": found, "form": form, "progress": progress,
        "needs_address": not request.organization.postal_address.strip(),
    }  # fmt: skip
    return render(request, "outreach/schedule.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.REP)
def pause(request: EventRequest, pk: UUID) -> HttpResponse:
    """Hold back what has not left, or (``paused=0``) let it go on."""
    found, goes_on = _campaign(request, pk), request.POST.get("paused") == "0"
    try:
        number = services.resume_campaign(found) if goes_on else services.pause_campaign(found, actor=request.user)
    except services.CannotSend as error:
        notices.error(request, str(error))
    else:
        mails = f"{number:,} {'mail' if number == 1 else 'mails'}"
        notices.success(request, f"It goes on: {mails} to send." if goes_on else f"Paused. {mails} wait.")
    return redirect("outreach:campaign", pk=pk)


@require_POST
@member_required(role=Role.REP)
def cancel(request: EventRequest, pk: UUID) -> HttpResponse:
    stopped = services.cancel_campaign(_campaign(request, pk))
    notices.success(request, f"Stopped. {stopped:,} {'mail' if stopped == 1 else 'mails'} will not be sent.")
    return redirect("outreach:campaign", pk=pk)


@require_POST
@member_required(role=Role.REP)
def retry(request: EventRequest, pk: UUID) -> HttpResponse:
    """Write once more to whoever was left out, after what was missing has been added."""
    written = services.write_left_out_again(_campaign(request, pk))
    notices.success(request, f"{written:,} of them {'has' if written == 1 else 'have'} a draft now.")
    return redirect("outreach:campaign", pk=pk)


def _campaign(request: EventRequest, pk: UUID) -> Campaign:
    rows = Campaign.objects.for_org(request.organization)
    return get_object_or_404(
        rows.select_related("template", "mailbox", "event", "owner", "organization", "comparison"), pk=pk
    )
