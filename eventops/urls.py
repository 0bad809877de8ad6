"""Every address of the product. Each app names its own below its prefix."""

from django.contrib import admin
from django.urls import include, path

from eventops.api import api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("", include("allauth.urls")),
]
