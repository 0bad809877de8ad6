"""Who is in a sequence, where and why; adding people, with a rehearsal first; and what can be done to one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import bulk_services
from accounts.bulk import Selection, actions_for, find_action, find_subject
from common.fragments import is_fragment, render_part
from common.paging import InvalidCursor
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from people.models import Person
from sequences import journeys, preview
from sequences.facts import facts_of
from sequences.filters import EnrollmentFilter
from sequences.forms import EnrollForm
from sequences.models import Enrollment, Sequence, StepRun
from sequences.plan import InvalidPlan
from sequences.selections import PICKED
from sequences.services import enrollments, moving, plans
from sequences.views.builder import find_sequence

AT_ONCE = 500
"""So many people are enrolled while one waits; more in the background."""
MOST_REHEARSED = 20_000
SHOWN = 3

Cause, State = Enrollment.Cause, Enrollment.State


# --- The list --------------------------------------------------------------------------------------------------------


@require_GET
@member_required()
def enrolled(request: EventRequest) -> HttpResponse:
    """Everybody in a sequence (``?sequence=``), newest first, with the one reason each stands where they stand."""
    try:
        sequence = find_sequence(request, UUID(request.GET.get("sequence", "")))
    except ValueError:
        return redirect("sequences:list")
    chosen = EnrollmentFilter(request.GET, organization=request.organization, user=request.user)
    rows = chosen.rows()
    listed = rows.select_related("person__account", "message", "task", "version")
    try:
        page = chosen.page(listed, cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect(f"{request.path}?{chosen.query_string()}")
    context: dict[str, Any] = {
        "filter": chosen, "page": page, "rows": [_standing(one) for one in page.items],
        "next": f"?{chosen.query_string(cursor=page.next_cursor)}" if page.has_more else "", "sequence": sequence,
    }  # fmt: skip
    may_edit = request.membership.may(Role.REP)
    context["may_edit"] = may_edit and not sequence.is_archived
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, "sequences/people.html", "rows", context)
    context |= {
        "causes": _causes(request, sequence, chosen), "version": plans.latest_version(sequence), "tab": "people",
        "may_archive": may_edit, "count": chosen.count(rows),
        "bulk_url": reverse("sequences:bulk"),
        "bulk_actions": actions_for("enrollments", may=request.membership.may, event=request.event),
    }  # fmt: skip
    return render(request, "sequences/people.html", context)


def _causes(request: EventRequest, sequence: Sequence, chosen: EnrollmentFilter) -> dict[str, Any]:
    """How many stand where, and why: the counts add up to everybody enrolled, because each has one cause."""
    rows = Enrollment.objects.for_org(request.organization).filter(sequence=sequence).order_by()
    counts = dict(rows.values_list("cause").annotate(Count("pk")))
    picked = chosen.chosen.get("why", [])
    lines = [
        (Cause(cause).label, counts[cause], f"?{chosen.query_string(why=None if [cause] == picked else [cause])}",
         cause in picked)
        for cause in Cause.values if cause in counts
    ]  # fmt: skip
    return {"total": sum(counts.values()), "lines": lines, "all": f"?{chosen.query_string(why=None)}"}


def _standing(one: Enrollment) -> dict[str, Any]:
    """An enrollment as the page says it: the step, the reason, and when something happens next."""
    step = journeys.plan_of(one).step(one.step_id)
    mail = one.message if one.state == State.WAITING else None
    reason, cause = (mail.reason if mail else "") or one.reason, str(one.get_cause_display())
    why = reason if reason.startswith(cause) else f"{cause}: {reason}" if reason else cause
    due: datetime | None = mail.due_at if mail else one.due_at if one.state == State.ACTIVE else None
    may_release = one.is_live and one.cause in moving.RELEASABLE
    return {"one": one, "step": step, "why": why, "due": due, "may_release": may_release}


# --- One person ------------------------------------------------------------------------------------------------------


def _enrollment(request: EventRequest, pk: UUID) -> Enrollment:
    rows = Enrollment.objects.for_org(request.organization).select_related(
        "sequence", "person__account", "message", "task", "version", "event", "mailbox", "organization", "enrolled_by"
    )
    return get_object_or_404(rows, pk=pk)


@require_GET
@member_required()
def enrollment(request: EventRequest, pk: UUID) -> HttpResponse:
    """One person's way: what is behind, where they stand and why, and what would come."""
    one = _enrollment(request, pk)
    plan = journeys.plan_of(one)
    runs = StepRun.objects.for_org(request.organization).filter(enrollment=one).select_related("message", "task")
    standing, step = _standing(one), plan.step(one.step_id) if one.is_live else None
    ahead: list[preview.Foreseen] = []
    if step is not None:
        facts = facts_of(request.organization.pk, [one])[one.pk]
        now = timezone.now()
        if one.state != State.ACTIVE:
            # What is under way has its own date; the projection begins behind it.
            ahead = [preview.Foreseen(step=step, due=None, note=one.get_cause_display())]
            one.previous_at, step = max(one.due_at or now, now), plan.after(step)
        ahead += preview.foresee(one, plan, step, facts, now=now)
    newest = plans.latest_version(one.sequence)
    context = {
        **standing, "runs": runs, "ahead": ahead, "may_edit": request.membership.may(Role.REP),
        "newest": newest if newest and newest.pk != one.version_id else None, "steps": _steps_to(one, newest),
    }  # fmt: skip
    return render(request, "sequences/enrollment.html", context)


def _steps_to(one: Enrollment, newest: Any) -> list[tuple[str, str]]:
    """Where they can be moved to: the steps of their version, and of the newest, that have not run."""
    done = set(StepRun.objects.for_org(one.organization_id).filter(enrollment=one).values_list("step_id", flat=True))
    choices = []
    for version in dict.fromkeys([one.version, newest]):
        if version is None:
            continue
        name = "" if version.pk == one.version_id else f" (version {version.number})"
        choices += [
            (f"{version.pk}:{step.id}", f"{step.label}. {step.title}{name}")
            for step in journeys.plan_of(version).steps
            if step.id not in done and step.id != one.step_id
        ]
    return choices


@require_POST
@member_required(role=Role.REP)
def act(request: EventRequest, pk: UUID, action: str) -> HttpResponse:
    """``pause``, ``release``, ``skip``, ``move`` (``to=<version>:<step>``) or ``stop``; back to the list when it says so."""
    one = _enrollment(request, pk)
    mine = Enrollment.objects.filter(pk=pk)
    try:
        match action:
            case "pause":
                enrollments.suspend(one.organization_id, mine, reason=f"Paused by {request.user.name}.")
            case "release":
                moving.release(one, actor=request.user)
            case "skip":
                moving.skip(one)
            case "stop":
                enrollments.stop(one.organization_id, mine, reason=f"Taken out by {request.user.name}.")
            case "move":
                _move(request, one)
            case _:
                raise Http404
    except enrollments.CannotMove as error:
        messages.error(request, str(error))
    if request.POST.get("back") == "list":
        return redirect(f"{reverse('sequences:people')}?sequence={one.sequence_id}")
    return redirect("sequences:enrollment", pk=pk)


def _move(request: EventRequest, one: Enrollment) -> None:
    version_id, _, step_id = request.POST.get("to", "").partition(":")
    versions = one.sequence.versions.all()
    try:
        version = get_object_or_404(versions, pk=UUID(version_id))
        moving.move_to(one, step_id=UUID(step_id), version=version if version.pk != one.version_id else None)
    except ValueError as error:
        raise enrollments.CannotMove("Choose the step to go on with.") from error


# --- Adding people ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def enroll(request: EventRequest) -> HttpResponse:
    """The people of a filter (the query string of their list), of ``picked``, or one ``person``: into which sequence,
    who would begin and who not; then let them.
    """
    selection = _chosen_people(request)
    given = request.POST if request.method == "POST" else request.GET if request.GET.get("into") else None
    form = EnrollForm(given, organization=request.organization)
    context: dict[str, Any] = {"form": form, "selection": selection, "query": request.GET.lists(), "tab": ""}
    if form.is_bound and form.is_valid():
        sequence, again = form.cleaned_data["into"], form.cleaned_data["again"]
        try:
            if request.method == "POST":
                return _enroll(request, selection, sequence, again=again)
            ids = selection.next_ids(None, MOST_REHEARSED)
            context["rehearsal"] = enrollments.rehearse(sequence, ids, sender=request.user, again=again)
            context["sequence"] = sequence
        except enrollments.CannotEnroll as error:
            form.add_error("into", str(error))
    context["total"] = selection.count()
    context["cut"] = context["total"] > MOST_REHEARSED
    return render(request, "sequences/enroll.html", context, status=422 if form.is_bound and form.errors else 200)


def _chosen_people(request: EventRequest) -> Selection:
    subject = find_subject("people")
    if subject is None:
        raise Http404
    query = request.GET.copy()
    for name in ("into", "again", "cursor", "sort"):
        query.pop(name, None)
    ids: list[UUID] = []
    if query.pop("picked", None):
        ids = [UUID(value) for value in request.session.get(PICKED, [])]
    elif person := query.pop("person", None):
        try:
            ids = [get_object_or_404(Person.objects.for_org(request.organization), pk=UUID(str(person[-1]))).pk]
        except ValueError as error:
            raise Http404 from error
    return Selection(
        subject=subject, organization=request.organization, user=request.user, event=request.event,
        query=query.urlencode(), ids=tuple(ids),
    )  # fmt: skip


def _enroll(request: EventRequest, selection: Selection, sequence: Sequence, *, again: bool) -> HttpResponse:
    action = find_action("people", "enroll")
    if selection.count() > AT_ONCE and action is not None:
        enrollments.entrance(sequence)
        params = {"sequence": str(sequence.pk), "again": again}
        job = bulk_services.start_job(selection, action=action, params=params)
        return redirect("accounts:job", pk=job.pk)
    ids = selection.next_ids(None, AT_ONCE)
    source = "One by one" if len(ids) == 1 else "A list"
    result = enrollments.enroll(sequence, ids, actor=request.user, source=source, again=again)
    left = "; ".join(f"{count}: {reason}" for reason, count in result.left_out.most_common(3))
    words = f"{result.begun:,} began in {sequence.name}."
    if left:
        messages.warning(request, f"{words} Left out: {left}")
    else:
        messages.success(request, words)
    return redirect(f"{reverse('sequences:people')}?sequence={sequence.pk}")


@require_GET
@member_required(role=Role.REP)
def add_people(request: EventRequest, pk: UUID) -> HttpResponse:
    """Ways to choose people for a sequence, each leading to the rehearsal."""
    sequence = find_sequence(request, pk)
    ways = [
        ("Tier A at this show", "tier=A"),
        ("Tier A and B at this show", "tier=A&tier=B"),
        ("Everybody at the target accounts of this show", ""),
        ("My people at this show", "owner=me"),
    ]
    if request.event is None:
        ways = [("Everybody", "all=1"), ("My people", "all=1&owner=me")]
    context = {
        "sequence": sequence, "version": plans.latest_version(sequence), "tab": "people", "ways": ways,
        "may_edit": not sequence.is_archived, "may_archive": True,
    }  # fmt: skip
    return render(request, "sequences/add_people.html", context)


# --- Preview ---------------------------------------------------------------------------------------------------------


@require_GET
@member_required()
def outlook(request: EventRequest, pk: UUID) -> HttpResponse:
    """The whole plan for three real people, with the dates in their zones; ``?skip=`` shows others."""
    sequence = find_sequence(request, pk)
    may_edit = request.membership.may(Role.REP)
    skip = request.GET.get("skip", "")
    start = int(skip) if skip.isdigit() and len(skip) < 6 else 0
    context: dict[str, Any] = {
        "sequence": sequence, "version": plans.latest_version(sequence), "tab": "preview", "others": start + SHOWN,
        "may_edit": may_edit and not sequence.is_archived, "may_archive": may_edit,
    }  # fmt: skip
    try:
        plan = plans.draft_plan(sequence)
    except InvalidPlan as error:
        context["problems"] = error.problems
        return render(request, "sequences/preview.html", context)
    people = _three_people(request, sequence, start)
    seen = preview.outlooks(request.organization, sequence, plan, people)
    context |= {"outlooks": seen, "lines": list(zip(plan.steps, *(one.along(plan) for one in seen), strict=True))}
    return render(request, "sequences/preview.html", context)


def _three_people(request: EventRequest, sequence: Sequence, start: int) -> list[Person]:
    """Three people from as many countries as there are, the best scored first."""
    rows = Person.objects.for_org(request.organization).exclude(email="").select_related("account")
    if sequence.event_id:
        rows = rows.filter(account__targets__event=sequence.event_id)
    best = list(rows.order_by("-icp_score", "id")[start * 20 : start * 20 + 60])
    chosen: dict[str, Person] = {}
    for person in best:
        chosen.setdefault(person.nearest_country, person)
    picked = list(chosen.values())[:SHOWN]
    return picked + [person for person in best if person not in picked][: SHOWN - len(picked)]
