from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("", views.today_page, name="today"),
    path("dashboard/", views.dashboard, name="dashboard"),
]
