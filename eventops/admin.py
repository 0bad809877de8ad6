"""The tenant models whose own app says nothing about the admin."""

from django.apps import apps
from django.contrib import admin
from django.db import models

from common.tenancy import is_tenant_model
from identity.admin_site import ReadMostlyAdmin


class PlainAdmin(ReadMostlyAdmin):
    list_display = ("__str__", "organization")
    list_select_related = ("organization",)
    ordering = ("-pk",)


def _is_shown(model: type[models.Model]) -> bool:
    """History tables are read through ``identity.history``; the admin cannot name a row by two columns."""
    is_history = hasattr(model, "pgh_tracked_model")
    return is_tenant_model(model) and not is_history and not isinstance(model._meta.pk, models.CompositePrimaryKey)


for model in apps.get_models():
    if _is_shown(model) and not admin.site.is_registered(model):
        admin.site.register(model, PlainAdmin)
