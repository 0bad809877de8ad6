"""Who must not be written to: see, look up, add, lift."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as notices
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from common.paging import InvalidCursor, keyset_page
from events.models import Event
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach.addresses import address_hashes
from outreach.forms import LiftForm, SuppressForm
from outreach.models import Message, Suppression
from outreach.scopes import EVERYTHING, event_scope, rows_within
from outreach.suppressing import lift_suppression, suppress_addresses

Reason = Suppression.Reason
SHOWN: dict[str, tuple[str, Q]] = {
    "": ("All", Q(lifted_at=None)),
    "asked": ("Asked to stop", Q(lifted_at=None, reason__in=[Reason.UNSUBSCRIBED, Reason.ASKED])),
    "complaint": ("Reported as spam", Q(lifted_at=None, reason=Reason.COMPLAINT)),
    "bounced": ("Cannot be reached", Q(lifted_at=None, reason__in=[Reason.HARD_BOUNCE, Reason.PROVIDER])),
    "manual": ("Added by hand", Q(lifted_at=None, reason=Reason.MANUAL)),
    "narrow": ("One show or sequence", Q(lifted_at=None) & ~Q(scope=EVERYTHING)),
    "lifted": ("Lifted", Q(lifted_at__isnull=False)),
}


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def suppression_list(request: EventRequest) -> HttpResponse:
    posted = request.method == "POST"
    form = SuppressForm(*(request.POST, request.FILES) if posted else (), organization=request.organization)
    if posted and form.is_valid():
        return _add(request, form)
    sought = request.GET.get("q", "").strip()
    show = request.GET.get("show", "") if request.GET.get("show", "") in SHOWN else ""
    rows = _rows(request, sought, show)
    try:
        page = keyset_page(rows, sort=["-created_at"], cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect("outreach:suppression")
    context: dict[str, Any] = {
        "form": form, "page": page, "q": sought, "people": _people(request, page.items),
        "events": _events(request, page.items), "show": show, "shown": [(key, SHOWN[key][0]) for key in SHOWN],
        "may_lift": request.membership.may(Role.MANAGER),
        "next": f"?{urlencode({'show': show, 'q': sought, 'cursor': page.next_cursor})}" if page.has_more else "",
    }  # fmt: skip
    return render(request, "outreach/suppression.html", context, status=422 if form.is_bound else 200)


def _add(request: EventRequest, form: SuppressForm) -> HttpResponse:
    chosen = form.cleaned_data
    added = suppress_addresses(
        request.organization, addresses=chosen["addresses"], reason=Suppression.Reason.MANUAL, source="a member",
        actor=request.user, note=chosen["note"],
        scope=event_scope(chosen["event"].pk) if chosen["event"] else EVERYTHING,
    )  # fmt: skip
    about = f"mails about {chosen['event'].name}" if chosen["event"] else "mails"
    known = len(chosen["addresses"]) - added
    words = f"{added:,} {'address' if added == 1 else 'addresses'} will get no more {about}."
    notices.success(request, words + (f" {known:,} {'was' if known == 1 else 'were'} on the list." if known else ""))
    return redirect("outreach:suppression")


def _rows(request: EventRequest, sought: str, show: str) -> QuerySet[Suppression]:
    """What is looked for; an address is also found among what was lifted."""
    rows = Suppression.objects.for_org(request.organization).select_related("added_by", "lifted_by")
    if show:
        rows = rows.filter(SHOWN[show][1])
    elif not sought:
        rows = rows.active()
    return rows.filter(address_hash__in=address_hashes(request.organization.pk, sought)) if sought else rows


def _events(request: EventRequest, entries: list[Suppression]) -> dict[str, Event]:
    """The show each narrow scope is about, by scope."""
    found = Event.objects.for_org(request.organization).filter(
        pk__in=[rows_within(entry.scope)["event_id"] for entry in entries if entry.scope_kind == "event"]
    )
    return {event_scope(event.pk): event for event in found}


def _people(request: EventRequest, entries: list[Suppression]) -> dict[UUID, Message]:
    """A person each hash was written to, as long as there is one."""
    hashes = [entry.address_hash for entry in entries]
    found = Message.objects.for_org(request.organization).filter(address_hash__in=hashes).select_related("person")
    return {m.address_hash: m for m in found.only("address_hash", "person__name") if m.address_hash}


@require_POST
@member_required(role=Role.MANAGER)
def lift(request: EventRequest, pk: UUID) -> HttpResponse:
    entry = get_object_or_404(Suppression.objects.for_org(request.organization).active(), pk=pk)
    form = LiftForm(request.POST)
    if form.is_valid():
        lift_suppression(entry, actor=request.user, reason=form.cleaned_data["reason"])
        notices.success(request, "The address may be written to again.")
    else:
        notices.error(request, "Say why the address may be written to again. Nothing was changed.")
    return redirect("outreach:suppression")
