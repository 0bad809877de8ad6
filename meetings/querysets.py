from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from events.models import Event
    from identity.models import User
    from meetings.models import Meeting


class MeetingQuerySet(TenantQuerySet["Meeting"]):
    def at(self, event: "Event") -> Self:
        return self.filter(event=event)

    def of_rep(self, user: "User") -> Self:
        return self.filter(rep=user)

    def occupying(self) -> Self:
        """Meetings that keep their rep and their table from being booked by others."""
        return self.filter(status__in=self.model.OCCUPYING)

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Self:
        """Meetings that share time with the span; one that ends as the span begins does not."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)

    def on_day(self, event: "Event", day: date) -> Self:
        """Meetings that begin on ``day`` as the show's clocks have it."""
        begin = datetime.combine(day, time.min, tzinfo=event.zone)
        end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=event.zone)
        return self.filter(starts_at__gte=begin, starts_at__lt=end)

    def for_page(self) -> Self:
        """With everything a list, the grid or the API shows of a meeting, in a fixed number of queries."""
        return self.select_related("event", "account", "rep", "table").prefetch_related("attendees__person")
