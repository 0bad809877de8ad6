"""Where people go on: at the next step, at another one, by another version, and after somebody has decided."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from identity.models import User
from outreach import guard
from outreach.models import AccountHold, Message
from outreach.services import messages
from outreach.services.campaigns import CannotSend
from sequences import journeys
from sequences.journeys import Cause, Guide, Outcome, State
from sequences.models import Enrollment, SequenceVersion, StepRun
from sequences.services.enrollments import CannotMove, lock_live, lock_one, mails_of, resume

RELEASABLE = (Cause.PAUSED, Cause.GUARD, Cause.LATE, Cause.NO_EVENT)
"""Why people stand still whom ``release`` may let go on."""


@transaction.atomic
def skip(enrollment: Enrollment) -> None:
    """Leave the step under way out and go to the next. Raises ``CannotMove`` when its mail may have left."""
    found = lock_one(enrollment)
    _withdraw_mail(found, reason="The step was skipped.")
    guide = Guide(found.organization_id)
    guide.go_on(found, at=guide.now, outcome=Outcome.SKIPPED)
    guide.write()


@transaction.atomic
def move_to(enrollment: Enrollment, *, step_id: UUID, version: SequenceVersion | None = None) -> None:
    """Go on at another step, of the same or of a newer version. Raises ``CannotMove``: no step runs twice."""
    found = lock_one(enrollment)
    if version is not None:
        found.version = version
    step = journeys.plan_of(found).step(step_id)
    if step is None:
        raise CannotMove("This step is not in that version.")
    if StepRun.objects.for_org(found.organization_id).filter(enrollment=found, step_id=step_id).exists():
        raise CannotMove("This step is behind already, and no step runs twice.")
    if Message.objects.for_org(found.organization_id).filter(enrollment_id=found.pk, step_id=step_id).exists():
        raise CannotMove("The mail of this step exists already, and no mail is sent twice.")
    _withdraw_mail(found, reason="Moved to another step.")
    guide = Guide(found.organization_id)
    guide.place(found, step)
    guide.write()
    if version is not None:
        found.save(update_fields=["version", "updated_at"])


@transaction.atomic
def to_version(enrollment: Enrollment, *, version: SequenceVersion) -> None:
    """Go on by another version at the step where they stand, which keeps its date. Raises ``CannotMove``."""
    found = lock_one(enrollment)
    if found.version_id == version.pk:
        raise CannotMove(f"Is on version {version.number} already.")
    step = journeys.plan_of(version).step(found.step_id)
    if step is None:
        raise CannotMove(f"Their step is not in version {version.number}: choose the step to go on with.")
    untried = mails_of(found.organization_id, [found]).filter(attempts=0, state__in=journeys.NOT_GONE)
    untried.exclude(state=Message.State.SENDING).update(
        template=step.template_id, resend_on_silence=step.resend_on_silence, updated_at=timezone.now()
    )
    found.version = version
    found.save(update_fields=["version", "updated_at"])


def _withdraw_mail(enrollment: Enrollment, *, reason: str) -> None:
    journeys.withdraw(enrollment.organization_id, [enrollment.pk], reason=reason)
    in_flight = [Message.State.SENDING, Message.State.UNKNOWN]
    if mails_of(enrollment.organization_id, [enrollment]).filter(state__in=in_flight).exists():
        raise CannotMove("Its mail is on the way, or may be: wait until that is known.")
    # Cancelling it was our own wish, so nobody has to be told.
    mails_of(enrollment.organization_id, [enrollment]).update(to_announce=False)


@transaction.atomic
def release(enrollment: Enrollment, *, actor: User) -> None:
    """Somebody who was stopped on the way goes on by a member's decision; a held account is released with everybody there.

    Raises ``CannotMove`` when the decision is one about the mail or the sequence, or nothing is to be decided.
    """
    hold = _hold_of(enrollment) if enrollment.cause == Cause.GUARD else None
    if hold is not None:
        guard.release_account(hold, actor=actor, reason="Released with the people of a sequence.")
        return
    found = lock_one(enrollment)
    match found.cause:
        case Cause.PAUSED | Cause.GUARD:
            resume(found.organization_id, Enrollment.objects.filter(pk=found.pk), causes=[found.cause])
        case Cause.LATE if found.message is not None:
            try:
                messages.decide(found.message, decision="again", actor=actor)
            except (CannotSend, messages.WrongState) as error:
                raise CannotMove(str(error)) from error
        case Cause.NO_EVENT if found.sequence.event_id:
            _at_the_show(found)
        case Cause.NO_EVENT:
            raise CannotMove("Choose the show of the sequence first.")
        case Cause.SEQUENCE_PAUSED:
            raise CannotMove("The sequence is paused: let it go on.")
        case Cause.MAIL_HELD:
            raise CannotMove("Decide on the mail first, or skip the step.")
        case _:
            raise CannotMove("Is on the way already.")


def _hold_of(enrollment: Enrollment) -> AccountHold | None:
    held = AccountHold.objects.for_org(enrollment.organization_id).filter(lifted_at=None)
    return held.filter(account__people=enrollment.person_id).first()


def _at_the_show(enrollment: Enrollment) -> None:
    """Their step counts from the show the sequence has now."""
    enrollment.event = enrollment.sequence.event
    enrollment.save(update_fields=["event", "updated_at"])
    step = journeys.plan_of(enrollment).step(enrollment.step_id)
    if step is not None:
        guide = Guide(enrollment.organization_id)
        guide.place(enrollment, step)
        guide.write()


def mail_again(message: Message) -> None:
    """A member lets a held mail of a sequence leave: whoever waits for it is under way again."""
    held = Enrollment.objects.for_org(message.organization_id).filter(message=message, state=State.HELD)
    for enrollment in lock_live(message.organization_id, held):
        guide = Guide(message.organization_id)
        guide.stand(enrollment, State.WAITING, Cause.MAIL)
        guide.write()
