"""The timeline of an account or a person, and what is written onto it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Account
from activities import booth, services
from activities.forms import NoteForm, TaskForm
from activities.models import Activity, BoothVisit, Task
from activities.timeline import GROUPS, days_of, page_of
from common.fragments import is_fragment, render_part
from common.paging import InvalidCursor
from events.web import EventRequest
from identity.models import Role
from identity.web import OrgRequest, member_required
from people.models import Person

Subject = Account | Person


def find_subject(request: OrgRequest, kind: str, pk: UUID) -> Subject:
    """The account or person an address names; 404 for anything else."""
    if kind == "account":
        return get_object_or_404(Account.objects.for_org(request.organization), pk=pk)
    if kind == "person":
        return get_object_or_404(Person.objects.for_org(request.organization).select_related("account"), pk=pk)
    raise Http404


def kind_of(subject: Subject) -> str:
    return "account" if isinstance(subject, Account) else "person"


def timeline_context(request: OrgRequest, subject: Subject) -> Mapping[str, Any]:
    """What the timeline panel shows: one page of entries, the kinds, the way on. Raises ``InvalidCursor``."""
    chosen = request.GET.get("kind", "")
    rows = Activity.objects.for_org(request.organization).about(subject)
    page = page_of(rows, kind=chosen, cursor=request.GET.get("cursor", ""))
    days = days_of(page.items, last_day=request.GET.get("day", ""))
    address = reverse("activities:timeline", args=[kind_of(subject), subject.pk])
    following = ""
    if page.has_more:
        following = f"{address}?kind={chosen}&cursor={page.next_cursor}&day={days[-1].day.isoformat()}"
    return {
        "subject": subject, "subject_kind": kind_of(subject), "days": days, "next": following, "address": address,
        "chosen": chosen, "groups": [(key, name) for key, (name, _) in GROUPS.items()], "note_form": NoteForm(),
    }  # fmt: skip


def tasks_context(request: OrgRequest, subject: Subject) -> Mapping[str, Any]:
    tasks = Task.objects.for_org(request.organization).open().filter(**{kind_of(subject): subject})
    return {
        "subject": subject, "subject_kind": kind_of(subject), "tasks": tasks.select_related("assignee", "person")[:50],
        "task_form": TaskForm(organization=request.organization, initial={"assignee": request.user}),
    }  # fmt: skip


@require_GET
@member_required()
def timeline(request: EventRequest, kind: str, pk: UUID) -> HttpResponse:
    subject = find_subject(request, kind, pk)
    try:
        context = timeline_context(request, subject)
    except InvalidCursor:
        return redirect("activities:timeline", kind, pk)
    part = "days" if request.GET.get("cursor") else "timeline"
    return render_part(request, "activities/timeline.html", part, context)


@require_POST
@member_required(role=Role.REP)
def add_note(request: EventRequest, kind: str, pk: UUID) -> HttpResponse:
    subject = find_subject(request, kind, pk)
    form = NoteForm(request.POST)
    if form.is_valid():
        about = {"account": subject} if isinstance(subject, Account) else {"person": subject}
        services.add_note(
            request.organization.pk, author=request.user, body=form.cleaned_data["body"], event=request.event, **about
        )
        if not is_fragment(request):
            return redirect(page_of_subject(subject))
        form = NoteForm()
    context = {**timeline_context(request, subject), "note_form": form}
    return render_part(request, "activities/timeline.html", "timeline", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.REP)
def add_task(request: EventRequest, kind: str, pk: UUID) -> HttpResponse:
    subject = find_subject(request, kind, pk)
    form = TaskForm(request.POST, organization=request.organization)
    if form.is_valid():
        about = {"account": subject} if isinstance(subject, Account) else {"person": subject}
        services.add_task(
            request.organization.pk, actor=request.user, event=request.event, **about, **form.cleaned_data
        )
        if not is_fragment(request):
            return redirect(page_of_subject(subject))
    context = dict(tasks_context(request, subject))
    if not form.is_valid():
        context["task_form"] = form
    response = render_part(request, "activities/tasks.html", "tasks", context, status=200 if form.is_valid() else 422)
    response["HX-Trigger"] = "timeline-changed"
    return response


@require_http_methods(["POST"])
@member_required(role=Role.REP)
def finish_task(request: EventRequest, pk: UUID) -> HttpResponse:
    task = get_object_or_404(Task.objects.for_org(request.organization).select_related("account", "person"), pk=pk)
    services.finish_task(task, actor=request.user)
    if is_fragment(request):
        response = HttpResponse("")
        response["HX-Trigger"] = '{"timeline-changed": "", "toast": {"text": "Done.", "tone": "ok"}}'
        return response
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    subject = task.person or task.account
    return redirect(page_of_subject(subject) if subject else "/")


# --- At the booth ----------------------------------------------------------------------------------------------------


def booth_context(request: OrgRequest, person: Person) -> Mapping[str, Any] | None:
    """The button that says somebody is here, and the visits so far; nothing while no show is chosen."""
    event = getattr(request, "event", None)
    if event is None:
        return None
    visits = BoothVisit.objects.for_org(request.organization).filter(person=person, event=event).select_related("rep")
    return {"visits": list(visits[:5]), "event": event, "may_write": request.membership.may(Role.REP)}


@require_POST
@member_required(role=Role.REP)
def meet(request: EventRequest, pk: UUID) -> HttpResponse:
    """Somebody is at our booth now; asked for twice in a minute it is one visit."""
    person = get_object_or_404(Person.objects.for_org(request.organization).select_related("account"), pk=pk)
    if request.event is None:
        messages.error(request, "Choose the show first.")
        return redirect(page_of_subject(person))
    booth.meet(person, event=request.event, rep=request.user)
    messages.success(request, f"{person.name} was met at the booth. Add a note, or take it back within a minute.")
    return redirect(f"{page_of_subject(person)}#booth")


@require_POST
@member_required(role=Role.REP)
def note_visit(request: EventRequest, pk: UUID) -> HttpResponse:
    visit = _visit(request, pk)
    booth.add_note(visit, note=request.POST.get("note", ""))
    return redirect(f"{page_of_subject(visit.person)}#booth")


@require_POST
@member_required(role=Role.REP)
def undo_visit(request: EventRequest, pk: UUID) -> HttpResponse:
    visit = _visit(request, pk)
    try:
        booth.undo(visit, actor=request.user)
    except booth.TooLate as error:
        messages.error(request, str(error))
    else:
        messages.info(request, f"Taken back: {visit.person.name} was not met at the booth.")
    return redirect(f"{page_of_subject(visit.person)}#booth")


def _visit(request: EventRequest, pk: UUID) -> BoothVisit:
    return get_object_or_404(BoothVisit.objects.for_org(request.organization).select_related("person"), pk=pk)


def page_of_subject(subject: Subject) -> str:
    """The address of the account's or person's page."""
    return reverse("accounts:detail" if isinstance(subject, Account) else "people:detail", args=[subject.pk])
