"""The answers when things fail: friendly pages with an error id, whatever state the rest is in."""

import sys

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template import loader
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


def server_error(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """The page of a failed view: 503 while the database cannot be reached, else 500.

    It needs neither database nor session; the id finds the error in the log.
    """
    error_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:8]
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        page = loader.render_to_string("503.html", {"error_id": error_id})
        return HttpResponse(page, status=503, headers={"Retry-After": "30"})
    return HttpResponseServerError(loader.render_to_string("500.html", {"error_id": error_id}))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page a browser shows for one it cannot reach."""
    return render(request, "offline.html")


@never_cache
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the offline page at hand; at the root, so that it covers every address."""
    return render(request, "js/sw.js", {"build": settings.BUILD_ID}, content_type="text/javascript")
