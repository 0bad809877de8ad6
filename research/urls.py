from django.urls import path

from research import views

app_name = "research"
urlpatterns = [
    path("", views.rules, name="rules"),
    path("edit/", views.edit, name="edit"),
    path("progress/", views.progress, name="progress"),
    path("again/", views.rescore, name="rescore"),
    path("accept/", views.accept, name="accept"),
    path("accept/<uuid:pk>/", views.accept_one, name="accept_one"),
]
