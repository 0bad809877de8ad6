"""Held accounts: hold one by hand, and decide whether automatic mail goes on, ends, or waits until a day."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from common.fragments import is_fragment, render_part
from common.ids import read_uuid
from common.lists import capped_count
from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import guard
from outreach.forms import HoldDecisionForm, HoldForm, tomorrow
from outreach.models import AccountHold


@require_POST
@member_required(role=Role.REP)
def hold(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    form = HoldForm(request.POST)
    if not form.is_valid():
        notices.error(request, "Say why the account is held. Nothing was changed.")
    elif guard.hold_account(
        request.organization.pk, account.pk, cause=AccountHold.Cause.MANUAL, reason=form.cleaned_data["reason"],
        held_by=request.user,
    ):  # fmt: skip
        notices.success(request, f"No automatic mail goes to {account.name} until somebody releases it.")
    else:
        notices.info(request, f"{account.name} is held already.")
    return redirect("accounts:detail", pk=account.pk)


@require_POST
@member_required(role=Role.REP)
def decide(request: EventRequest, pk: UUID) -> HttpResponse:
    """``decision``: ``release`` the account, ``stop`` all automatic mail to it, or hold it ``until`` a day."""
    held = get_object_or_404(AccountHold.objects.for_org(request.organization).select_related("account"), pk=pk)
    form = HoldDecisionForm(request.POST)
    if not form.is_valid():
        notices.error(request, f"{form.problem} Nothing was changed.")
    elif _decide(request, held, form):
        notices.success(request, form.words(held.account))
    else:
        notices.info(request, f"{held.account.name} was released already.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect(back)
    return redirect("accounts:detail", pk=held.account_id)


def _decide(request: EventRequest, held: AccountHold, form: HoldDecisionForm) -> bool:
    chosen = form.cleaned_data
    if chosen["decision"] == "release":
        return guard.release_account(held, actor=request.user, reason=chosen["reason"])
    if chosen["decision"] == "stop":
        return guard.stop_account(held, actor=request.user, reason=chosen["reason"])
    return guard.hold_until(held, until=form.morning(), actor=request.user, reason=chosen["reason"])


@require_safe
@member_required()
def hold_list(request: EventRequest) -> HttpResponse:
    """Accounts that are held: those for oneself to decide, all of them, and what was decided before."""
    show = request.GET.get("show", "")
    rows = AccountHold.objects.for_org(request.organization).select_related("account", "person", "held_by", "lifted_by")
    account = read_uuid(request.GET.get("account", ""))
    if show == "decided":
        rows = rows.exclude(lifted_at=None).order_by("-lifted_at")
    else:
        now = timezone.now()
        rows = rows.active(now)
        if account:
            rows, show = rows.filter(account=account), "all"
        elif show != "all":
            rows, show = (
                rows.filter(pk__in=guard.waiting_holds(request.organization.pk, now=now, user=request.user)),
                "",
            )
    try:
        page = keyset_page(
            rows.with_outlook(request.event), sort=["-lifted_at" if show == "decided" else "-since"],
            cursor=request.GET.get("cursor", ""),
        )  # fmt: skip
    except InvalidCursor:
        return redirect("outreach:holds")
    count = capped_count(rows)
    query = urlencode({"show": show, "cursor": page.next_cursor})
    context = {
        "page": page, "count": count, "show": show, "next": f"?{query}" if page.has_more else "", "tomorrow": tomorrow(),
        "shown": [("", "For me"), ("all", "All"), ("decided", "Decided")], "may_write": request.membership.may(Role.REP),
    }  # fmt: skip
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, "outreach/holds.html", "rows", context)
    return render(request, "outreach/holds.html", context)
