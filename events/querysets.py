from datetime import date
from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from events.models import Event


class EventQuerySet(TenantQuerySet["Event"]):
    def in_use(self) -> Self:
        """Shows that were not put away: what the switcher and every choice of a show offer."""
        return self.filter(archived_at=None)

    def upcoming(self, today: date) -> Self:
        """Shows that are not over, the nearest first."""
        return self.filter(ends_on__gte=today).order_by("starts_on", "name")
