"""How often one caller may ask, counted over a sliding window in Redis, for all web processes together.

Without Redis each process counts for itself; with Redis down everybody is let through, because a page that works is
worth more than a limit that holds.
"""

import functools
import math
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

log = structlog.get_logger(__name__)

PUBLIC = "100/minute"
"""For one address on one endpoint that asks for no log-in (SEC-01)."""


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    if not settings.REDIS_URL:
        return SlidingWindowCounterRateLimiter(storage_from_string("memory://"))
    storage = storage_from_string(
        str(settings.CACHES["default"]["LOCATION"]),
        wrap_exceptions=True,
        socket_connect_timeout=1,
        socket_timeout=1,
        key_prefix="limits",
    )
    return SlidingWindowCounterRateLimiter(storage)


@functools.cache
def _rate(text: str) -> RateLimitItem:
    return parse(text)


def seconds_to_wait(rate: str, *who: str, count: bool = True) -> int:
    """Count one request of ``who`` against ``rate`` (``"100/minute"``): 0 when it may pass, else whole seconds to wait.

    With ``count=False`` only looks.
    """
    limiter, item = _limiter(), _rate(rate)
    try:
        passes = limiter.hit(item, *who) if count else limiter.test(item, *who)
        if passes:
            return 0
        reset = limiter.get_window_stats(item, *who).reset_time
    except StorageError as error:
        log.warning("limits.storage_failed", error=type(error.storage_error).__name__)
        return 0
    return max(1, math.ceil(reset - time.time()))


def client_ip(request: HttpRequest) -> str:
    """The caller's address. Behind our proxy it is the last one the proxy wrote; what a caller wrote is not believed."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.BEHIND_PROXY and forwarded:
        return str(forwarded.rsplit(",", 1)[-1].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def limited(
    rate: str = PUBLIC, *, who: Callable[[HttpRequest], str] = client_ip
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Answer 429 with ``Retry-After`` to a caller who asks this view more often than ``rate``."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        name = f"{view.__module__}.{view.__qualname__}"

        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            wait = seconds_to_wait(rate, name, who(request))
            return too_many_requests(request, wait=wait) if wait else view(request, *args, **kwargs)

        return wrapper

    return decorate


def too_many_requests(request: HttpRequest, *, wait: int) -> HttpResponse:
    response = render(request, "429.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(wait)
    return response
