"""What a sequence has come to: per sequence and per step. People's opens and clicks apart from those of machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from outreach.comparing import Board, board_of
from outreach.figures import Figures, figures_by, in_words, percentile, together
from outreach.models import Comparison, Message
from sequences import journeys
from sequences.models import Enrollment, Sequence, SequenceVersion, StepRun

ON_TIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """One step, over every version. ``passed`` counts those who have it behind; ``late`` and ``late_p95`` are seconds after
    the slot. ``variants`` has the figures of each wording where several are compared."""

    id: str
    label: str
    title: str
    kind: str
    passed: int
    skipped: int
    yes: int
    late: float | None
    late_p95: float | None
    mails: Figures
    variants: list[tuple[str, Figures]]

    @property
    def late_words(self) -> str:
        """Median and 95th percentile; a dash while nothing has left."""
        return (
            "–" if self.late is None or self.late_p95 is None else f"{in_words(self.late)} / {in_words(self.late_p95)}"
        )


@dataclass(frozen=True, kw_only=True)
class SequenceFigures:
    """Everything together, every step, and the comparison of each step that has one."""

    enrolled: int
    causes: dict[str, int]
    mails: Figures
    on_time: float | None
    """The share of mails that left within an hour of their slot."""
    steps: list[StepFigures]
    boards: list[tuple[str, Board]]


def figures_of(sequence: Sequence) -> SequenceFigures:
    """Count everything, in a fixed number of queries however many people there are. Works inside the scope."""
    organization_id = sequence.organization_id
    mine = Enrollment.objects.for_org(organization_id).filter(sequence=sequence).order_by()
    causes = dict(mine.values_list("cause").annotate(Count("pk")))
    mails = Message.objects.for_org(organization_id).filter(sequence_id=sequence.pk)
    by_step = {key[0]: found for key, found in figures_by(mails, "step_id").items()}
    runs = _runs(organization_id, sequence.pk)
    sent = sum(run["sent"] for run in runs.values())
    in_time = sum(run["in_time"] for run in runs.values())
    return SequenceFigures(
        enrolled=sum(causes.values()), causes=causes,
        mails=together(by_step.values()),
        on_time=in_time / sent if sent else None, steps=_steps(sequence, runs, by_step, mails), boards=_boards(sequence),
    )  # fmt: skip


def _runs(organization_id: UUID, sequence_id: UUID) -> dict[UUID, dict[str, Any]]:
    sent = Q(outcome=StepRun.Outcome.SENT)
    rows = StepRun.objects.for_org(organization_id).filter(sequence_id=sequence_id).order_by().values("step_id")
    found = rows.annotate(
        passed=Count("pk"), sent=Count("pk", filter=sent),
        in_time=Count("pk", filter=sent & Q(done_at__lte=F("due_at") + ON_TIME)),
        skipped=Count("pk", filter=Q(outcome=StepRun.Outcome.SKIPPED)),
        yes=Count("pk", filter=Q(outcome=StepRun.Outcome.YES)), late=percentile("done_at", "due_at", share=0.5, filter=sent),
        late_p95=percentile("done_at", "due_at", share=0.95, filter=sent),
    )  # fmt: skip
    return {row["step_id"]: dict(row) for row in list[Any](found)}


def _steps(
    sequence: Sequence, runs: dict[UUID, dict[str, Any]], by_step: dict[UUID, Figures], mails: QuerySet[Message]
) -> list[StepFigures]:
    """The steps of the newest version first, then those of older ones that some have behind."""
    versions = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    planned = {step.id: step for version in versions[:20] for step in reversed(journeys.plan_of(version).steps)}
    newest = versions.first()
    order = [step.id for step in journeys.plan_of(newest).steps] if newest else []
    older = [step_id for step_id in planned if step_id not in order and step_id in runs]
    by_variant = figures_by(mails.filter(comparison__isnull=False), "step_id", "variant")
    found = []
    for step_id in [*order, *older]:
        step, run = planned[step_id], runs.get(step_id, {})
        found.append(
            StepFigures(
                id=str(step_id), label=step.label if step_id in order else "", title=str(step.rule) if step.rule else step.title,
                kind=step.kind, passed=run.get("passed", 0), skipped=run.get("skipped", 0), yes=run.get("yes", 0),
                late=run.get("late"), late_p95=run.get("late_p95"), mails=by_step.get(step_id, Figures()),
                variants=[(key[1], found_) for key, found_ in sorted(by_variant.items(), key=str) if key[0] == step_id],
            )
        )  # fmt: skip
    return found


def _boards(sequence: Sequence) -> list[tuple[str, Board]]:
    """The comparisons that run in the newest version, with the label of their step."""
    newest = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence).first()
    compared = [step for step in journeys.plan_of(newest).mails if step.comparison_id] if newest else []
    known = Comparison.objects.for_org(sequence.organization_id).in_bulk([step.comparison_id for step in compared])
    return [(step.label, board_of(known[step.comparison_id])) for step in compared if step.comparison_id in known]
