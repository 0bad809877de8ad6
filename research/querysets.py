from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Q

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from research.models import ScoringRun


class ScoringRunQuerySet(TenantQuerySet["ScoringRun"]):
    def active(self) -> Self:
        return self.filter(status__in=["queued", "running"])

    def due(self, now: datetime) -> Self:
        """Runs that wait, and runs whose worker has not been heard of for a lease."""
        return self.active().filter(Q(leased_until=None) | Q(leased_until__lt=now))
