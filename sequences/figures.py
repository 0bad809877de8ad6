"""What a sequence has come to: per sequence and per step. People's opens and clicks apart from those of machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from outreach.comparing import Board, board_of
from outreach.models import Comparison, Message
from sequences import journeys
from sequences.models import Enrollment, Sequence, SequenceVersion, StepRun

ON_TIME = timedelta(hours=1)
MAIL_COUNTS = {
    "sent": "sent_at", "delivered": "delivered_at", "opened": "opened_at", "clicked": "clicked_at",
    "replied": "replied_at", "bounced": "bounced_at", "unsubscribed": "unsubscribed_at",
    "machine_opened": "machine_opened_at", "machine_clicked": "machine_clicked_at",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """One step, over every version. ``passed`` counts those who have it behind; ``late`` is the mean delay of sending."""

    label: str
    title: str
    kind: str
    passed: int
    skipped: int
    yes: int
    late: timedelta | None
    mails: dict[str, int]

    @property
    def late_words(self) -> str:
        """``12 s``, ``3 min`` or ``2.5 h``; a dash while nothing has left."""
        if self.late is None:
            return "–"
        seconds = max(0.0, self.late.total_seconds())
        return (
            f"{seconds:.0f} s"
            if seconds < 90
            else f"{seconds / 60:.0f} min"
            if seconds < 5_400
            else f"{seconds / 3_600:.1f} h"
        )


@dataclass(frozen=True, kw_only=True)
class SequenceFigures:
    """Everything together, every step, and the comparison of each step that has one."""

    enrolled: int
    causes: dict[str, int]
    mails: dict[str, int]
    on_time: float | None
    """The share of mails that left within an hour of their slot."""
    steps: list[StepFigures]
    boards: list[tuple[str, Board]]


def figures_of(sequence: Sequence) -> SequenceFigures:
    """Count everything; five queries however many people there are. Works inside the scope."""
    organization_id = sequence.organization_id
    mine = Enrollment.objects.for_org(organization_id).filter(sequence=sequence).order_by()
    causes = dict(mine.values_list("cause").annotate(Count("pk")))
    mails = _mails(organization_id, sequence.pk)
    runs = _runs(organization_id, sequence.pk)
    sent = sum(run["sent"] for run in runs.values())
    in_time = sum(run["in_time"] for run in runs.values())
    return SequenceFigures(
        enrolled=sum(causes.values()), causes=causes,
        mails={name: sum(counts[name] for counts in mails.values()) for name in MAIL_COUNTS},
        on_time=in_time / sent if sent else None, steps=_steps(sequence, runs, mails), boards=_boards(sequence),
    )  # fmt: skip


def _mails(organization_id: UUID, sequence_id: UUID) -> dict[UUID, dict[str, int]]:
    rows = Message.objects.for_org(organization_id).filter(sequence_id=sequence_id).order_by().values("step_id")
    counts = {name: Count("pk", filter=Q(**{f"{column}__isnull": False})) for name, column in MAIL_COUNTS.items()}
    return {row["step_id"]: {name: row[name] for name in counts} for row in list[Any](rows.annotate(**counts))}


def _runs(organization_id: UUID, sequence_id: UUID) -> dict[UUID, dict[str, Any]]:
    late = ExpressionWrapper(F("done_at") - F("due_at"), output_field=DurationField())
    sent = Q(outcome=StepRun.Outcome.SENT)
    rows = StepRun.objects.for_org(organization_id).filter(sequence_id=sequence_id).order_by().values("step_id")
    found = rows.annotate(
        passed=Count("pk"), sent=Count("pk", filter=sent),
        in_time=Count("pk", filter=sent & Q(done_at__lte=F("due_at") + ON_TIME)),
        skipped=Count("pk", filter=Q(outcome=StepRun.Outcome.SKIPPED)),
        yes=Count("pk", filter=Q(outcome=StepRun.Outcome.YES)), late=Avg(late, filter=sent),
    )  # fmt: skip
    return {row["step_id"]: dict(row) for row in list[Any](found)}


def _steps(
    sequence: Sequence, runs: dict[UUID, dict[str, Any]], mails: dict[UUID, dict[str, int]]
) -> list[StepFigures]:
    """The steps of the newest version first, then those of older ones that some have behind."""
    versions = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    planned = {step.id: step for version in versions[:20] for step in reversed(journeys.plan_of(version).steps)}
    newest = versions.first()
    order = [step.id for step in journeys.plan_of(newest).steps] if newest else []
    older = [step_id for step_id in planned if step_id not in order and step_id in runs]
    none = dict.fromkeys(MAIL_COUNTS, 0)
    found = []
    for step_id in [*order, *older]:
        step, run = planned[step_id], runs.get(step_id, {})
        found.append(
            StepFigures(
                label=step.label if step_id in order else "", title=str(step.rule) if step.rule else step.title,
                kind=step.kind, passed=run.get("passed", 0), skipped=run.get("skipped", 0), yes=run.get("yes", 0),
                late=run.get("late"), mails=mails.get(step_id, none),
            )
        )  # fmt: skip
    return found


def _boards(sequence: Sequence) -> list[tuple[str, Board]]:
    """The comparisons that run in the newest version, with the label of their step."""
    newest = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence).first()
    compared = [step for step in journeys.plan_of(newest).mails if step.comparison_id] if newest else []
    known = Comparison.objects.for_org(sequence.organization_id).in_bulk([step.comparison_id for step in compared])
    return [(step.label, board_of(known[step.comparison_id])) for step in compared if step.comparison_id in known]
