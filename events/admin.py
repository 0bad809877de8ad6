from django.contrib import admin

from events.models import Event, EventCost
from identity.admin_site import ReadMostlyAdmin


@admin.register(Event)
class EventAdmin(ReadMostlyAdmin):
    list_display = ("name", "organization", "starts_on", "ends_on", "time_zone", "venue", "booth")
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "venue", "city")
    editable = ("name", "starts_on", "ends_on", "time_zone", "venue", "city", "country", "website", "booth", "notes")


@admin.register(EventCost)
class EventCostAdmin(ReadMostlyAdmin):
    list_display = ("event", "kind", "amount", "description", "organization")
    list_select_related = ("event", "organization")
    list_filter = ("kind",)
    search_fields = ("description", "event__name")
