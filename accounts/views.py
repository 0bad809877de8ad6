"""The pages of accounts."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count as CountOf
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html_join
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services
from accounts.filters import AccountFilter, ListFilter, Rows
from accounts.forms import FACT_CELLS, AccountForm, CellForm, FactForm, NewAccountForm, StandFormSet
from accounts.listing import filter_page, list_page
from accounts.models import Account, TargetAccount
from accounts.owners import NotAMember
from accounts.panels import account_board
from accounts.similar import find_similar
from common.fragments import is_fragment, render_part
from common.search import find
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required

CELLS = ("tier", "status", "stage", "owner")


@require_GET
@member_required()
def account_list(request: EventRequest) -> HttpResponse:
    """The target accounts of the chosen show, or every account with ``?all=1``."""
    return list_page(request, AccountFilter, _with_what_is_shown)


def _with_what_is_shown(chosen: ListFilter, rows: Rows) -> Rows:
    listed: Rows = rows.select_related("owner")
    if chosen.everything:
        listed = listed.annotate(shows=CountOf("targets"))
    else:
        listed = listed.select_related("account").prefetch_related("stands")
    return listed


@require_GET
@member_required()
def filter_form(request: EventRequest) -> HttpResponse:
    return filter_page(request, AccountFilter)


@require_GET
@member_required()
def suggest(request: EventRequest) -> HttpResponse:
    """Names of accounts for a company field as it is typed: ``<option>`` elements for a datalist."""
    found = find("accounts_account", request.GET.get("company", ""), cap=50, patient=True)
    names = Account.objects.for_org(request.organization).filter(pk__in=found.ids).order_by("name_norm")
    options = format_html_join(
        "", '<option value="{}">', ((name,) for name in names.values_list("name", flat=True)[:12])
    )
    return HttpResponse(options)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def create(request: EventRequest) -> HttpResponse:
    form = NewAccountForm(request.POST or None, organization=request.organization, initial={"owner": request.user})
    similar = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if not data["anyway"]:
            similar = find_similar(request.organization.pk, name=data["name"], website=data["website"])
        if not similar:
            account = services.create_account(
                request.organization, actor=request.user, fields=form.values(), tags=data["tags"], event=request.event,
                target_fields={"tier": data["tier"], "owner": data["owner"]}, stands=[(data["hall"], data["stand"])],
            )  # fmt: skip
            messages.success(request, f"{account.name} was added.")
            return redirect("accounts:detail", pk=account.pk)
    context = {"form": form, "similar": similar}
    return render(request, "accounts/create.html", context, status=422 if form.is_bound else 200)


@require_GET
@member_required()
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(
        Account.objects.for_org(request.organization).select_related("owner").prefetch_related("tags"), pk=pk
    )
    target = _target(request, account)
    context = {
        "account": account, "target": target, "actions": account_board.render("actions", request, account),
        "main": account_board.render("main", request, account), "side": account_board.render("side", request, account),
        "shows": account.targets.select_related("event").exclude(pk__in=[target.pk] if target else []),
    }  # fmt: skip
    return render(request, "accounts/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.for_org(request.organization).prefetch_related("tags"), pk=pk)
    fresh = Account.objects.for_org(request.organization).get(pk=pk) if request.method == "POST" else account
    form = AccountForm(request.POST or None, instance=account, organization=request.organization)
    if request.method == "POST" and form.is_valid():
        services.update_account(fresh, actor=request.user, fields=form.values())
        services.set_tags(fresh, names=form.cleaned_data["tags"])
        messages.success(request, f"{fresh.name} was saved.")
        return redirect("accounts:detail", pk=pk)
    context = {"form": form, "account": account}
    return render(request, "accounts/edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.MANAGER)
def delete(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    services.delete_account(account, actor=request.user)
    messages.success(request, f"{account.name} and everything about it was deleted.")
    return redirect("accounts:list")


@require_POST
@member_required(role=Role.REP)
def target(request: EventRequest, pk: UUID) -> HttpResponse:
    """Put the account on the list of the chosen show."""
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    if request.event is None:
        messages.warning(request, "Add a show first: accounts are targeted at one.")
        return redirect("events:create")
    services.target_account(account, event=request.event, actor=request.user)
    messages.success(request, f"{account.name} is now a target at {request.event.name}.")
    return redirect("accounts:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def untarget(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    found = _target(request, account)
    if found is None:
        raise Http404
    services.untarget(found, actor=request.user)
    messages.success(request, f"{account.name} was taken off the list of this show.")
    return redirect("accounts:detail", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def stands(request: EventRequest, pk: UUID) -> HttpResponse:
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    found = _target(request, account)
    if found is None:
        raise Http404
    initial = [{"hall": stand.hall, "number": stand.number} for stand in found.stands.all()]
    forms = StandFormSet(request.POST or None, initial=initial)
    if request.method == "POST" and forms.is_valid():
        pairs = [(form.cleaned_data.get("hall", ""), form.cleaned_data.get("number", "")) for form in forms]
        services.set_stands(found, stands=pairs)
        messages.success(request, "The stands were saved.")
        return redirect("accounts:detail", pk=pk)
    context = {"account": account, "target": found, "forms": forms}
    return render(request, "accounts/stands.html", context, status=422 if forms.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def cell(request: EventRequest, pk: UUID, field: str) -> HttpResponse:
    """Tier, status, stage or owner at the chosen show, edited where it stands. GET is the form, POST saves."""
    account = get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    if field in FACT_CELLS:
        return _fact(request, account, field)
    found = _target(request, account)
    if found is None or field not in CELLS:
        raise Http404
    initial = {"value": found.owner_id if field == "owner" else getattr(found, field)}
    form = CellForm(request.POST or None, field=field, organization=request.organization, initial=initial)
    context = {"form": form, "field": field, "target": found, "account": account}
    if request.method == "POST" and "value" in request.POST and form.is_valid():
        try:
            services.update_target(found, actor=request.user, fields={field: form.cleaned_data["value"]})
        except NotAMember as error:
            form.add_error("value", str(error))
        else:
            if not is_fragment(request):
                return redirect("accounts:detail", pk=pk)
            return render(request, "accounts/cell.html#value", context)
    status = 422 if request.method == "POST" else 200
    return render_part(request, "accounts/cell.html", "form", context, status=status)


def _fact(request: EventRequest, account: Account, field: str) -> HttpResponse:
    """A fact of the account itself, edited in place."""
    copy = Account.objects.for_org(request.organization).get(pk=account.pk)
    form = FactForm(request.POST or None, instance=copy, field=field)
    context = {"bound": form[field], "subject": account, "url": request.path}
    if request.method == "POST" and form.is_valid():
        services.update_account(account, actor=request.user, fields={field: form.cleaned_data[field]})
        if not is_fragment(request):
            return redirect("accounts:detail", pk=account.pk)
        return render(request, "components/fact_cell.html#value", {"value": getattr(account, field)})
    return render_part(request, "components/fact_cell.html", "form", context, status=422 if form.is_bound else 200)


def _target(request: EventRequest, account: Account) -> TargetAccount | None:
    if request.event is None:
        return None
    targets = TargetAccount.objects.for_org(request.organization).at(request.event)
    return targets.filter(account=account).select_related("owner", "event").prefetch_related("stands").first()
