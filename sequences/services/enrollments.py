"""What can be asked of enrollments: rehearse, enroll, pause, resume, stop; and of everybody in a sequence."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Many
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from common.places import first_zone
from identity.models import User
from outreach import windows
from outreach.models import Message, SendAttempt
from sequences import runner
from sequences.enrolling import CannotEnroll, Enrolled, enroll, entrance, rehearse
from sequences.journeys import Cause, Guide, State
from sequences.models import Enrollment, Sequence
from sequences.querysets import EnrollmentQuerySet

__all__ = [
    "CannotEnroll",
    "CannotMove",
    "Enrolled",
    "archive",
    "enroll",
    "entrance",
    "lock_live",
    "lock_one",
    "mails_of",
    "pause_sequence",
    "rehearse",
    "resume",
    "resume_sequence",
    "stop",
    "suspend",
    "wait_until",
]  # fmt: skip


class CannotMove(Exception):
    """The enrollment cannot do this any more, or not yet; its text says why."""


# --- One or many on the way ------------------------------------------------------------------------------------------


def stop(organization_id: UUID, enrollments: EnrollmentQuerySet, *, cause: str = Cause.MANUAL, reason: str = "") -> int:
    """Take people out for good: what has not left is cancelled in this transaction. Returns how many were on the way."""
    with transaction.atomic():
        found = lock_live(organization_id, enrollments)
        guide = Guide(organization_id)
        for enrollment in found:
            guide.end(enrollment, State.STOPPED, cause, reason)
        guide.write()
        return len(found)


def suspend(
    organization_id: UUID, enrollments: EnrollmentQuerySet, *, cause: str = Cause.PAUSED, reason: str = ""
) -> int:
    """Let people stand where they are until ``resume``; nothing is sent meanwhile. Returns how many were moving."""
    with transaction.atomic():
        found = [one for one in lock_live(organization_id, enrollments) if one.state in {State.ACTIVE, State.WAITING}]
        guide = Guide(organization_id)
        for enrollment in found:
            guide.stand(enrollment, State.HELD if cause == Cause.GUARD else State.PAUSED, cause, reason)
        guide.write()
        # A mail that a worker has claimed and not begun is taken from it; its last gate finds the token gone.
        begun = SendAttempt.objects.filter(message=OuterRef("pk"), outcome__in=["open", "unknown"])
        claimed = Q(state=Message.State.SENDING) & ~Exists(begun)
        mails_of(organization_id, found).filter(Q(state=Message.State.QUEUED) | claimed).update(
            state=Message.State.PLANNED, token=None, lease_until=None, updated_at=guide.now,
            cause=Message.Cause.ACCOUNT_HELD if cause == Cause.GUARD else Message.Cause.PAUSED,
            reason=(reason or Cause(cause).label)[:300],
        )  # fmt: skip
        return len(found)


def resume(organization_id: UUID, enrollments: EnrollmentQuerySet, *, causes: Iterable[str] = (Cause.PAUSED,)) -> int:
    """Let people who were suspended for one of ``causes`` go on; what is late leaves in the next open window."""
    with transaction.atomic():
        found = [one for one in lock_live(organization_id, enrollments) if one.cause in set(causes) and one.is_live]
        guide = Guide(organization_id)
        for enrollment in found:
            if enrollment.message_id:
                guide.stand(enrollment, State.WAITING, Cause.MAIL)
            elif enrollment.task_id:
                guide.stand(enrollment, State.WAITING, Cause.TASK)
            else:
                guide.stand(enrollment, State.ACTIVE, Cause.SCHEDULED)
        guide.write()
        _release_mails(organization_id, found, guide.now)
        return len(found)


def _release_mails(organization_id: UUID, enrollments: Many[Enrollment], now: datetime) -> None:
    by_mail = {one.message_id: one for one in enrollments if one.message_id}
    waiting = list(Message.objects.for_org(organization_id).filter(pk__in=by_mail, state=Message.State.PLANNED))
    for message in waiting:
        one = by_mail[message.pk]
        message.state, message.cause, message.reason = Message.State.QUEUED, "", ""
        message.updated_at = now
        message.due_at = postponed(one, message.due_at or now, now)
        message.not_after = message.due_at + timedelta(hours=one.sequence.late_after_hours)
    Message.objects.bulk_update(
        waiting, ["state", "cause", "reason", "due_at", "not_after", "updated_at"], batch_size=500
    )


def postponed(enrollment: Enrollment, due: datetime, earliest: datetime) -> datetime:
    """The slot of a mail that must not leave before ``earliest``: the first open moment of its window from then on."""
    moment = max(due, earliest)
    if not moment > due:
        return due
    mailbox = enrollment.mailbox
    is_holiday = mailbox.holidays_of(enrollment.person.nearest_country)
    return windows.first_open(moment, mailbox.window, zone=first_zone(enrollment.time_zone), is_holiday=is_holiday)


@transaction.atomic
def wait_until(enrollment: Enrollment, moment: datetime, *, reason: str) -> None:
    """The person is away: nothing is due before ``moment``. Raises ``CannotMove`` when it has ended."""
    found = lock_one(enrollment)
    guide = Guide(found.organization_id)
    if found.state == State.ACTIVE:
        found.due_at = max(found.due_at or moment, moment)
    guide.stand(found, found.state, Cause.OUT_OF_OFFICE, reason)
    guide.write()
    mail = mails_of(found.organization_id, [found]).filter(state=Message.State.QUEUED).first()
    if mail is not None:
        due = postponed(found, mail.due_at or moment, moment)
        Message.objects.filter(pk=mail.pk, state=Message.State.QUEUED).update(
            due_at=due, not_after=due + timedelta(hours=found.sequence.late_after_hours), reason=reason[:300],
            updated_at=guide.now,
        )  # fmt: skip


def lock_one(enrollment: Enrollment) -> Enrollment:
    """The enrollment, locked. Raises ``CannotMove`` when it has ended."""
    found = lock_live(enrollment.organization_id, Enrollment.objects.filter(pk=enrollment.pk))
    if not found:
        raise CannotMove("This person is not in the sequence any more.")
    return found[0]


def lock_live(organization_id: UUID, enrollments: EnrollmentQuerySet) -> list[Enrollment]:
    """The live ones among them, their mails locked before themselves: the order everybody locks in."""
    ids = list(enrollments.filter(organization_id=organization_id).live().values_list("pk", flat=True))
    mails = Message.objects.for_org(organization_id).filter(enrollment_id__in=ids).order_by("id")
    list(mails.select_for_update().values_list("pk", flat=True))
    locked = Enrollment.objects.for_org(organization_id).live().filter(pk__in=ids).order_by("id")
    return list(runner.at_hand(locked).select_for_update(of=("self",)))


def mails_of(organization_id: UUID, enrollments: Many[Enrollment]) -> QuerySet[Message]:
    return Message.objects.for_org(organization_id).filter(
        pk__in=[one.message_id for one in enrollments if one.message_id]
    )


# --- The whole sequence ----------------------------------------------------------------------------------------------


@transaction.atomic
def pause_sequence(sequence: Sequence) -> int:
    """Hold everybody in it where they are. Returns how many."""
    _set_status(sequence, Sequence.Status.PAUSED)
    return suspend(sequence.organization_id, _everybody_in(sequence), cause=Cause.SEQUENCE_PAUSED)


@transaction.atomic
def resume_sequence(sequence: Sequence) -> int:
    """Let everybody whom the pause held go on. Returns how many."""
    _set_status(sequence, Sequence.Status.ACTIVE)
    return resume(sequence.organization_id, _everybody_in(sequence), causes=[Cause.SEQUENCE_PAUSED])


@transaction.atomic
def archive(sequence: Sequence, *, archived: bool, actor: User) -> Sequence:
    """Put the sequence away, which stops everybody in it, or take it out again as a draft."""
    _set_status(sequence, Sequence.Status.ARCHIVED if archived else Sequence.Status.DRAFT)
    if archived:
        reason = f"{actor.name} put the sequence away."
        stop(sequence.organization_id, _everybody_in(sequence), cause=Cause.MANUAL, reason=reason)
    return sequence


def _set_status(sequence: Sequence, status: Sequence.Status) -> None:
    sequence.status = status
    sequence.save(update_fields=["status", "updated_at"])


def _everybody_in(sequence: Sequence) -> EnrollmentQuerySet:
    return Enrollment.objects.for_org(sequence.organization_id).filter(sequence=sequence)
