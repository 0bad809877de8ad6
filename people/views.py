"""The pages of people."""

from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services as accounts
from accounts.filters import ListFilter, Rows
from accounts.listing import filter_page, list_page
from accounts.models import Account, TargetAccount
from accounts.owners import NotAMember
from common.fragments import is_fragment, render_part
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from people import services
from people.filters import PersonFilter
from people.forms import CELLS, CellForm, NewPersonForm, PersonForm
from people.mail_domains import remarks_on
from people.models import PERSONA_FLAGS, Person
from people.panels import person_board
from people.services import EmailTaken
from people.similar import Similar, find_similar

LISTED = (
    "name", "name_norm", "title", "email", "icp_score", "created_at", "account__name", "owner__name", "owner__email",
    *PERSONA_FLAGS,
)  # fmt: skip


@require_GET
@member_required()
def person_list(request: EventRequest) -> HttpResponse:
    """People at the targets of the chosen show, or everybody with ``?all=1``."""
    return list_page(request, PersonFilter, _with_what_is_shown)


def _with_what_is_shown(chosen: ListFilter, rows: Rows) -> Rows:
    listed = rows.select_related("account", "owner").only(*LISTED)
    return listed.annotate(tier=F("account__targets__tier")) if chosen.event else listed


@require_GET
@member_required()
def filter_form(request: EventRequest) -> HttpResponse:
    return filter_page(request, PersonFilter)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def create(request: EventRequest) -> HttpResponse:
    """Note a person, with their company; somebody who looks like one who exists is shown first.

    ``account``, ``name`` and ``email`` in the address fill the form in.
    """
    initial = {
        "owner": request.user, "company": _company_of(request), "name": request.GET.get("name", ""),
        "emails": request.GET.get("email", ""),
    }  # fmt: skip
    form = NewPersonForm(request.POST or None, organization=request.organization, initial=initial)
    similar: list[Similar] = []
    if request.method == "POST" and form.is_valid():
        data, account = form.cleaned_data, form.account()
        if not data["anyway"]:
            similar = find_similar(
                request.organization.pk,
                name=data["name"],
                emails=data["emails"],
                account_id=account.pk if account else None,
            )
        if not similar:
            try:
                person = services.create_person(
                    request.organization, actor=request.user, emails=data["emails"], tags=data["tags"],
                    fields=form.values() | {"account": account or _new_account(request, data["company"])},
                )  # fmt: skip
            except EmailTaken as error:
                form.add_error("emails", str(error))
            else:
                messages.success(request, f"{person.name} was added.")
                return redirect("people:detail", pk=person.pk)
    context = {"form": form, "similar": similar, "personas": PERSONA_FLAGS}
    return render(request, "people/create.html", context, status=422 if form.is_bound else 200)


@require_GET
@member_required()
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    people = Person.objects.for_org(request.organization).select_related("account", "owner")
    person = get_object_or_404(people.prefetch_related("emails", "tags"), pk=pk)
    addresses = [row.email for row in person.emails.all()]
    context = {
        "person": person, "target": _target(request, person),
        "addresses": remarks_on(request.organization.pk, addresses).items(),
        "actions": person_board.render("actions", request, person), "main": person_board.render("main", request, person),
        "side": person_board.render("side", request, person),
    }  # fmt: skip
    return render(request, "people/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    people = Person.objects.for_org(request.organization).select_related("account", "owner")
    person = get_object_or_404(people, pk=pk)
    form = PersonForm(request.POST or None, instance=people.get(pk=pk), organization=request.organization)
    if request.method == "POST" and form.is_valid():
        company = form.cleaned_data["company"]
        same = bool(person.account) and person.account is not None and person.account.name == company
        account = person.account if same else form.account() or _new_account(request, company)
        try:
            services.update_person(
                person,
                actor=request.user,
                fields=form.values() | {"account": account},
                emails=form.cleaned_data["emails"],
            )
        except EmailTaken as error:
            form.add_error("emails", str(error))
        else:
            services.set_tags(person, names=form.cleaned_data["tags"])
            messages.success(request, f"{person.name} was saved.")
            return redirect("people:detail", pk=pk)
    context = {"form": form, "person": person, "personas": PERSONA_FLAGS}
    return render(request, "people/edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.MANAGER)
def delete(request: EventRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(Person.objects.for_org(request.organization), pk=pk)
    services.delete_person(person, actor=request.user)
    messages.success(request, f"{person.name} was deleted.")
    return redirect("people:list")


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def cell(request: EventRequest, pk: UUID, field: str) -> HttpResponse:
    """One fact of a person, edited where it stands. GET is the form, POST saves."""
    if field not in CELLS:
        raise Http404
    people = Person.objects.for_org(request.organization).select_related("account", "owner")
    person = get_object_or_404(people, pk=pk)
    form = CellForm(request.POST or None, instance=people.get(pk=pk), field=field, organization=request.organization)
    context = {"form": form, "bound": form[field], "field": field, "subject": person, "url": request.path}
    if request.method == "POST" and form.is_valid():
        try:
            services.update_person(person, actor=request.user, fields={field: form.cleaned_data[field]})
        except NotAMember as error:
            form.add_error(field, str(error))
        else:
            if not is_fragment(request):
                return redirect("people:detail", pk=pk)
            return render(request, "components/fact_cell.html#value", context | {"value": getattr(person, field)})
    return render_part(request, "components/fact_cell.html", "form", context, status=422 if form.is_bound else 200)


def _target(request: EventRequest, person: Person) -> TargetAccount | None:
    if request.event is None or person.account_id is None:
        return None
    targets = TargetAccount.objects.for_org(request.organization).at(request.event)
    return targets.filter(account=person.account_id).select_related("owner").prefetch_related("stands").first()


def _company_of(request: EventRequest) -> str:
    """The name of the account that ``?account=`` names, to begin with."""
    try:
        account = UUID(request.GET.get("account", ""))
    except ValueError:
        return ""
    found = Account.objects.for_org(request.organization).filter(pk=account).first()
    return found.name if found else ""


def _new_account(request: EventRequest, company: str) -> Account | None:
    if not company.strip():
        return None
    fields = {"name": company.strip(), "owner": request.user}
    return accounts.create_account(request.organization, actor=request.user, fields=fields, event=request.event)
