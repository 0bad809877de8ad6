"""Using the stack: hold a share of each server it takes, and know their addresses."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from devstack.environment import development_defaults, from_outside
from devstack.keeper import ensure_running
from devstack.layout import Home, open_home
from devstack.services import SERVICES, Service


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """The environment for a program that needs both servers; they run at least until the block is left."""
    environment = development_defaults()
    with contextlib.ExitStack() as shares:
        home = open_home()
        for service in SERVICES.values():
            if from_outside(service.variable):
                continue
            shares.enter_context(_share(service, home))
            environment[service.variable] = service.url(home)
        yield environment


@contextlib.contextmanager
def _share(service: Service, home: Home) -> Iterator[None]:
    with home.lock(f"{service.name}.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        ensure_running(service, home)
        yield
