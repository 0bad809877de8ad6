"""Let time pass in a demo or a test: the clock stays, everything planned and everything past moves back."""

from datetime import timedelta
from uuid import UUID

from django.db import connection

from identity.scope import org_scope

MOMENTS = {
    "sequences_enrollment": ("due_at", "started_at", "previous_at", "finished_at"),
    "sequences_steprun": ("due_at", "done_at"),
    "outreach_message": (
        "due_at", "not_after", "sent_at", "delivered_at", "opened_at", "clicked_at", "replied_at", "bounced_at",
        "unknown_since", "created_at", "lease_until",
    ),
    "outreach_inboundmail": ("received_at",),
    "outreach_mailbox": ("throttled_until", "next_slot_at", "read_until"),
}  # fmt: skip
"""The columns that know when, by table. Days of shows stay: a show is on the calendar."""


def let_pass(organization_id: UUID, passed: timedelta) -> None:
    """Make it look as if ``passed`` had gone by in this organization."""
    with org_scope(organization_id), connection.cursor() as cursor:
        for table, columns in MOMENTS.items():
            changes = ", ".join(f"{column} = {column} - make_interval(secs => %(seconds)s)" for column in columns)
            cursor.execute(
                f"UPDATE {table} SET {changes} WHERE organization_id = %(organization)s",  # noqa: S608 - our own names
                {"seconds": passed.total_seconds(), "organization": organization_id},
            )
