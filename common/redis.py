"""One Redis client per process, made when first asked for. Importing this connects to nothing."""

from __future__ import annotations

import threading

import structlog
from django.conf import settings
from redis import Redis

log = structlog.get_logger(__name__)

_lock = threading.Lock()
_client: Redis | None = None


class NotConfigured(Exception):
    """``REDIS_URL`` is empty."""


def open_client(*, timeout: float = 2.0) -> Redis:
    """A client of the caller's own, to be closed by it. ``timeout`` is in seconds. Raises NotConfigured."""
    if not settings.REDIS_URL:
        raise NotConfigured
    client: Redis = Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
        health_check_interval=30,
    )
    return client


def get_client() -> Redis:
    """The process's shared client. It connects at its first command. Raises NotConfigured."""
    global _client
    with _lock:
        if _client is None:
            _client = open_client()
            log.info("Redis client ready")
        return _client


def close_client() -> None:
    """Close the shared client if there is one; the next ``get_client`` makes a new one."""
    global _client
    with _lock:
        client, _client = _client, None
    if client is not None:
        client.close()
