"""A sequence as it runs: a small program of steps, each of which knows the next. Pure, and frozen when it is published.

The builder shows a list in which a branch holds two lanes. Compiled, every step names the step after it: the next one of
its lane, or what follows the branch when the lane ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from pydantic import BaseModel, ConfigDict

from sequences.conditions import Rule
from sequences.timing import Anchor, Delay

MOST_STEPS = 60
DEEPEST = 3


class Kind(TextChoices):
    EMAIL = "email", "E-mail"
    CALL = "call", "Call"
    LINKEDIN = "linkedin", "LinkedIn"
    VISIT = "visit", "Visit at the stand"
    TASK = "task", "Task"
    WAIT = "wait", "Wait"
    BRANCH = "branch", "Branch"
    END = "end", "End"


BY_HAND = frozenset({Kind.CALL, Kind.LINKEDIN, Kind.VISIT, Kind.TASK})
"""What a person does; the sequence waits until it is done."""


class Lane(TextChoices):
    MAIN = "", "Main"
    YES = "yes", "Yes"
    NO = "no", "No"


class PlannedStep(BaseModel):
    """One step of a published plan. ``id`` is the same in every version, however the steps are ordered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID
    kind: Kind
    label: str
    """Its place as the page writes it: ``3``, or ``3 yes 1``."""
    title: str = ""
    instructions: str = ""
    template_id: UUID | None = None
    comparison_id: UUID | None = None
    """Several wordings instead of the one of ``template_id``."""
    same_thread: bool = True
    resend_on_silence: bool = False
    anchor: Anchor = Anchor.PREVIOUS
    days: int = 0
    hours: int = 0
    business_days: bool = False
    at: time | None = None
    rule: Rule | None = None
    after: UUID | None = None
    if_yes: UUID | None = None
    if_no: UUID | None = None

    @property
    def delay(self) -> Delay:
        return Delay(anchor=self.anchor, days=self.days, hours=self.hours, business_days=self.business_days, at=self.at)


class Plan(BaseModel):
    """Every step of one version, and where it begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: UUID | None
    steps: tuple[PlannedStep, ...]

    def step(self, step_id: UUID | None) -> PlannedStep | None:
        return next((step for step in self.steps if step.id == step_id), None)

    def after(self, step: PlannedStep, *, answer: bool | None = None) -> PlannedStep | None:
        """The step that follows; ``answer`` is what the rule of a branch came to."""
        if step.kind == Kind.END:
            return None
        if step.kind == Kind.BRANCH:
            return self.step(step.if_yes if answer else step.if_no)
        return self.step(step.after)

    @property
    def mails(self) -> list[PlannedStep]:
        return [step for step in self.steps if step.kind == Kind.EMAIL]


class InvalidPlan(ValueError):
    """The steps cannot be run. ``problems`` holds ``(step_id or None, sentence)``."""

    def __init__(self, problems: Iterable[tuple[UUID | None, str]]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(sentence for _, sentence in self.problems))


class DraftStep(BaseModel):
    """A step as the builder keeps it: its place is a parent, a lane and a position."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID
    kind: Kind
    parent: UUID | None = None
    lane: Lane = Lane.MAIN
    position: int
    values: Mapping[str, Any]


def compile_plan(drafts: Iterable[DraftStep]) -> Plan:
    """The plan of these steps. Raises InvalidPlan with everything that is wrong at once."""
    drafts = list(drafts)
    lanes: dict[tuple[UUID | None, Lane], list[DraftStep]] = {}
    for draft in sorted(drafts, key=lambda one: one.position):
        lanes.setdefault((draft.parent, draft.lane), []).append(draft)
    problems = _problems(drafts, lanes)
    if problems:
        raise InvalidPlan(problems)
    steps = tuple(_walk(lanes, None, Lane.MAIN, then=None, prefix=""))
    main = lanes[None, Lane.MAIN]
    return Plan(first=main[0].id, steps=steps)


def _walk(
    lanes: Mapping[tuple[UUID | None, Lane], list[DraftStep]], parent: UUID | None, lane: Lane, *, then: UUID | None,
    prefix: str,
) -> Iterable[PlannedStep]:  # fmt: skip
    own = lanes.get((parent, lane), [])
    for number, draft in enumerate(own, start=1):
        after = own[number].id if number < len(own) else then
        label = f"{prefix}{number}"
        inner: dict[str, Any] = {}
        if draft.kind == Kind.BRANCH:
            yes, no = lanes.get((draft.id, Lane.YES), []), lanes.get((draft.id, Lane.NO), [])
            inner = {"if_yes": yes[0].id if yes else after, "if_no": no[0].id if no else after}
        yield PlannedStep(id=draft.id, kind=draft.kind, label=label, after=after, **inner, **draft.values)
        for side in (Lane.YES, Lane.NO):
            yield from _walk(lanes, draft.id, side, then=after, prefix=f"{label} {side} ")


def _problems(
    drafts: list[DraftStep], lanes: Mapping[tuple[UUID | None, Lane], list[DraftStep]]
) -> list[tuple[UUID | None, str]]:
    if not lanes.get((None, Lane.MAIN)):
        return [(None, "There are no steps yet: add at least one.")]
    if len(drafts) > MOST_STEPS:
        return [(None, f"A sequence has {MOST_STEPS} steps at most.")]
    by_id = {draft.id: draft for draft in drafts}
    found: list[tuple[UUID | None, str]] = []
    for draft in drafts:
        parent = by_id.get(draft.parent) if draft.parent else None
        if draft.parent and (parent is None or parent.kind != Kind.BRANCH or draft.lane == Lane.MAIN):
            found.append((draft.id, "This step stands in a branch that is not there any more."))
        if _depth(draft, by_id) > DEEPEST:
            found.append((draft.id, f"Branches can stand in each other {DEEPEST} deep at most."))
        if draft.kind == Kind.EMAIL and not draft.values.get("template_id"):
            found.append((draft.id, "Choose a template for this mail."))
        if draft.kind in BY_HAND and not draft.values.get("title"):
            found.append((draft.id, "Say what is to be done."))
        if draft.kind == Kind.BRANCH and not draft.values.get("rule"):
            found.append((draft.id, "Say what this branch asks."))
        if draft.kind == Kind.BRANCH and not lanes.get((draft.id, Lane.YES)) and not lanes.get((draft.id, Lane.NO)):
            found.append((draft.id, "This branch has no steps: add one to its yes or its no side."))
        siblings = lanes.get((draft.parent, draft.lane), [])
        if draft.kind == Kind.END and siblings and siblings[-1].id != draft.id:
            found.append((draft.id, "Nothing after this end would ever happen: move it to the last place."))
    if not any(draft.kind == Kind.EMAIL or draft.kind in BY_HAND for draft in drafts):
        found.append((None, "Nothing would be sent or done: add a mail or a task."))
    return found


def _depth(draft: DraftStep, by_id: Mapping[UUID, DraftStep]) -> int:
    depth, above = 0, by_id.get(draft.parent) if draft.parent else None
    while above is not None and depth <= DEEPEST:
        depth, above = depth + 1, by_id.get(above.parent) if above.parent else None
    return depth
