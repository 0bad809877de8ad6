from django.contrib import admin

from accounts.models import Account, AccountTag, Stand, Tag, TargetAccount
from identity.admin_site import ReadMostlyAdmin


@admin.register(Account)
class AccountAdmin(ReadMostlyAdmin):
    list_display = ("name", "organization", "domain", "country", "owner", "created_at")
    list_select_related = ("organization", "owner")
    search_fields = ("name_norm__startswith", "domain__exact")
    search_help_text = "The beginning of the name, or the whole domain."


@admin.register(TargetAccount)
class TargetAccountAdmin(ReadMostlyAdmin):
    list_display = ("account", "event", "organization", "tier", "status", "stage", "icp_score", "owner")
    list_select_related = ("account", "event", "organization", "owner")
    list_filter = ("tier", "status", "stage")
    search_fields = ("name_norm__startswith",)


@admin.register(Stand)
class StandAdmin(ReadMostlyAdmin):
    list_display = ("target", "hall", "number", "organization")
    list_select_related = ("target", "organization")
    search_fields = ("hall", "number")


@admin.register(Tag)
class TagAdmin(ReadMostlyAdmin):
    list_display = ("name", "organization")
    list_select_related = ("organization",)
    search_fields = ("name_norm",)


@admin.register(AccountTag)
class AccountTagAdmin(ReadMostlyAdmin):
    list_display = ("account", "tag", "organization")
    list_select_related = ("account", "tag", "organization")
