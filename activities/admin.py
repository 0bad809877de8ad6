from django.contrib import admin

from activities.models import Activity, Note, Task
from identity.admin_site import ReadMostlyAdmin


@admin.register(Activity)
class ActivityAdmin(ReadMostlyAdmin):
    list_display = ("occurred_at", "kind", "summary", "actor", "organization")
    list_select_related = ("actor", "organization")
    list_filter = ("kind",)


@admin.register(Note)
class NoteAdmin(ReadMostlyAdmin):
    list_display = ("__str__", "author", "account", "person", "organization", "created_at")
    list_select_related = ("author", "account", "person", "organization")


@admin.register(Task)
class TaskAdmin(ReadMostlyAdmin):
    list_display = ("title", "assignee", "due_on", "done_at", "organization")
    list_select_related = ("assignee", "organization")
    search_fields = ("title",)
