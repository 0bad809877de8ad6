"""Sequences as plans: the list, the spine of steps with the panel of the chosen one, and what is done to the whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.fragments import is_fragment, render_part
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach.forms import ComparisonForm
from outreach.lacking import Lack, lacking
from outreach.models import Template
from people.models import Person
from sequences import spine
from sequences.forms import RuleForm, SequenceForm, StepForm
from sequences.library import LIBRARY
from sequences.models import Enrollment, Sequence, Step
from sequences.plan import InvalidPlan, Kind, Lane
from sequences.services import enrollments, plans


def find_sequence(request: EventRequest, pk: UUID) -> Sequence:
    rows = Sequence.objects.for_org(request.organization).select_related("event", "author", "mailbox")
    return get_object_or_404(rows, pk=pk)


def _step(request: EventRequest, pk: UUID) -> Step:
    rows = Step.objects.for_org(request.organization)
    with_ = rows.select_related("sequence__event", "sequence__mailbox", "template", "parent", "comparison")
    return get_object_or_404(with_, pk=pk)


@require_GET
@member_required(role=Role.VIEWER)
def sequence_list(request: EventRequest) -> HttpResponse:
    archived = request.GET.get("archived") == "1"
    every = Sequence.objects.for_org(request.organization)
    shown = every.filter(status=Sequence.Status.ARCHIVED) if archived else every.current()
    live = Enrollment.objects.for_org(request.organization).live().order_by().values_list("sequence")
    people = dict(live.annotate(Count("pk")))
    context = {
        "sequences": [(one, people.get(one.pk, 0)) for one in shown.with_shape().select_related("event", "author")],
        "archived": archived,
        "archived_count": every.filter(status=Sequence.Status.ARCHIVED).count(),
        "may_edit": request.membership.may(Role.REP),
        "library": LIBRARY.items(),
    }
    return render(request, "sequences/list.html", context)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def create(request: EventRequest) -> HttpResponse:
    ready = LIBRARY.get(request.GET.get("start", ""))
    initial = {"event": request.event, "start": request.GET.get("start", ""), "name": ready.label if ready else ""}
    form = SequenceForm(request.POST or None, organization=request.organization, initial=initial)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        chosen = LIBRARY.get(fields.pop("start"))
        fields["description"] = fields["description"] or (chosen.description if chosen else "")
        sequence = plans.create_sequence(request.organization, actor=request.user, fields=fields)
        if chosen:
            plans.start_from(sequence, chosen, actor=request.user)
        return redirect("sequences:detail", pk=sequence.pk)
    return render(request, "sequences/form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = find_sequence(request, pk)
    form = SequenceForm(request.POST or None, organization=request.organization, instance=sequence)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("sequences:detail", pk=pk)
    context = {"form": form, "sequence": sequence, "name": form.initial["name"]}
    return render(request, "sequences/form.html", context, status=422 if form.is_bound else 200)


# --- The builder -----------------------------------------------------------------------------------------------------


@require_GET
@member_required(role=Role.VIEWER)
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    return _builder(request, find_sequence(request, pk))


def _builder(
    request: EventRequest, sequence: Sequence, *, panel: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    steps = list(sequence.steps.in_order().select_related("template"))
    try:
        problems: list[tuple[UUID | None, str]] = []
        plans.check(sequence)
    except InvalidPlan as error:
        problems = error.problems
    may_edit = request.membership.may(Role.REP)
    version = plans.latest_version(sequence)
    context = {
        "sequence": sequence, "version": version, "problems": problems,
        "general": [sentence for step_id, sentence in problems if step_id is None], "main": spine.draw(steps, problems),
        "changed": bool(steps) and plans.has_unpublished_changes(sequence),
        "may_edit": may_edit and not sequence.is_archived, "may_archive": may_edit, "kinds": Kind.choices,
        "tab": "steps", "rules": list(sequence.rules.all()), **(panel or {}),
    }  # fmt: skip
    return render_part(request, "sequences/detail.html", "builder", context, status=status)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def add_step(request: EventRequest, pk: UUID, kind: str) -> HttpResponse:
    """Add a step to a lane: ``lane`` names the branch and its side (``<id>.yes``), ``at`` the place from 0, else the end."""
    if kind not in Kind.values:
        raise Http404
    sequence = find_sequence(request, pk)
    parent, lane = _lane(request, sequence, request.GET.get("lane", ""))
    at = request.GET.get("at", "")
    position = int(at) if at.isdecimal() and len(at) < 4 else None
    is_first = parent is None and (position == 0 or not sequence.steps.exists())
    initial = {"days": 3 if not is_first and parent is None and kind not in {"branch", "end"} else 0}
    form = StepForm(
        request.POST or None, organization=request.organization, kind=kind, initial=initial, is_first=is_first
    )
    rule = RuleForm(request.POST or None) if kind == Kind.BRANCH else None
    compare = ComparisonForm(request.POST or None, organization=request.organization) if kind == Kind.EMAIL else None
    valid = [one.is_valid() for one in (form, rule, compare) if one]
    if request.method == "POST" and all(valid):
        fields = form.values() | {
            "rule": rule.rule() if rule else None,
            "comparison": compare.keep(form.cleaned_data["template"]) if compare else None,
        }
        step = plans.add_step(sequence, fields=fields, parent=parent, lane=lane, position=position)
        return redirect(f"{reverse('sequences:detail', args=[pk])}#title-{step.pk}")
    lacks = _lacks(sequence) if compare else []
    panel = {"form": form, "rule": rule, "compare": compare, "lacks": lacks, "place": request.GET.urlencode()}
    return _builder(request, sequence, panel=panel, status=422 if form.is_bound else 200)


def _lane(request: EventRequest, sequence: Sequence, name: str) -> tuple[Step | None, str]:
    branch, _, side = name.partition(".")
    if not branch:
        return None, Lane.MAIN
    try:
        parent_id = UUID(branch)
    except ValueError as error:
        raise Http404 from error
    parent = get_object_or_404(sequence.steps.filter(kind=Kind.BRANCH), pk=parent_id)
    if side not in {Lane.YES, Lane.NO}:
        raise Http404
    return parent, side


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def edit_step(request: EventRequest, pk: UUID) -> HttpResponse:
    step = _step(request, pk)
    form = StepForm(
        request.POST or None, organization=request.organization, kind=step.kind, instance=step,
        is_first=step.position == 0 and step.parent_id is None,
    )  # fmt: skip
    rule = RuleForm(request.POST or None, rule=step.rule) if step.kind == Kind.BRANCH else None
    compare = None
    if step.kind == Kind.EMAIL:
        compare = ComparisonForm(request.POST or None, organization=request.organization, instance=step.comparison)
    valid = [one.is_valid() for one in (form, rule, compare) if one]
    if request.method == "POST" and all(valid):
        fields = form.values() | {
            "rule": rule.rule() if rule else None,
            "comparison": compare.keep(form.cleaned_data["template"]) if compare else None,
        }
        plans.change_step(step, fields=fields)
        return redirect("sequences:detail", pk=step.sequence_id)
    lacks = _lacks(step.sequence) if compare else []
    panel = {"form": form, "rule": rule, "compare": compare, "lacks": lacks, "step": step, "places": _places(step)}
    return _builder(request, step.sequence, panel=panel, status=422 if form.is_bound else 200)


def _lacks(sequence: Sequence) -> list[Lack]:
    """What templates ask for that many people lack at the show of the sequence."""
    if sequence.event is None:
        return []
    people = Person.objects.for_org(sequence.organization_id).at(sequence.event)
    templates = Template.objects.for_org(sequence.organization_id).in_use()[:50]
    return lacking(people, templates, event=sequence.event)


def _places(step: Step) -> list[tuple[str, str]]:
    steps = list(step.sequence.steps.in_order().select_related("template"))
    return spine.places(spine.draw(steps), without=step)


@require_POST
@member_required(role=Role.REP)
def remove_step(request: EventRequest, pk: UUID) -> HttpResponse:
    step = _step(request, pk)
    plans.remove_step(step)
    return _changed(request, step.sequence)


@require_POST
@member_required(role=Role.REP)
def reorder(request: EventRequest, pk: UUID) -> HttpResponse:
    """``move`` (``up:<step>`` or ``down:<step>``) from the buttons and keys; ``moved`` (``<step>:<lane>:<position>``)
    from a drag; ``step`` and ``place`` (``<lane>:<position>``) from the list of places.
    """
    sequence = find_sequence(request, pk)
    moved = request.POST.get("moved") or ":".join([request.POST.get("step", ""), request.POST.get("place", "")])
    try:
        _move(request, sequence, request.POST.get("move", ""), moved)
    except ValueError:
        messages.error(request, "The steps were changed meanwhile. This is how they are now.")
        return _changed(request, sequence, status=422)
    return _changed(request, sequence)


def _move(request: EventRequest, sequence: Sequence, move: str, moved: str) -> None:
    """Raises ``ValueError`` for what names no step or place."""
    direction, _, step_id = move.partition(":")
    if direction in {"up", "down"}:
        plans.move_step(get_object_or_404(sequence.steps, pk=UUID(step_id)), by=-1 if direction == "up" else 1)
        return
    step_id, lane_name, position = moved.split(":")
    step = get_object_or_404(sequence.steps.select_related("parent"), pk=UUID(step_id))
    parent, lane = _lane(request, sequence, lane_name)
    plans.move_step_to(step, parent=parent, lane=lane, position=int(position))


def _changed(request: EventRequest, sequence: Sequence, status: int = 200) -> HttpResponse:
    if is_fragment(request):
        return _builder(request, sequence, status=status)
    return redirect("sequences:detail", pk=sequence.pk)


# --- The whole sequence ----------------------------------------------------------------------------------------------


@require_POST
@member_required(role=Role.REP)
def publish(request: EventRequest, pk: UUID) -> HttpResponse:
    """Make the draft what new people run through, or say everything that is in the way."""
    sequence = find_sequence(request, pk)
    try:
        version = plans.publish(sequence, actor=request.user)
    except InvalidPlan as error:
        count = len(error.problems)
        messages.error(request, f"{'One thing is' if count == 1 else f'{count} things are'} in the way, see below.")
        return _builder(request, sequence, status=422)
    messages.success(request, f"Version {version.number} is published. People on the way finish on theirs.")
    return redirect("sequences:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def pause(request: EventRequest, pk: UUID) -> HttpResponse:
    """Hold everybody where they are, or (``paused=0``) let them go on."""
    sequence = find_sequence(request, pk)
    if request.POST.get("paused") == "0" and sequence.status == Sequence.Status.PAUSED:
        count = enrollments.resume_sequence(sequence)
        messages.success(request, f"{sequence.name} goes on, with {count:,} people.")
    elif request.POST.get("paused") != "0" and sequence.status == Sequence.Status.ACTIVE:
        count = enrollments.pause_sequence(sequence)
        messages.success(request, f"{sequence.name} is paused: {count:,} people stand where they are.")
    return redirect("sequences:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def archive(request: EventRequest, pk: UUID) -> HttpResponse:
    archived = request.POST.get("archived") != "0"
    sequence = enrollments.archive(find_sequence(request, pk), archived=archived, actor=request.user)
    messages.success(request, f"{sequence.name} was {'put into the archive' if sequence.is_archived else 'taken out'}.")
    return redirect("sequences:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def duplicate(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = find_sequence(request, pk)
    taken = set(Sequence.objects.for_org(request.organization).values_list("name", flat=True))
    names = (f"{sequence.name[:105]} (copy{f' {n}' if n > 1 else ''})" for n in range(1, len(taken) + 2))
    twin = plans.copy_sequence(sequence, actor=request.user, name=next(n for n in names if n not in taken))
    return redirect("sequences:edit", pk=twin.pk)
