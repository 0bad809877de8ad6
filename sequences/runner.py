"""The worker of sequences: finds what is due, and takes up what mails and tasks came to.

Due rows stand in Postgres; a sweep takes them with SKIP LOCKED, so two workers, or two clocks, share the work and never
do it twice. Mails are sent by ``outreach.delivery``; here they are only planned and taken up again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from identity.scope import org_scope, system_scope
from outreach.models import Message
from sequences.journeys import Cause, Guide, Outcome, State
from sequences.models import Enrollment
from sequences.querysets import EnrollmentQuerySet

log = structlog.get_logger(__name__)

BATCH = 200
"""Enrollments moved in one transaction."""


@dataclass
class Tally:
    """What one run of the sweep came to."""

    processed: int = 0
    sent: int = 0
    completed: int = 0
    errors: int = 0

    def add(self, other: Tally) -> None:
        self.processed += other.processed
        self.sent += other.sent
        self.completed += other.completed
        self.errors += other.errors


_ends: ContextVar[Tally | None] = ContextVar("sequence_ends", default=None)


@contextmanager
def counted_ends() -> Iterator[Tally]:
    """Counts the mails of sequences whose end this thread takes up inside the block."""
    tally = Tally()
    token = _ends.set(tally)
    try:
        yield tally
    finally:
        _ends.reset(token)


def sweep(*, seconds: float) -> Tally:
    """Move what is due, for about ``seconds``. Any number of sweeps may run at once."""
    tally, deadline = Tally(), time.monotonic() + seconds
    for organization_id in due_organizations(timezone.now()):
        while time.monotonic() < deadline:
            moved = move_due(organization_id)
            tally.add(moved)
            if not moved.processed:
                break
    return tally


def due_organizations(now: datetime) -> list[UUID]:
    """Whose enrollments are due; looks at the first thousand due rows, so one organization cannot hide the others long."""
    with system_scope():
        first = Enrollment.objects.due(now).order_by("due_at", "id").values_list("organization_id", flat=True)[:1_000]
        return list(dict.fromkeys(first))


def at_hand(enrollments: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    """With everything a ``Guide`` needs."""
    return enrollments.select_related("sequence", "event", "mailbox", "organization", "person__account")


def _locked(enrollments: EnrollmentQuerySet) -> list[Enrollment]:
    return list(at_hand(enrollments.live()).order_by("id").select_for_update(of=("self",)))


def move_due(organization_id: UUID, *, now: datetime | None = None) -> Tally:
    """Move one batch of due enrollments, in one transaction. A batch that fails is moved one by one."""
    moment = now or timezone.now()
    with org_scope(organization_id):
        due = list(
            at_hand(Enrollment.objects.for_org(organization_id).due(moment))
            .order_by("due_at", "id")
            .select_for_update(of=("self",), skip_locked=True)[:BATCH]
        )
        if not due:
            return Tally()
        guide = Guide(organization_id, now=moment)
        guide.act(due)
        guide.write()
    return Tally(processed=len(due), completed=sum(one.state == State.COMPLETED for one in due))


def take_up(organization_id: UUID, messages: Sequence[Message]) -> None:
    """Mails of sequences have come to an end: their enrollments go on, stand still, or stop. Works inside the scope."""
    by_enrollment = {message.enrollment_id: message for message in messages if message.enrollment_id}
    enrollments = _locked(Enrollment.objects.for_org(organization_id).filter(pk__in=by_enrollment))
    guide = Guide(organization_id)
    for enrollment in enrollments:
        message = by_enrollment[enrollment.pk]
        if message.pk == enrollment.message_id:
            _take_up(guide, enrollment, message)
    guide.write()
    if tally := _ends.get():
        tally.add(
            Tally(
                processed=len(enrollments),
                sent=sum(by_enrollment[one.pk].state == Message.State.ACCEPTED for one in enrollments),
                completed=sum(one.state == State.COMPLETED for one in enrollments),
            )
        )


def _take_up(guide: Guide, enrollment: Enrollment, message: Message) -> None:
    match message.state:
        case Message.State.ACCEPTED:
            if enrollment.first_message_id is None:
                enrollment.first_message = message
            guide.go_on(enrollment, at=message.sent_at or guide.now, outcome=Outcome.SENT)
        case Message.State.HELD:
            late = message.not_after is not None and message.not_after <= guide.now
            guide.stand(enrollment, State.HELD, Cause.LATE if late else Cause.MAIL_HELD, message.reason)
        case Message.State.CANCELLED:
            guide.stand(
                enrollment, State.HELD, Cause.MAIL_HELD,
                "Its mail was cancelled. Skip the step, or take the person out.",
            )  # fmt: skip
        case Message.State.REJECTED:
            guide.end(enrollment, State.STOPPED, Cause.REJECTED, message.reason)
        case Message.State.SKIPPED:
            guide.end(enrollment, State.STOPPED, Cause.SUPPRESSED, message.reason)


def task_done(organization_id: UUID, task_ids: Sequence[UUID]) -> None:
    """Tasks of sequences were done: their enrollments go on. Works inside the scope."""
    guide = Guide(organization_id)
    for enrollment in _locked(Enrollment.objects.for_org(organization_id).filter(task__in=task_ids)):
        guide.go_on(enrollment, at=guide.now, outcome=Outcome.DONE)
    guide.write()
