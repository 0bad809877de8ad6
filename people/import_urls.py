from django.urls import path

from people import import_views as views

app_name = "imports"
urlpatterns = [
    path("", views.import_list, name="list"),
    path("upload/", views.upload, name="upload"),
    path("<uuid:pk>/", views.show, name="show"),
    path("<uuid:pk>/format/", views.layout, name="format"),
    path("<uuid:pk>/columns/", views.columns, name="columns"),
    path("<uuid:pk>/preview/", views.preview, name="preview"),
    path("<uuid:pk>/run/", views.run, name="run"),
    path("<uuid:pk>/stop/", views.stop, name="stop"),
    path("<uuid:pk>/result/", views.result, name="result"),
    path("<uuid:pk>/undo/", views.undo, name="undo"),
    path("<uuid:pk>/discard/", views.discard, name="discard"),
    path("<uuid:pk>/rejected.csv", views.rejected, name="rejected"),
    path("<uuid:pk>/original/", views.original, name="original"),
]
