"""Write what the other apps announce to the timeline."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from activities.models import Activity
from common.happenings import Happening, happened


@receiver(happened, dispatch_uid="activities.write")
def write(happenings: Sequence[Happening], **_: Any) -> None:
    now = timezone.now()
    Activity.objects.bulk_create(
        (
            Activity(
                kind=h.kind,
                organization_id=h.organization_id,
                actor_id=h.actor_id,
                event_id=h.event_id,
                account_id=h.account_id,
                person_id=h.person_id,
                summary=h.summary[:300],
                data=dict(h.data),
                occurred_at=h.occurred_at or now,
            )
            for h in happenings
        ),
        batch_size=2_000,
    )
