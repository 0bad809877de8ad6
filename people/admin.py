from django.contrib import admin

from identity.admin_site import ReadMostlyAdmin
from people.import_models import ImportBlock, ListImport
from people.models import Person, PersonEmail, PersonTag


@admin.register(Person)
class PersonAdmin(ReadMostlyAdmin):
    list_display = ("name", "organization", "account", "title", "email", "icp_score", "owner")
    list_select_related = ("organization", "account", "owner")
    search_fields = ("name_norm__startswith", "email_norm__exact")
    search_help_text = "The beginning of the name, or the whole address."


@admin.register(PersonEmail)
class PersonEmailAdmin(ReadMostlyAdmin):
    list_display = ("email", "person", "is_primary", "organization")
    list_select_related = ("person", "organization")
    search_fields = ("email_norm__exact",)


@admin.register(PersonTag)
class PersonTagAdmin(ReadMostlyAdmin):
    list_display = ("person", "tag", "organization")
    list_select_related = ("person", "tag", "organization")


@admin.register(ListImport)
class ListImportAdmin(ReadMostlyAdmin):
    list_display = ("__str__", "organization", "status", "phase", "created_at")
    list_select_related = ("organization",)
    list_filter = ("status",)


@admin.register(ImportBlock)
class ImportBlockAdmin(ReadMostlyAdmin):
    list_display = ("list_import", "number", "organization")
    list_select_related = ("list_import", "organization")
    hidden = ("data",)
