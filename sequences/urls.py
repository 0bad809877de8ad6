from django.urls import path

from sequences import views

app_name = "sequences"
urlpatterns = [
    path("", views.sequence_list, name="list"),
    path("new/", views.create, name="create"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/edit/", views.edit, name="edit"),
    path("<uuid:pk>/archive/", views.archive, name="archive"),
    path("<uuid:pk>/copy/", views.duplicate, name="copy"),
    path("<uuid:pk>/order/", views.reorder, name="reorder"),
    path("<uuid:pk>/steps/add/<slug:kind>/", views.add_step, name="add_step"),
    path("steps/<uuid:pk>/", views.edit_step, name="edit_step"),
    path("steps/<uuid:pk>/remove/", views.remove_step, name="remove_step"),
]
