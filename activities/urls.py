from django.urls import path

from activities import views

app_name = "activities"
urlpatterns = [
    path("booth/<uuid:pk>/", views.meet, name="meet"),
    path("booth/visits/<uuid:pk>/note/", views.note_visit, name="note_visit"),
    path("booth/visits/<uuid:pk>/undo/", views.undo_visit, name="undo_visit"),
    path("<str:kind>/<uuid:pk>/", views.timeline, name="timeline"),
    path("<str:kind>/<uuid:pk>/note/", views.add_note, name="note"),
    path("<str:kind>/<uuid:pk>/task/", views.add_task, name="task"),
    path("tasks/<uuid:pk>/done/", views.finish_task, name="task_done"),
]
