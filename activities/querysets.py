from typing import TYPE_CHECKING, Self

from django.db.models import Q

from accounts.models import Account
from common.querysets import TenantQuerySet
from people.models import Person

if TYPE_CHECKING:
    from activities.models import Activity, Task


class ActivityQuerySet(TenantQuerySet["Activity"]):
    def about(self, subject: "Account | Person") -> Self:
        """What stands on the timeline of an account or a person; with a person also the import they came with."""
        if isinstance(subject, Account):
            return self.filter(account=subject)
        return (
            self.filter(Q(person=subject) | Q(pk=subject.import_id))
            if subject.import_id
            else self.filter(person=subject)
        )

    def newest_first(self) -> Self:
        return self.order_by("-occurred_at", "-id")


class TaskQuerySet(TenantQuerySet["Task"]):
    def open(self) -> Self:
        return self.filter(done_at=None)
