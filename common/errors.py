"""The answer when a view failed: a friendly page with an error id, whatever state the rest is in."""

import structlog
from django.http import HttpRequest, HttpResponseServerError
from django.template import loader


def server_error(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseServerError:
    """The 500 page. It needs neither database nor session; the id finds the error in the log."""
    error_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return HttpResponseServerError(loader.render_to_string("500.html", {"error_id": error_id[:8]}))
