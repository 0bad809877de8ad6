from django.urls import path

from accounts import bulk_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.account_list, name="list"),
    path("filter/", views.filter_form, name="filter"),
    path("suggest/", views.suggest, name="suggest"),
    path("new/", views.create, name="create"),
    path("bulk/", bulk_views.start, {"subject": "accounts"}, name="bulk"),
    path("export.csv", bulk_views.export, {"subject": "accounts"}, name="export"),
    path("jobs/<uuid:pk>/", bulk_views.job, name="job"),
    path("jobs/<uuid:pk>/cancel/", bulk_views.cancel, name="cancel"),
    path("jobs/<uuid:pk>/download/", bulk_views.download, name="download"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/edit/", views.edit, name="edit"),
    path("<uuid:pk>/delete/", views.delete, name="delete"),
    path("<uuid:pk>/target/", views.target, name="target"),
    path("<uuid:pk>/untarget/", views.untarget, name="untarget"),
    path("<uuid:pk>/stands/", views.stands, name="stands"),
    path("<uuid:pk>/cell/<str:field>/", views.cell, name="cell"),
]
