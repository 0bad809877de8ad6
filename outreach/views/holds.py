"""Hold an account by hand, and release one: its owner decides whether automatic mail goes on."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import Account
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import guard
from outreach.forms import HoldForm
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
def release(request: EventRequest, pk: UUID) -> HttpResponse:
    held = get_object_or_404(AccountHold.objects.for_org(request.organization).select_related("account"), pk=pk)
    if guard.release_account(held, actor=request.user, reason=request.POST.get("reason", "")):
        notices.success(request, f"Automatic mail to {held.account.name} goes on.")
    else:
        notices.info(request, f"{held.account.name} was released already.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect(back)
    return redirect("accounts:detail", pk=held.account_id)
