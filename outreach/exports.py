"""Messages in the full export."""

from uuid import UUID

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.exports import full_export
from common.copying import Column, Table, plain
from events.models import Event
from outreach.models import Message


def all_messages(organization_id: UUID, event: Event | None) -> Table:
    """Every message with whom it went to and what came back; with ``event`` only those of the show."""
    columns = [
        Column("id", "Message ID", Cast(F("pk"), TextField()), text=False),
        Column("personId", "Person ID", Cast(F("person_id"), TextField()), text=False),
        plain("personName", "Name", "person__name"), plain("email", "Email", "to_address"),
        Column("company", "Company", Coalesce(F("account__name"), Value(""))),
        plain("channel", "Channel", "channel", text=False), plain("subject", "Subject", "subject"),
        plain("message", "Message", "body"), plain("status", "Message status", "status", text=False),
        plain("sentAt", "Sent at", "sent_at", text=False), plain("openedAt", "Opened at", "opened_at", text=False),
        plain("clickedAt", "Clicked at", "clicked_at", text=False),
        plain("repliedAt", "Replied at", "replied_at", text=False),
    ]  # fmt: skip

    def rows() -> "QuerySet[Message]":
        mine = Q(event=event) if event else Q()
        return Message.objects.for_org(organization_id).filter(mine).order_by("pk")

    return Table("outreach", columns, rows)


full_export["outreach"] = all_messages
