"""What a Celery worker and beat do when they start: refuse an unsafe place, then answer ``GET :8080/health``."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from celery.signals import worker_init, worker_process_shutdown, worker_ready, worker_shutting_down
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from common.redis import close_client
from eventops.checks import refuse_unsafe_start

log = structlog.get_logger(__name__)

_server: ThreadingHTTPServer | None = None
_stopping = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server_version = "EventOps"
    sys_version = ""
    timeout = 5

    def do_GET(self) -> None:
        if self.path.partition("?")[0] not in {"/health", "/livez"}:
            self.send_error(404)
            return
        body = json.dumps({"status": "stopping" if _stopping.is_set() else "healthy"}).encode()
        self.send_response(503 if _stopping.is_set() else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """A probe every few seconds is not worth a line."""


def serve(port: int) -> ThreadingHTTPServer:
    """Answer on ``port`` (0: any free one) in a thread until ``shutdown`` is called on the result."""
    server = ThreadingHTTPServer((settings.WORKER_HEALTH_HOST, port), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="worker-health", daemon=True).start()
    return server


@worker_init.connect
def end_unsafe_start(**kwargs: Any) -> None:
    """End the process with the reasons when this place is unsafe; beat calls it before it reads its tables."""
    try:
        refuse_unsafe_start()
    except ImproperlyConfigured as error:
        # Celery logs an ordinary exception of a signal's receiver and goes on; this one must end the process.
        raise SystemExit(f"EventOps refuses to start.\n{error}") from error


@worker_ready.connect
def _open(**kwargs: Any) -> None:
    global _server
    if settings.WORKER_HEALTH_PORT:
        try:
            _server = serve(settings.WORKER_HEALTH_PORT)
        except OSError as error:
            # Two workers on one host: the second works all the same, and the platform asks the first.
            log.error("worker.health_port_taken", port=settings.WORKER_HEALTH_PORT, error=type(error).__name__)
    log.info("Queue workers started successfully")


@worker_shutting_down.connect
def _close(**kwargs: Any) -> None:
    _stopping.set()


@worker_process_shutdown.connect
def _close_redis(**kwargs: Any) -> None:
    close_client()
