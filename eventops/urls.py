"""Every address of the product. Each app names its own below its prefix."""

from django.contrib import admin
from django.urls import include, path

from common import errors
from common.style import style_page
from eventops import health
from eventops.api import api
from outreach import public

handler500 = "common.errors.server_error"

urlpatterns = [
    path("", include("analytics.urls")),
    path("admin/", admin.site.urls),
    # Answered by the outermost middleware; named here so that they can be reversed and are known to all.
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("api/health", health.health, name="health"),
    path("api/webhooks/", include("integrations.urls")),
    path("api/", api.urls),
    path("accounts/", include("accounts.urls")),
    path("people/", include("people.urls")),
    path("import/", include("people.import_urls")),
    path("outreach/", include("outreach.urls")),
    path("u/<str:token>/", public.unsubscribe, name="unsubscribe"),
    path("activities/", include("activities.urls")),
    path("events/", include("events.urls")),
    path("meetings/", include("meetings.urls")),
    path("offline/", errors.offline, name="offline"),
    path("sw.js", errors.service_worker, name="service_worker"),
    path("scoring/", include("research.urls")),
    path("sequences/", include("sequences.urls")),
    path("style/", style_page, name="style"),
    path("", include("identity.urls")),
    path("", include("allauth.urls")),
]
