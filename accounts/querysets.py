from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import Account, TargetAccount
    from events.models import Event


class AccountQuerySet(TenantQuerySet["Account"]):
    def targeted_at(self, event: "Event") -> Self:
        return self.filter(targets__event=event)


class TargetAccountQuerySet(TenantQuerySet["TargetAccount"]):
    def at(self, event: "Event") -> Self:
        return self.filter(event=event)
