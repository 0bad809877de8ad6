"""Figures are computed once for everybody who looks, and again after a change (X24).

A key names the organization, its version and the show; a write bumps the version after its commit, so nobody sees old
figures for longer than a lost bump lets them: the time to live. On a miss one computes and the others wait for it.
"""

import time
from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID, uuid4

from django.core.cache import cache

T = TypeVar("T")

LIVES = 300
"""Seconds."""
COMPUTES_AT_MOST = 15


def remembered(name: str, *, organization_id: UUID, event_id: UUID | None, compute: Callable[[], T]) -> T:
    """The value of ``compute`` for this organization and show (None: all of its shows)."""
    version = cache.get(_version_key(organization_id)) or 0
    key = f"{_version_key(organization_id)}:{version}:{event_id or 'all'}:{name}"
    found = cache.get(key)
    if found is not None:
        return cast("T", found)
    lock = f"{key}:lock"
    if not cache.add(lock, 1, COMPUTES_AT_MOST):
        waited = _wait_for(key, lock)
        if waited is not None:
            return cast("T", waited)
    try:
        # Whoever held the lock before may have finished between our look and our lock.
        value = cache.get(key)
        if value is None:
            value = compute()
            cache.set(key, value, LIVES)
    finally:
        cache.delete(lock)
    return cast("T", value)


def _wait_for(key: str, lock: str) -> object:
    deadline = time.monotonic() + COMPUTES_AT_MOST
    while time.monotonic() < deadline:
        time.sleep(0.02)
        found = cache.get(key)
        if found is not None or cache.get(lock) is None:
            return found
    return None


def bump(organization_id: UUID) -> None:
    """Something of the organization changed: its figures are computed anew. Call it after commit, once for many changes."""
    cache.set(_version_key(organization_id), uuid4().hex, None)


def _version_key(organization_id: UUID) -> str:
    return f"analytics:{organization_id}"
