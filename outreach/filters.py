"""What the list of messages can be filtered by."""

from __future__ import annotations

from datetime import UTC, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from events.models import Event
from identity.models import Organization, User
from outreach.models import Campaign, Message

State = Message.State
SHOWN = {
    "draft": ("Drafts", Q(state__in=[State.DRAFT, State.PLANNED])),
    "waiting": ("Waiting to leave", Q(state__in=[State.QUEUED, State.SENDING])),
    "sent": ("Sent", Q(sent_at__isnull=False)),
    "opened": ("Opened", Q(opened_at__isnull=False)),
    "clicked": ("Clicked", Q(clicked_at__isnull=False)),
    "replied": ("Answered", Q(replied_at__isnull=False)),
    "bounced": ("Bounced", Q(bounced_at__isnull=False)),
    "decide": ("Needs a decision", Q(state__in=[State.UNKNOWN, State.HELD])),
    "left_out": ("Left out", Q(state__in=[State.SKIPPED, State.REJECTED, State.CANCELLED])),
}


class MessageFilter:
    """The query string of the list, understood; what makes no sense in it is left out."""

    def __init__(self, query: QueryDict, *, organization: Organization, user: User, event: Event | None) -> None:
        self.organization, self.user, self.event = organization, user, event
        self.everything = event is None or query.get("all") == "1"
        self.show = query.get("show", "") if query.get("show", "") in SHOWN else ""
        self.status = query.get("status", "") if query.get("status", "") in Message.Status.values else ""
        self.days = self._days(query.get("days", ""))
        self.mine = query.get("owner") == "me"
        self.campaign = self._campaign(query.get("campaign", ""))
        self.q = query.get("q", "").replace("\x00", "").strip()[:200]

    def _days(self, value: str) -> int:
        """Only what was sent in so many UTC days, today included; 0 for any time."""
        return min(int(value), 3_660) if value.isascii() and value.isdigit() else 0

    def _campaign(self, value: str) -> Campaign | None:
        try:
            return Campaign.objects.for_org(self.organization).filter(pk=UUID(value)).first()
        except ValueError:
            return None

    def rows(self) -> QuerySet[Message]:
        rows = Message.objects.for_org(self.organization)
        if self.campaign:
            rows = rows.filter(campaign=self.campaign)
        elif self.event and not self.everything:
            rows = rows.at(self.event)
        if self.show:
            rows = rows.filter(SHOWN[self.show][1])
        if self.status:
            rows = rows.filter(status=self.status)
        if self.days:
            midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            rows = rows.filter(sent_at__gte=midnight - timedelta(days=self.days - 1))
        if self.mine:
            rows = rows.filter(owner=self.user)
        if self.q:
            rows = rows.filter(
                Q(person__name_norm__contains=self.q.lower())
                | Q(subject__icontains=self.q)
                | Q(to_address__icontains=self.q)
            )
        return rows

    @property
    def status_label(self) -> str:
        return Message.Status(self.status).label if self.status else ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.show or self.status or self.days or self.mine or self.campaign or self.q)
