"""What happens elsewhere and moves, stops or holds enrollments; each inside the transaction of the change."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.dispatch import receiver
from django.utils import timezone
from django.utils.formats import date_format

from common.happenings import Happening, Kind, happened
from identity.models import User
from outreach.classifying import ReplyClass
from outreach.guard import why_held
from outreach.models import AccountHold, InboundMail, Message, Suppression
from outreach.scopes import rows_within
from outreach.signals import (
    absence_told,
    account_released,
    account_stopped,
    accounts_held,
    contact_refused,
    mail_queued_again,
    messages_ended,
    reply_received,
)
from sequences import runner
from sequences.models import Enrollment
from sequences.services import enrollments as services
from sequences.services import moving

Cause, Reason = Enrollment.Cause, Suppression.Reason
CAUSE_OF_REFUSAL = {
    Reason.UNSUBSCRIBED: Cause.UNSUBSCRIBED,
    Reason.ASKED: Cause.UNSUBSCRIBED,
    Reason.COMPLAINT: Cause.COMPLAINED,
    Reason.HARD_BOUNCE: Cause.BOUNCED,
}


@receiver(messages_ended, dispatch_uid="sequences.messages_ended")
def after_messages(organization_id: UUID, messages: Sequence[Message], **_: Any) -> None:
    if any(message.enrollment_id for message in messages):
        runner.take_up(organization_id, messages)


@receiver(mail_queued_again, dispatch_uid="sequences.mail_queued_again")
def after_decision(message: Message, **_: Any) -> None:
    if message.enrollment_id:
        moving.mail_again(message)


@receiver(reply_received, dispatch_uid="sequences.reply")
def after_reply(message: Message, mail: InboundMail, **_: Any) -> None:
    """A person who answered gets no more automatic mail, from any sequence."""
    live = Enrollment.objects.for_org(message.organization_id).live().filter(person=message.person_id)
    if mail.label == ReplyClass.OPT_OUT:
        services.stop(message.organization_id, live, cause=Cause.UNSUBSCRIBED, reason="Asked us to stop.")
        return
    words = f"Answered: {mail.subject}" if mail.subject else "Answered."
    services.stop(message.organization_id, live, cause=Cause.REPLIED, reason=words)


@receiver(absence_told, dispatch_uid="sequences.absence")
def after_absence(message: Message, until: date | None, **_: Any) -> None:
    """Somebody who is away is written to when they are back, or a week later when they did not say."""
    back = until or timezone.localdate() + timedelta(days=7)
    for enrollment in Enrollment.objects.for_org(message.organization_id).live().filter(person=message.person_id):
        services.wait_until(
            enrollment,
            datetime.combine(back, time(8), tzinfo=ZoneInfo(enrollment.time_zone)),
            reason=f"Out of the office until {date_format(back, 'j F')}.",
        )


@receiver(contact_refused, dispatch_uid="sequences.refused")
def after_refusal(organization_id: UUID, person_ids: Sequence[UUID], reason: str, scope: str, **_: Any) -> None:
    """Whoever refuses mail leaves the sequences the refusal reaches."""
    live = Enrollment.objects.for_org(organization_id).live().filter(person__in=person_ids, **rows_within(scope))
    cause = CAUSE_OF_REFUSAL.get(Reason(reason), Cause.SUPPRESSED)
    services.stop(organization_id, live, cause=cause, reason=cause.label)


@receiver(happened, dispatch_uid="sequences.happened")
def after_happenings(happenings: Sequence[Happening], **_: Any) -> None:
    """A booked meeting ends the asking for one; a task that was done lets its enrollment go on."""
    booked = [h for h in happenings if h.kind == Kind.MEETING_SCHEDULED and h.person_id]
    for happening in booked:
        live = Enrollment.objects.for_org(happening.organization_id).live().filter(person=happening.person_id)
        services.stop(happening.organization_id, live, cause=Cause.MEETING, reason=happening.summary)
    for happening in happenings:
        if happening.kind == Kind.TASK_DONE and "task" in happening.data:
            runner.task_done(happening.organization_id, [UUID(happening.data["task"])])


@receiver(accounts_held, dispatch_uid="sequences.accounts_held")
def after_holds(organization_id: UUID, holds: Sequence[AccountHold], **_: Any) -> None:
    """Somebody at the account has reacted: everybody there stands still until its owner decides."""
    live = Enrollment.objects.for_org(organization_id).live()
    here = {hold.account_id for hold in holds}
    concerned = set(live.filter(person__account__in=here).values_list("person__account", flat=True))
    for hold in holds:
        if hold.account_id in concerned:
            there = live.filter(person__account=hold.account_id)
            services.suspend(organization_id, there, cause=Cause.GUARD, reason=why_held(hold))


@receiver(account_stopped, dispatch_uid="sequences.account_stopped")
def after_stop(hold: AccountHold, actor: User, **_: Any) -> None:
    live = Enrollment.objects.for_org(hold.organization_id).live().filter(person__account=hold.account_id)
    services.stop(hold.organization_id, live, reason=f"{actor.name} ended all automatic mail to the account.")


@receiver(account_released, dispatch_uid="sequences.account_released")
def after_release(hold: AccountHold, **_: Any) -> None:
    live = Enrollment.objects.for_org(hold.organization_id).live().filter(person__account=hold.account_id)
    paused = live.filter(cause=Cause.GUARD, sequence__status="paused")
    paused.update(state=Enrollment.State.PAUSED, cause=Cause.SEQUENCE_PAUSED, reason="")
    services.resume(hold.organization_id, live, causes=[Cause.GUARD])
