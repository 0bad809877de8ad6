from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from activities.models import Activity, Task


class ActivityQuerySet(TenantQuerySet["Activity"]):
    def newest_first(self) -> Self:
        return self.order_by("-occurred_at", "-id")


class TaskQuerySet(TenantQuerySet["Task"]):
    def open(self) -> Self:
        return self.filter(done_at=None)
