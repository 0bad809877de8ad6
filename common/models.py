"""The base of every business row."""

from typing import Any, TypeVar

from django.db import models

from common.ids import uuid7
from common.querysets import TenantQuerySet

ST = TypeVar("ST")
GT = TypeVar("GT")


class TimestampedModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class TenantModel(TimestampedModel):
    """A row that belongs to one organization; Postgres hides it from every other one (``common.tenancy``)."""

    organization = models.ForeignKey(
        "identity.Organization",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


class TenantForeignKey(models.ForeignKey[ST, GT]):
    """A foreign key between two rows of one organization.

    The database constraint is composite, ``(organization_id, <column>)`` to ``(organization_id, id)``, and made by
    ``common.tenancy.ProtectTenantTables``: a plain one would accept another organization's row, because foreign key
    checks ignore row-level security.
    """

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class WebAddressField(models.URLField):  # type: ignore[type-arg]  # not generic when it runs
    """A web address; typed without a scheme it is taken for ``https``. For migrations it is a plain ``URLField``."""

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"assume_scheme": "https", **kwargs})
