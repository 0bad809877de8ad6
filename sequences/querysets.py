from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Count, Q, Sum

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from sequences.models import Enrollment, Sequence, Step


class SequenceQuerySet(TenantQuerySet["Sequence"]):
    def current(self) -> Self:
        """Everything that was not put away."""
        return self.exclude(status="archived")

    def with_shape(self) -> Self:
        """With ``step_count``, ``mail_count`` and ``days`` (the sum of the delays)."""
        return self.annotate(
            step_count=Count("steps"),
            mail_count=Count("steps", filter=Q(steps__kind="email")),
            days=Sum("steps__delay_days", filter=Q(steps__delay_from="previous"), default=0),
        )


class StepQuerySet(TenantQuerySet["Step"]):
    def in_order(self) -> Self:
        return self.order_by("position")


class EnrollmentQuerySet(TenantQuerySet["Enrollment"]):
    def live(self) -> Self:
        """Neither gone through nor stopped."""
        return self.filter(state__in=["active", "waiting", "held", "paused"])

    def due(self, now: datetime) -> Self:
        return self.filter(state="active", due_at__lte=now)
