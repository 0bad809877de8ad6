"""Gunicorn reads this by itself. The application is loaded once and forked; database pools open lazily, after the fork."""

import gc
import os
from typing import Any

from django.db import connection

bind = [f"0.0.0.0:{os.environ.get('PORT', '8000')}"]
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = True
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True


def pre_fork(server: Any, worker: Any) -> None:
    """What is loaded stays loaded: the collector leaves it alone, so workers share its memory and end quickly."""
    gc.freeze()


def worker_exit(server: Any, worker: Any) -> None:
    """Close the pool: its threads would hold up the end of the process for seconds."""
    if hasattr(connection, "close_pool"):
        connection.close_pool()
