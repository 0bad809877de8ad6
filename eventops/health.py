"""Whether we live, are ready, and are well: ``/livez``, ``/readyz`` and ``/api/health``.

A platform restarts on ``/livez`` and takes out of rotation on ``/readyz``; people and monitors read ``/api/health``.
Nothing here tells a value of a variable, a host or an error's text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from typing import Any

import psycopg
import redis
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.redis import NotConfigured, open_client

log = structlog.get_logger(__name__)

REQUIRED = ("DATABASE_URL", "AUTH_SECRET")
PATIENCE = 0.4
"""Seconds for all probes together; the answer stays below half a second even when a server is silent."""
STATUS_CODES = {"healthy": 200, "degraded": 503, "unhealthy": 503}

# Two threads bound what a flood of health requests can cost; a probe stuck on a silent server counts as down.
_probes = ThreadPoolExecutor(max_workers=2, thread_name_prefix="health")


def _ask_database() -> None:
    parameters = {name: value for name, value in connection.get_connection_params().items() if name in _LIBPQ}
    with psycopg.connect(**parameters, connect_timeout=2) as probe:
        probe.execute("SELECT 1")


_LIBPQ = {"dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service"}


def _ask_redis() -> None:
    with open_client(timeout=PATIENCE) as client:
        client.ping()


def _state(answer: Future[None], deadline: float) -> str:
    try:
        answer.result(timeout=max(0.0, deadline - time.monotonic()))
    except NotConfigured:
        return "not_configured"
    except (TooSlow, psycopg.Error, redis.RedisError, OSError) as error:
        answer.cancel()
        log.warning("health.probe_failed", error=type(error).__name__)
        return "unhealthy"
    return "healthy"


def _probe(*questions: Callable[[], None]) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    answers = [_probes.submit(question) for question in questions]
    return [_state(answer, deadline) for answer in answers]


def _answer(body: dict[str, Any], *, status: int, started: float) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Response-Time"] = f"{(time.perf_counter() - started) * 1000:.0f}ms"
    return response


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else, so a database outage restarts nothing."""
    return _answer({"status": "ok"}, status=200, started=time.perf_counter())


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Requests can be served: the database answers. Without Redis pages still work, so it is not asked."""
    started = time.perf_counter()
    [database] = _probe(_ask_database)
    ready = database == "healthy"
    return _answer({"status": "ok" if ready else "unavailable"}, status=200 if ready else 503, started=started)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """``healthy``, ``degraded`` (Redis is down: pages work, background work waits) or ``unhealthy``, with the checks."""
    started = time.perf_counter()
    database, cache = _probe(_ask_database, _ask_redis)
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if database != "healthy" or missing:
        status = "unhealthy"
    elif cache == "unhealthy":
        status = "degraded"
    else:
        status = "healthy"
    body = {
        "status": status,
        "timestamp": timezone.now().isoformat(),
        "buildId": settings.BUILD_ID,
        "checks": {
            "database": {"status": database},
            "redis": {"status": cache},
            "env": {"status": "unhealthy" if missing else "healthy", "missing": missing},
        },
    }
    return _answer(body, status=STATUS_CODES[status], started=started)


PROBES = {"/livez": livez, "/readyz": readyz, "/api/health": health}


def answer_probes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The outermost middleware: a platform probes by IP address and plain HTTP, which host checks and redirects refuse."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return get_response(request) if probe is None else probe(request)

    return middleware
