"""Sequences as pages: the list, the spine of steps, and the forms of both."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from sequences.forms import SequenceForm, StepForm
from sequences.models import Sequence, Step
from sequences.services import enrollments, plans


def _sequence(request: EventRequest, pk: UUID) -> Sequence:
    return get_object_or_404(Sequence.objects.for_org(request.organization).select_related("event", "author"), pk=pk)


def _step(request: EventRequest, pk: UUID) -> Step:
    return get_object_or_404(Step.objects.for_org(request.organization).select_related("sequence", "template"), pk=pk)


@require_GET
@member_required(role=Role.VIEWER)
def sequence_list(request: EventRequest) -> HttpResponse:
    archived = request.GET.get("archived") == "1"
    every = Sequence.objects.for_org(request.organization)
    shown = every.filter(status=Sequence.Status.ARCHIVED) if archived else every.current()
    context = {
        "sequences": shown.with_shape().select_related("event", "author"),
        "archived": archived,
        "archived_count": every.filter(status=Sequence.Status.ARCHIVED).count(),
        "may_edit": request.membership.may(Role.REP),
    }
    return render(request, "sequences/list.html", context)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def create(request: EventRequest) -> HttpResponse:
    form = SequenceForm(request.POST or None, organization=request.organization, initial={"event": request.event})
    if request.method == "POST" and form.is_valid():
        sequence = plans.create_sequence(request.organization, actor=request.user, fields=form.cleaned_data)
        return redirect("sequences:detail", pk=sequence.pk)
    return render(request, "sequences/form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = _sequence(request, pk)
    form = SequenceForm(request.POST or None, organization=request.organization, instance=sequence)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("sequences:detail", pk=pk)
    context = {"form": form, "sequence": sequence, "name": form.initial["name"]}
    return render(request, "sequences/form.html", context, status=422 if form.is_bound else 200)


@require_GET
@member_required(role=Role.VIEWER)
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    return _detail(request, _sequence(request, pk))


def _detail(request: EventRequest, sequence: Sequence, part: str = "", status: int = 200) -> HttpResponse:
    may_edit = request.membership.may(Role.REP)
    context = {
        "sequence": sequence,
        "steps": Step.objects.for_org(request.organization)
        .filter(sequence=sequence)
        .in_order()
        .select_related("template"),
        "may_edit": may_edit and not sequence.is_archived,
        "may_archive": may_edit,
        "kinds": Step.Kind.choices,
    }
    return render(request, f"sequences/detail.html{part}", context, status=status)


@require_POST
@member_required(role=Role.REP)
def archive(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = enrollments.archive(
        _sequence(request, pk), archived=request.POST.get("archived") != "0", actor=request.user
    )
    messages.success(request, f"{sequence.name} was {'put into the archive' if sequence.is_archived else 'taken out'}.")
    return redirect("sequences:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def duplicate(request: EventRequest, pk: UUID) -> HttpResponse:
    sequence = _sequence(request, pk)
    taken = set(Sequence.objects.for_org(request.organization).values_list("name", flat=True))
    names = (f"{sequence.name[:105]} (copy{f' {n}' if n > 1 else ''})" for n in range(1, len(taken) + 2))
    twin = plans.copy_sequence(sequence, actor=request.user, name=next(n for n in names if n not in taken))
    return redirect("sequences:edit", pk=twin.pk)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def add_step(request: EventRequest, pk: UUID, kind: str) -> HttpResponse:
    if kind not in Step.Kind.values:
        raise Http404
    sequence = _sequence(request, pk)
    initial = {"days": 3 if sequence.steps.exists() else 0}
    form = StepForm(request.POST or None, organization=request.organization, kind=kind, initial=initial)
    if request.method == "POST" and form.is_valid():
        plans.add_step(sequence, fields=form.values())
        return redirect("sequences:detail", pk=pk)
    return _step_form(request, form, sequence, None)


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def edit_step(request: EventRequest, pk: UUID) -> HttpResponse:
    step = _step(request, pk)
    form = StepForm(request.POST or None, organization=request.organization, kind=step.kind, instance=step)
    if request.method == "POST" and form.is_valid():
        plans.change_step(step, fields=form.values())
        return redirect("sequences:detail", pk=step.sequence_id)
    return _step_form(request, form, step.sequence, step)


def _step_form(request: EventRequest, form: StepForm, sequence: Sequence, step: Step | None) -> HttpResponse:
    first = step.position == 0 if step else not sequence.steps.exists()
    context: dict[str, Any] = {"form": form, "sequence": sequence, "step": step, "first": first}
    return render(request, "sequences/step_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.REP)
def remove_step(request: EventRequest, pk: UUID) -> HttpResponse:
    step = _step(request, pk)
    plans.remove_step(step)
    return _spine(request, step.sequence)


@require_POST
@member_required(role=Role.REP)
def reorder(request: EventRequest, pk: UUID) -> HttpResponse:
    """``move`` (``up:<step>`` or ``down:<step>``) from the buttons, or the whole order as ``step`` values from a drag."""
    sequence = _sequence(request, pk)
    direction, _, moved = request.POST.get("move", "").partition(":")
    try:
        if direction in {"up", "down"}:
            step = get_object_or_404(Step.objects.for_org(request.organization), pk=UUID(moved), sequence=sequence)
            plans.move_step(step, by=-1 if direction == "up" else 1)
        else:
            plans.reorder_steps(sequence, order=[UUID(value) for value in request.POST.getlist("step")])
    except (ValueError, plans.OrderHasChanged):
        messages.error(request, "The steps were changed meanwhile. This is how they are now.")
        return _spine(request, sequence, status=409)
    return _spine(request, sequence)


def _spine(request: EventRequest, sequence: Sequence, status: int = 200) -> HttpResponse:
    if request.htmx:
        return _detail(request, sequence, "#spine", status if status == 200 else 422)
    return redirect("sequences:detail", pk=sequence.pk)
