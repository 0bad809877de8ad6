"""Write what the other apps announce to the timeline."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from django.dispatch import receiver
from django.utils import timezone

from activities.models import Activity
from common.happenings import Happening, Kind, happened, happened_in_bulk
from common.ids import UUID7_SQL, uuid7
from people.importing import undoing

# What is said of every record, or of changes that the field history knows.
undoing.says_nothing[Activity] = models.Q(
    kind__in=[Kind.ACCOUNT_CREATED, Kind.ACCOUNT_UPDATED, Kind.PERSON_CREATED, Kind.PERSON_UPDATED, Kind.SCORE_UPDATED]
)


@receiver(happened, dispatch_uid="activities.write")
def write(happenings: Sequence[Happening], **_: Any) -> None:
    now = timezone.now()
    Activity.objects.bulk_create(
        (
            Activity(
                id=h.entry_id or uuid7(),
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


@receiver(happened_in_bulk, dispatch_uid="activities.write_selected")
def write_selected(select: str, params: Sequence[Any], **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO activities_activity (id, created_at, updated_at, occurred_at, data, kind, organization_id, "  # noqa: S608
            "actor_id, event_id, account_id, person_id, summary) "
            f"SELECT {UUID7_SQL}, now(), now(), now(), '{{}}'::jsonb, h.* FROM ({select}) h",
            params,
        )
