from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import TargetAccount
    from events.models import Event


class TargetAccountQuerySet(TenantQuerySet["TargetAccount"]):
    def at(self, event: "Event") -> Self:
        return self.filter(event=event)
