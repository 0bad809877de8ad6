"""What happens elsewhere and keeps automatic mail from an account; inside the transaction of the change."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from activities.models import BoothVisit
from activities.signals import visit_undone
from common.happenings import Happening, Kind, happened
from identity.models import User
from outreach import guard, reports
from outreach.models import AccountHold
from people.models import Person

CAUSES = {
    Kind.MEETING_SCHEDULED: AccountHold.Cause.MEETING,
    Kind.BOOTH_VISIT: AccountHold.Cause.SCAN,
}


@receiver(happened, dispatch_uid="outreach.guard")
def hold_after_happenings(happenings: Sequence[Happening], **_: Any) -> None:
    """A booked meeting, or a visit at the booth, holds the account: what its people get next is for its owner to say."""
    reacted: dict[UUID, list[guard.Reaction]] = defaultdict(list)
    for happening in happenings:
        if happening.kind in CAUSES and happening.account_id:
            cause = CAUSES[Kind(happening.kind)]
            reacted[happening.organization_id].append(
                guard.Reaction(
                    account_id=happening.account_id, cause=cause, reason=_words(cause, happening),
                    person_id=happening.person_id,
                )
            )  # fmt: skip
    for happening in happenings:
        if happening.kind == Kind.MEETING_SCHEDULED and happening.person_id:
            reports.note_meeting(
                happening.organization_id, happening.person_id, at=happening.occurred_at or timezone.now()
            )
    for organization_id, reactions in reacted.items():
        guard.hold_accounts(organization_id, reactions)


def _words(cause: AccountHold.Cause, happening: Happening) -> str:
    if cause == AccountHold.Cause.SCAN:
        person = Person.objects.for_org(happening.organization_id).filter(pk__in=[happening.person_id]).first()
        return f"{person.name} came to the booth." if person else f"{cause.label}."
    return f"Meeting booked: {happening.summary}" if happening.summary else f"{cause.label}."


@receiver(visit_undone, dispatch_uid="outreach.visit_undone")
def release_after_undo(visit: BoothVisit, actor: User, **_: Any) -> None:
    """The visit never was, so neither is the hold it brought."""
    held = AccountHold.objects.for_org(visit.organization_id).filter(person=visit.person_id, lifted_at=None)
    for hold in held.filter(cause=AccountHold.Cause.SCAN, since__gte=visit.created_at - timedelta(seconds=5)):
        guard.release_account(hold, actor=actor, reason="The visit at the booth was taken back.")
