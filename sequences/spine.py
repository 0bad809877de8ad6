"""The draft as the builder draws it: cards in lanes, each with its place in words and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from uuid import UUID

from sequences import plan
from sequences.conditions import InvalidRule, read_rule
from sequences.models import Step

Problems = Iterable[tuple[UUID | None, str]]


@dataclass(kw_only=True)
class Card:
    """A step on the spine. ``lanes`` are the yes and the no side of a branch; ``place`` says where it stands, as a query."""

    step: Step
    label: str
    place: str
    is_first: bool
    is_last: bool
    problems: list[str]
    lanes: list[Lane] = field(default_factory=list)

    @property
    def asks(self) -> str:
        """What a branch asks, in words."""
        try:
            return str(read_rule(self.step.rule)) if self.step.rule else ""
        except InvalidRule as error:
            return str(error)


@dataclass(kw_only=True)
class Lane:
    """Steps below each other. ``key`` is how a page names the lane: the branch's id and the side, or nothing."""

    key: str
    label: str
    cards: list[Card] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Its end, as a query."""
        return f"lane={self.key}" if self.key else ""


def draw(steps: Many[Step], problems: Problems = ()) -> Lane:
    """The main lane with everything in it. ``steps`` come in the order of their positions."""
    wrong: dict[UUID | None, list[str]] = {}
    for step_id, sentence in problems:
        wrong.setdefault(step_id, []).append(sentence)
    inside: dict[tuple[UUID | None, str], list[Step]] = {}
    for step in steps:
        inside.setdefault((step.parent_id, step.lane), []).append(step)

    def lane(parent: Step | None, side: str, prefix: str) -> Lane:
        own = inside.get((parent.pk if parent else None, side), [])
        drawn = Lane(key=f"{parent.pk}.{side}" if parent else "", label=prefix.strip())
        for number, step in enumerate(own, start=1):
            label = f"{prefix}{number}"
            card = Card(
                step=step, label=label, place=f"lane={drawn.key}&at={number - 1}", is_first=number == 1,
                is_last=number == len(own), problems=wrong.get(step.pk, []),
            )  # fmt: skip
            if step.kind == plan.Kind.BRANCH:
                card.lanes = [lane(step, one, f"{label} {one} ") for one in (plan.Lane.YES, plan.Lane.NO)]
            drawn.cards.append(card)
        return drawn

    return lane(None, plan.Lane.MAIN, "")


def places(main: Lane, *, without: Step) -> list[tuple[str, str]]:
    """Every place the step can be moved to, as ``(value, words)``; the value is ``lane:position``."""
    found: list[tuple[str, str]] = []

    def visit(lane: Lane) -> None:
        others = [card for card in lane.cards if card.step.pk != without.pk]
        where = f" in {lane.label}" if lane.label else ""
        for position, card in enumerate(others):
            found.append((f"{lane.key}:{position}", f"Before {card.label}: {card.step.title}"))
            for inner in card.lanes:
                visit(inner)
        found.append((f"{lane.key}:{len(others)}", f"At the end{where}" if others else f"First{where}"))

    visit(main)
    return found
