from django.urls import path

from accounts import bulk_views
from sequences.views import builder, figures, people, rules

app_name = "sequences"
urlpatterns = [
    path("", builder.sequence_list, name="list"),
    path("new/", builder.create, name="create"),
    path("enroll/", people.enroll, name="enroll"),
    path("people/", people.enrolled, name="people"),
    path("people/bulk/", bulk_views.start, {"subject": "enrollments"}, name="bulk"),
    path("people/<uuid:pk>/", people.enrollment, name="enrollment"),
    path("people/<uuid:pk>/<slug:action>/", people.act, name="act"),
    path("<uuid:pk>/", builder.detail, name="detail"),
    path("<uuid:pk>/preview/", people.outlook, name="preview"),
    path("<uuid:pk>/figures/", figures.figures, name="figures"),
    path("<uuid:pk>/rules/", rules.add, name="rules"),
    path("rules/<uuid:pk>/pause/", rules.pause, name="pause_rule"),
    path("rules/<uuid:pk>/remove/", rules.remove, name="remove_rule"),
    path("<uuid:pk>/add/", people.add_people, name="add_people"),
    path("<uuid:pk>/edit/", builder.edit, name="edit"),
    path("<uuid:pk>/publish/", builder.publish, name="publish"),
    path("<uuid:pk>/pause/", builder.pause, name="pause"),
    path("<uuid:pk>/archive/", builder.archive, name="archive"),
    path("<uuid:pk>/copy/", builder.duplicate, name="copy"),
    path("<uuid:pk>/order/", builder.reorder, name="reorder"),
    path("<uuid:pk>/steps/add/<slug:kind>/", builder.add_step, name="add_step"),
    path("steps/<uuid:pk>/", builder.edit_step, name="edit_step"),
    path("steps/<uuid:pk>/remove/", builder.remove_step, name="remove_step"),
]
