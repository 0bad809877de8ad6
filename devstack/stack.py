"""Using the stack: hold a share of each server it takes, and know their addresses."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass

from devstack.environment import development_defaults, from_outside
from devstack.keeper import ensure_running
from devstack.layout import Home, open_home
from devstack.postgres import superuser_url
from devstack.services import POSTGRES, SERVICES, Service


@dataclass(frozen=True)
class Stack:
    """The environment for programs that need the servers, and the open files that are our shares of them.

    A child that inherits ``shares`` keeps the servers up until it has ended too, even when we are killed.
    """

    environment: dict[str, str]
    for_tests: dict[str, str]
    """What a test may know that the product must not: the superuser, to see it refused."""
    shares: tuple[int, ...]


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Both servers, unless their address comes from outside; they run at least until the block is left."""
    environment = development_defaults()
    for_tests: dict[str, str] = {}
    with contextlib.ExitStack() as shares:
        home, held = open_home(), []
        for service in SERVICES.values():
            if address := from_outside(service.variable):
                environment[service.variable] = address
                continue
            held.append(shares.enter_context(_share(service, home)))
            environment[service.variable] = service.url(home)
            if service is POSTGRES:
                for_tests["DEVSTACK_SUPERUSER_URL"] = superuser_url(home)
        yield Stack(environment, for_tests, tuple(held))


@contextlib.contextmanager
def _share(service: Service, home: Home) -> Iterator[int]:
    with home.lock(f"{service.name}.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        ensure_running(service, home)
        yield users.fileno()
