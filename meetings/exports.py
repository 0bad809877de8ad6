"""Meetings in the full export."""

from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.exports import full_export
from common.copying import Column, Table, plain
from events.models import Event
from meetings.models import Attendee, Meeting


def all_meetings(organization_id: UUID, event: Event | None) -> Table:
    """Every meeting with its first contact; with ``event`` only those of the show. Times are UTC."""
    first = Attendee.objects.filter(meeting=OuterRef("pk")).order_by("-is_primary", "created_at")
    columns = [
        Column("id", "Meeting ID", Cast(F("pk"), TextField()), text=False),
        Column("personId", "Person ID", Cast(Subquery(first.values("person_id")[:1]), TextField()), text=False),
        Column("personName", "Name", Coalesce(Subquery(first.values("person__name")[:1]), Value(""))),
        Column("company", "Company", Coalesce(F("account__name"), Value(""))), plain("title", "Title", "title"),
        plain("scheduledAt", "Scheduled at", "starts_at", text=False), plain("endsAt", "Ends at", "ends_at", text=False),
        plain("location", "Location", "location"), plain("status", "Meeting status", "status", text=False),
        plain("meetingType", "Meeting type", "meeting_type", text=False), plain("notes", "Notes", "notes"),
        plain("outcome", "Outcome", "outcome"),
    ]  # fmt: skip

    def rows() -> "QuerySet[Meeting]":
        mine = Q(event=event) if event else Q()
        return Meeting.objects.for_org(organization_id).filter(mine).order_by("pk")

    return Table("meetings", columns, rows)


full_export["meetings"] = all_meetings
