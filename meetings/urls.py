from django.urls import path

from meetings import views
from meetings.views import setup

app_name = "meetings"
urlpatterns = [
    path("", views.meeting_list, name="list"),
    path("grid/", views.grid, name="grid"),
    path("new/", views.create, name="create"),
    path("people/", views.people, name="people"),
    path("booth/", setup.booth, name="booth"),
    path("booth/tables/", setup.add_table, name="table_add"),
    path("booth/tables/<uuid:pk>/", setup.edit_table, name="table_edit"),
    path("booth/tables/<uuid:pk>/delete/", setup.delete_table, name="table_delete"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/edit/", views.edit, name="edit"),
    path("<uuid:pk>/calendar.ics", views.calendar, name="calendar"),
    path("<uuid:pk>/invite/", views.invite, name="invite"),
    path("<uuid:pk>/outcome/", views.outcome, name="outcome"),
    path("<uuid:pk>/<slug:action>/", views.act, name="act"),
]
