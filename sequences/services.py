"""What a person can ask of sequences: make them, put them away, and give them steps."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from identity.models import Organization, User
from sequences.models import Sequence, Step

STEP_FIELDS = ("kind", "delay_hours", "delay_from", "business_days", "template", "subject", "body")


class OrderHasChanged(Exception):
    """The steps named are not the steps of the sequence: somebody added or removed one meanwhile."""


def create_sequence(organization: Organization, *, actor: User, fields: Mapping[str, Any]) -> Sequence:
    return Sequence.objects.create(organization=organization, author=actor, **fields)


def archive(sequence: Sequence, *, archived: bool) -> Sequence:
    """Put the sequence away, or take it out again as a draft."""
    sequence.status = Sequence.Status.ARCHIVED if archived else Sequence.Status.DRAFT
    sequence.save(update_fields=["status", "updated_at"])
    return sequence


@transaction.atomic
def copy_sequence(sequence: Sequence, *, actor: User, name: str) -> Sequence:
    """A draft with the same steps under another name."""
    twin = Sequence.objects.create(
        organization_id=sequence.organization_id,
        author=actor,
        name=name,
        description=sequence.description,
        event_id=sequence.event_id,
    )
    for step in _locked(sequence):
        values = {field: getattr(step, field) for field in STEP_FIELDS}
        Step.objects.create(organization_id=twin.organization_id, sequence=twin, position=step.position, **values)
    return twin


@transaction.atomic
def add_step(sequence: Sequence, *, fields: Mapping[str, Any]) -> Step:
    """Add a step at the end."""
    position = len(_locked(sequence))
    values = {name: fields[name] for name in STEP_FIELDS if name in fields}
    return Step.objects.create(organization_id=sequence.organization_id, sequence=sequence, position=position, **values)


@transaction.atomic
def change_step(step: Step, *, fields: Mapping[str, Any]) -> Step:
    for name in STEP_FIELDS:
        if name in fields:
            setattr(step, name, fields[name])
    step.save()
    return step


@transaction.atomic
def remove_step(step: Step) -> None:
    """Remove the step; those after it move up."""
    _locked(step.sequence)
    later = Step.objects.for_org(step.organization_id).filter(sequence=step.sequence_id, position__gt=step.position)
    step.delete()
    later.update(position=F("position") - 1)


@transaction.atomic
def reorder_steps(sequence: Sequence, *, order: list[UUID]) -> None:
    """Put the steps into this order. Raises ``OrderHasChanged`` unless it names every step once."""
    steps = {step.pk: step for step in _locked(sequence)}
    if sorted(steps) != sorted(order):
        raise OrderHasChanged
    for position, pk in enumerate(order):
        if steps[pk].position != position:
            Step.objects.for_org(sequence.organization_id).filter(pk=pk).update(position=position)


def move_step(step: Step, *, by: int) -> None:
    """Move a step up (−1) or down (1); at the end of the list nothing happens."""
    with transaction.atomic():
        order = [one.pk for one in _locked(step.sequence)]
        place = order.index(step.pk)
        target = place + by
        if 0 <= target < len(order):
            order[place], order[target] = order[target], order[place]
            reorder_steps(step.sequence, order=order)


def _locked(sequence: Sequence) -> list[Step]:
    """The steps in order, with the sequence locked against other changes of its steps."""
    Sequence.objects.select_for_update().for_org(sequence.organization_id).get(pk=sequence.pk)
    return list(Step.objects.for_org(sequence.organization_id).filter(sequence=sequence).order_by("position"))
