"""What a person can ask of a plan: make it, give it steps, order them, publish it, put it away."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max

from identity.models import Organization, User
from outreach.comparing import copy_comparison
from outreach.models import Template
from outreach.services import templates
from sequences.library import Ready, ReadyMail, ReadyStep
from sequences.models import Sequence, SequenceVersion, Step
from sequences.plan import DraftStep, InvalidPlan, Kind, Lane, Plan, compile_plan
from sequences.querysets import StepQuerySet

STEP_FIELDS = (
    "kind", "delay_days", "delay_hours", "delay_from", "business_days", "at_time", "template", "comparison",
    "same_thread", "resend_on_silence", "subject", "body", "rule",
)  # fmt: skip


class OrderHasChanged(Exception):
    """The steps named are not the steps of the lane: somebody added or removed one meanwhile."""


def create_sequence(organization: Organization, *, actor: User, fields: Mapping[str, Any]) -> Sequence:
    return Sequence.objects.create(organization=organization, author=actor, **fields)


@transaction.atomic
def start_from(sequence: Sequence, ready: Ready, *, actor: User) -> None:
    """Give a new sequence the steps of a ready-made one; templates that exist by name are used as they are."""
    _add_ready(sequence, ready.steps, actor=actor, parent=None, lane=Lane.MAIN)


def _add_ready(sequence: Sequence, steps: Iterable[ReadyStep], *, actor: User, parent: Step | None, lane: str) -> None:
    for one in steps:
        mail = {"template": _template(sequence.organization, one.mail, actor)} if one.mail else {}
        step = add_step(sequence, fields={"kind": one.kind, **one.fields, **mail}, parent=parent, lane=lane)
        _add_ready(sequence, one.yes, actor=actor, parent=step, lane=Lane.YES)
        _add_ready(sequence, one.no, actor=actor, parent=step, lane=Lane.NO)


def _template(organization: Organization, mail: ReadyMail, actor: User) -> Template:
    found = Template.objects.for_org(organization).filter(name=mail.name, archived_at=None).first()
    return found or templates.save_template(
        organization, template=None, name=mail.name, subject=mail.subject, body=mail.body, actor=actor
    )


@transaction.atomic
def copy_sequence(sequence: Sequence, *, actor: User, name: str) -> Sequence:
    """A draft with the same steps under another name."""
    twin = Sequence.objects.create(
        organization_id=sequence.organization_id,
        author=actor,
        name=name,
        description=sequence.description,
        event_id=sequence.event_id,
        mailbox_id=sequence.mailbox_id,
        is_exclusive=sequence.is_exclusive,
        late_after_hours=sequence.late_after_hours,
    )
    _lock(sequence)
    twins: dict[UUID, Step] = {}
    waiting = list(Step.objects.for_org(sequence.organization_id).filter(sequence=sequence).in_order())
    while waiting:
        # A branch before the steps in it.
        ready = [step for step in waiting if step.parent_id is None or step.parent_id in twins]
        for step in ready:
            twins[step.pk] = Step.objects.create(
                organization_id=twin.organization_id,
                sequence=twin,
                parent=twins[step.parent_id] if step.parent_id else None,
                lane=step.lane,
                position=step.position,
                **{field: getattr(step, field) for field in STEP_FIELDS}
                | {"comparison": copy_comparison(step.comparison) if step.comparison else None},
            )
        waiting = [step for step in waiting if step.pk not in twins]
    return twin


# --- Steps -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_step(
    sequence: Sequence,
    *,
    fields: Mapping[str, Any],
    parent: Step | None = None,
    lane: str = Lane.MAIN,
    position: int | None = None,
) -> Step:
    """Add a step to a lane, of the sequence itself or of a side of a branch: at its end, or at ``position`` from 0."""
    _lock(sequence)
    place: dict[str, Any] = {"parent": parent, "lane": lane if parent else Lane.MAIN}
    there = Step.objects.for_org(sequence.organization_id).filter(sequence=sequence, **place)
    count = there.count()
    position = count if position is None else min(position, count)
    there.filter(position__gte=position).update(position=F("position") + 1)
    values = {name: fields[name] for name in STEP_FIELDS if name in fields}
    return Step.objects.create(
        organization_id=sequence.organization_id, sequence=sequence, position=position, **place, **values
    )


@transaction.atomic
def change_step(step: Step, *, fields: Mapping[str, Any]) -> Step:
    for name in STEP_FIELDS:
        if name in fields:
            setattr(step, name, fields[name])
    step.save()
    return step


@transaction.atomic
def remove_step(step: Step) -> None:
    """Remove the step, with what stands in it when it is a branch; those after it move up."""
    _lock(step.sequence)
    later = _lane(step).filter(position__gt=step.position)
    step.delete()
    later.update(position=F("position") - 1)


@transaction.atomic
def reorder_steps(sequence: Sequence, *, order: list[UUID], parent: Step | None = None, lane: str = Lane.MAIN) -> None:
    """Put the steps of a lane into this order. Raises ``OrderHasChanged`` unless it names every one of them once."""
    _lock(sequence)
    own = Step.objects.for_org(sequence.organization_id).filter(sequence=sequence, parent=parent, lane=lane)
    steps = {step.pk: step for step in own}
    if sorted(steps) != sorted(order):
        raise OrderHasChanged
    for position, pk in enumerate(order):
        if steps[pk].position != position:
            Step.objects.for_org(sequence.organization_id).filter(pk=pk).update(position=position)


@transaction.atomic
def move_step(step: Step, *, by: int) -> None:
    """Move a step up (−1) or down (1) in its lane; at the end of the lane nothing happens."""
    _lock(step.sequence)
    order = list(_lane(step).in_order().values_list("pk", flat=True))
    place = order.index(step.pk)
    target = place + by
    if 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
        reorder_steps(step.sequence, order=order, parent=step.parent, lane=step.lane)


@transaction.atomic
def move_step_to(step: Step, *, parent: Step | None, lane: str, position: int) -> None:
    """Take a step out of its lane and put it into another place. Raises ``InvalidPlan`` when it would stand in itself."""
    _lock(step.sequence)
    above = parent
    while above is not None:
        if above.pk == step.pk:
            raise InvalidPlan([(step.pk, "A branch cannot stand inside of itself.")])
        above = above.parent
    _lane(step).filter(position__gt=step.position).update(position=F("position") - 1)
    lane = lane if parent else Lane.MAIN
    there = Step.objects.for_org(step.organization_id).filter(sequence=step.sequence, parent=parent, lane=lane)
    place = max(0, min(position, there.exclude(pk=step.pk).count()))
    there.exclude(pk=step.pk).filter(position__gte=place).update(position=F("position") + 1)
    step.parent, step.lane, step.position = parent, lane, place
    step.save(update_fields=["parent", "lane", "position", "updated_at"])


def _lane(step: Step) -> StepQuerySet:
    return Step.objects.for_org(step.organization_id).filter(
        sequence=step.sequence_id, parent=step.parent_id, lane=step.lane
    )


def _lock(sequence: Sequence) -> None:
    """Nobody else changes the steps until the transaction ends."""
    Sequence.objects.select_for_update().for_org(sequence.organization_id).get(pk=sequence.pk)


# --- Publishing ------------------------------------------------------------------------------------------------------


def draft_plan(sequence: Sequence) -> Plan:
    """The plan the steps of the draft make. Raises ``InvalidPlan``."""
    steps = Step.objects.for_org(sequence.organization_id).filter(sequence=sequence).select_related("template")
    return compile_plan(_draft(step) for step in steps)


def _draft(step: Step) -> DraftStep:
    return DraftStep(
        id=step.pk,
        kind=Kind(step.kind),
        parent=step.parent_id,
        lane=Lane(step.lane),
        position=step.position,
        values={
            "title": step.title,
            "instructions": step.body,
            "template_id": step.template_id,
            "comparison_id": step.comparison_id,
            "same_thread": step.same_thread,
            "resend_on_silence": step.resend_on_silence,
            "anchor": step.delay_from,
            "days": step.delay_days,
            "hours": step.delay_hours,
            "business_days": step.business_days,
            "at": step.at_time,
            "rule": step.rule,
        },
    )


def latest_version(sequence: Sequence) -> SequenceVersion | None:
    return SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence).first()


def has_unpublished_changes(sequence: Sequence) -> bool:
    """Whether the draft differs from what runs."""
    version = latest_version(sequence)
    try:
        return version is None or draft_plan(sequence) != version.read()
    except InvalidPlan:
        return True


def check(sequence: Sequence) -> Plan:
    """The plan of the draft when it can be published. Raises ``InvalidPlan`` with everything that is in the way."""
    problems: list[tuple[UUID | None, str]] = []
    steps = Step.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    if sequence.mailbox_id is None:
        problems.append((None, "Choose the mailbox its mails leave from."))
    if sequence.event_id is None and steps.filter(delay_from__startswith="event_").exists():
        problems.append((None, "A step is counted from the show: choose the show of the sequence."))
    try:
        plan = draft_plan(sequence)
    except InvalidPlan as error:
        raise InvalidPlan([*error.problems, *problems]) from error
    if problems:
        raise InvalidPlan(problems)
    return plan


@transaction.atomic
def publish(sequence: Sequence, *, actor: User) -> SequenceVersion:
    """Make the draft what new people run through; those on the way stay on their version. Raises ``InvalidPlan``."""
    _lock(sequence)
    plan = check(sequence)
    versions = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = SequenceVersion.objects.create(
        organization_id=sequence.organization_id,
        sequence=sequence,
        number=number,
        plan=plan.model_dump(mode="json", by_alias=True),
        published_by=actor,
    )
    if sequence.status != Sequence.Status.PAUSED:
        sequence.status = Sequence.Status.ACTIVE
        sequence.save(update_fields=["status", "updated_at"])
    return version
