"""Who must not be written to: see, look up, add, lift."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach.addresses import address_hashes
from outreach.forms import LiftForm, SuppressForm
from outreach.models import Message, Suppression
from outreach.suppressing import lift_suppression, suppress_address


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def suppression_list(request: EventRequest) -> HttpResponse:
    form = SuppressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        for address in form.cleaned_data["addresses"]:
            suppress_address(
                request.organization, address=address, reason=Suppression.Reason.MANUAL, source="a member",
                actor=request.user, note=form.cleaned_data["note"],
            )  # fmt: skip
        number = len(form.cleaned_data["addresses"])
        notices.success(request, f"{number:,} {'address' if number == 1 else 'addresses'} will get no more mails.")
        return redirect("outreach:suppression")
    sought = request.GET.get("q", "").strip()
    rows = _rows(request, sought)
    try:
        page = keyset_page(rows, sort=["-created_at"], cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect("outreach:suppression")
    context: dict[str, Any] = {
        "form": form, "page": page, "q": sought, "people": _people(request, page.items),
        "may_lift": request.membership.may(Role.MANAGER),
        "next": f"?cursor={page.next_cursor}" if page.has_more else "",
    }  # fmt: skip
    return render(request, "outreach/suppression.html", context, status=422 if form.is_bound else 200)


def _rows(request: EventRequest, sought: str) -> QuerySet[Suppression]:
    rows = Suppression.objects.for_org(request.organization).select_related("added_by", "lifted_by")
    return rows.filter(address_hash__in=address_hashes(request.organization.pk, sought)) if sought else rows.active()


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
