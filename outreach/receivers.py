"""What happens elsewhere and keeps automatic mail from an account; inside the transaction of the change."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from common.happenings import Happening, Kind, happened
from outreach import guard
from outreach.models import AccountHold


@receiver(happened, dispatch_uid="outreach.guard")
def hold_after_happenings(happenings: Sequence[Happening], **_: Any) -> None:
    """A booked meeting holds the account: what goes out next to its people is for its owner to say."""
    booked: dict[UUID, list[guard.Reaction]] = defaultdict(list)
    for happening in happenings:
        if happening.kind == Kind.MEETING_SCHEDULED and happening.account_id:
            booked[happening.organization_id].append(
                guard.Reaction(
                    account_id=happening.account_id,
                    cause=AccountHold.Cause.MEETING,
                    reason=f"Meeting booked: {happening.summary}" if happening.summary else "A meeting is booked.",
                    person_id=happening.person_id,
                )
            )
    for organization_id, reactions in booked.items():
        guard.hold_accounts(organization_id, reactions)
