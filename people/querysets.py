from typing import TYPE_CHECKING, Self

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from events.models import Event
    from people.models import Person


class PersonQuerySet(TenantQuerySet["Person"]):
    def at(self, event: "Event") -> Self:
        """People of the accounts that are targeted at the event."""
        return self.filter(account__targets__event=event)
