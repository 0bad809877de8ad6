from django.urls import path

from accounts import bulk_views
from people import views

app_name = "people"
urlpatterns = [
    path("", views.person_list, name="list"),
    path("filter/", views.filter_form, name="filter"),
    path("bulk/", bulk_views.start, {"subject": "people"}, name="bulk"),
    path("export.csv", bulk_views.export, {"subject": "people"}, name="export"),
    path("new/", views.create, name="create"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/edit/", views.edit, name="edit"),
    path("<uuid:pk>/delete/", views.delete, name="delete"),
    path("<uuid:pk>/cell/<str:field>/", views.cell, name="cell"),
]
