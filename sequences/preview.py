"""What would happen to a person, step by step, with dates in their zone. Pure projection: nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from common.ids import uuid7
from identity.models import Organization
from outreach.drafting import zone_of
from outreach.models import Mailbox
from people.models import Person
from sequences import timing
from sequences.conditions import Facts
from sequences.facts import facts_of
from sequences.journeys import Guide
from sequences.models import Enrollment, Sequence
from sequences.plan import BY_HAND, MOST_STEPS, Kind, Plan, PlannedStep

SHOW = frozenset({timing.Anchor.EVENT_START, timing.Anchor.EVENT_END})


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """When a step would be due for one person, in their zone or the show's; ``note`` says what is special about it."""

    step: PlannedStep
    due: datetime | None
    note: str = ""

    @property
    def when(self) -> str:
        """``Mon 23 Nov, 08:30`` as the clocks there have it; pages must not move it into the reader's zone."""
        return f"{self.due:%a} {self.due.day} {self.due:%b, %H:%M}" if self.due else ""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """The way of one person through a plan; steps they would not come to are missing."""

    person: Person
    zone: ZoneInfo
    steps: dict[str, Foreseen]
    """By the label of the step."""

    def along(self, plan: Plan) -> list[Foreseen | None]:
        """One entry for each step of the plan, in its order."""
        return [self.steps.get(step.label) for step in plan.steps]


def outlooks(organization: Organization, sequence: Sequence, plan: Plan, people: Iterable[Person]) -> list[Outlook]:
    """What would happen if these people began now. Works inside the scope."""
    now = timezone.now()
    enrollments = []
    for person in people:
        enrollment = Enrollment(
            id=uuid7(), organization=organization, sequence=sequence, person=person, event=sequence.event,
            mailbox=sequence.mailbox or Mailbox(organization=organization), started_at=now, previous_at=now,
        )  # fmt: skip
        enrollment.time_zone = str(zone_of(person, event=enrollment.event, organization=enrollment.organization))
        enrollments.append(enrollment)
    facts = facts_of(organization.pk, enrollments)
    first = plan.step(plan.first)
    return [
        Outlook(
            person=one.person, zone=ZoneInfo(one.time_zone),
            steps={seen.step.label: seen for seen in foresee(one, plan, first, facts[one.pk], now=now)},
        )
        for one in enrollments
    ]  # fmt: skip


def foresee(
    enrollment: Enrollment, plan: Plan, step: PlannedStep | None, facts: Facts, *, now: datetime
) -> list[Foreseen]:
    """The steps from ``step`` on as they would happen. Moves ``previous_at`` of the enrollment, which is not saved."""
    guide, zone, found = Guide(enrollment.organization_id, now=now), ZoneInfo(enrollment.time_zone), list[Foreseen]()
    while step is not None and len(found) < MOST_STEPS:
        try:
            due = guide.due(enrollment, step)
        except timing.NoAnchor as error:
            return [*found, Foreseen(step=step, due=None, note=str(error))]
        answer = step.rule.holds(facts) if step.rule else None
        note = "" if answer is None else f"{'Yes' if answer else 'No'}, as of today"
        if due < now and step.kind in BY_HAND:
            note = "Its day has passed: at once"
        there = zone
        if step.anchor in SHOW and enrollment.event:
            there, note = enrollment.event.zone, note or "Time of the show"
        found.append(Foreseen(step=step, due=max(due, now).astimezone(there), note=note))
        enrollment.previous_at = max(due, now) if step.kind in BY_HAND or step.kind == Kind.EMAIL else due
        step = plan.after(step, answer=answer)
    return found
