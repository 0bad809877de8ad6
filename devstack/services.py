"""The servers of the stack, side by side."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devstack import postgres, valkey
from devstack.layout import Home


@dataclass(frozen=True)
class Service:
    """One server: how to start, ask and stop it, and the variable that tells others its address."""

    name: str
    variable: str
    stop_signal: signal.Signals
    stop_timeout: float
    url: Callable[[Home], str]
    prepare: Callable[[Home], list[str | Path]]
    is_ready: Callable[[Home], bool]
    provision: Callable[[Home], None]


POSTGRES = Service(
    name=postgres.NAME,
    variable="DATABASE_URL",
    stop_signal=signal.SIGINT,  # fast shutdown: roll back what is open, checkpoint, leave
    stop_timeout=30.0,
    url=postgres.url,
    prepare=postgres.prepare,
    is_ready=postgres.is_ready,
    provision=postgres.provision,
)
VALKEY = Service(
    name=valkey.NAME,
    variable="REDIS_URL",
    stop_signal=signal.SIGTERM,
    stop_timeout=10.0,
    url=valkey.url,
    prepare=valkey.prepare,
    is_ready=valkey.is_ready,
    provision=valkey.provision,
)
SERVICES = {service.name: service for service in (POSTGRES, VALKEY)}
