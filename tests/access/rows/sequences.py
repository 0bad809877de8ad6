"""Sequences: everybody reads, reps and above write."""

from identity.models import Organization
from tests.access.matrix import REP, VIEWER, members
from tests.factories import SequenceFactory, StepFactory


def _sequence(organization: Organization) -> object:
    return SequenceFactory.create(organization=organization).pk


def _step(organization: Organization) -> object:
    return StepFactory.create(sequence=SequenceFactory.create(organization=organization)).pk


ROWS = {
    "sequences:list": members(get=VIEWER),
    "sequences:create": members(get=REP, post=REP),
    "sequences:detail": members(get=VIEWER, pk="sequence"),
    "sequences:edit": members(get=REP, post=REP, pk="sequence"),
    "sequences:publish": members(post=REP, pk="sequence"),
    "sequences:pause": members(post=REP, pk="sequence"),
    "sequences:archive": members(post=REP, pk="sequence"),
    "sequences:copy": members(post=REP, pk="sequence"),
    "sequences:reorder": members(post=REP, pk="sequence"),
    "sequences:add_step": members(get=REP, post=REP, pk="sequence", kind="step_kind"),
    "sequences:edit_step": members(get=REP, post=REP, pk="step"),
    "sequences:remove_step": members(post=REP, pk="step"),
}
BUILDERS = {"sequence": _sequence, "step": _step, "step_kind": lambda organization: "task"}
