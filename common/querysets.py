"""The queryset every tenant model starts from."""

from typing import TYPE_CHECKING, Self, TypeVar
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from identity.models import Organization

M = TypeVar("M", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[M]):
    def for_org(self, organization: "Organization | UUID") -> Self:
        """Rows of this organization only. Row-level security is the second net, never the first."""
        return self.filter(organization_id=getattr(organization, "pk", organization))
