"""One process per server: starts it, restarts it when it dies, stops it when its last user has left.

Users hold a shared lock (``postgres.users.lock``); the keeper tries for the exclusive one. The kernel drops a user's lock
however that user ends, so kill -9 needs no bookkeeping. When the keeper itself is killed, the kernel tells its server.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import IO

from devstack import processes
from devstack.layout import DevStackError, Home, locked, open_home, unprivileged_account
from devstack.services import SERVICES, Service

START_TIMEOUT = 60.0
POLL = 0.2


def keep(service: Service, home: Home, ready: IO[str]) -> None:
    """Run ``service`` until nobody uses it. Writes ``ready`` or the reason of a failure to ``ready`` and closes it."""
    with (
        home.lock(f"{service.name}.keeper").open("a") as own,
        home.lock(f"{service.name}.users").open("a") as users,
    ):
        fcntl.flock(own, fcntl.LOCK_EX)
        try:
            server = _start(service, home)
        except (DevStackError, OSError, subprocess.SubprocessError) as error:
            ready.write(f"{service.name}: {error}")
            ready.close()
            return
        home.remember(**{f"{service.name}_keeper": os.getpid()})
        ready.write("ready")
        ready.close()
        asked_to_stop: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: asked_to_stop.append(number))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            while not asked_to_stop and not _is_abandoned(users):
                if server.poll() is not None:
                    server = _start(service, home)
                time.sleep(POLL)
        finally:
            processes.stop(server, sig=service.stop_signal, timeout=service.stop_timeout)


def _is_abandoned(users: IO[str]) -> bool:
    """Take the exclusive lock if nobody holds a share; newcomers then wait until we are gone and start afresh."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(service: Service, home: Home) -> subprocess.Popen[bytes]:
    command = service.prepare(home)
    log_path = home.log(service.name)
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "TZ": "UTC",
        "HOME": str(home.path),
    }
    deadline = time.monotonic() + START_TIMEOUT
    with log_path.open("w") as log:
        server = processes.start(
            command,
            env=environment,
            cwd=home.path,
            output=log,
            account=unprivileged_account(),
            on_parent_death=service.stop_signal,
            new_session=True,
        )
        while not service.is_ready(home):
            if server.poll() is not None and time.monotonic() < deadline and _is_transient(log_path.read_text()):
                time.sleep(0.5)
                return _start(service, home)
            if server.poll() is not None or time.monotonic() > deadline:
                processes.stop(server, sig=service.stop_signal, timeout=service.stop_timeout)
                raise DevStackError(f"did not start. Its log, {log_path}, ends:\n{log_path.read_text()[-2000:]}")
            time.sleep(0.05)
    service.provision(home)
    return server


def _is_transient(log: str) -> bool:
    """Whether the last server's remains were still going away: its backends, or its port."""
    return "is still in use" in log or "Address already in use" in log


def ensure_running(service: Service, home: Home) -> None:
    """Start the keeper of ``service`` unless one runs; return when the server answers. The caller holds a user's share."""
    with locked(home.lock(f"{service.name}.start")):
        if has_keeper(service, home):
            _wait_until_ready(service, home)
            return
        read_end, write_end = os.pipe()
        subprocess.Popen(
            [sys.executable, "-m", "devstack.keeper", service.name, str(write_end)],
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=home.log(f"{service.name}-keeper").open("w"),
            start_new_session=True,
            pass_fds=(write_end,),
        )
        os.close(write_end)
        with os.fdopen(read_end) as answers:
            answer = answers.read()
        if answer != "ready":
            reason = answer or home.log(f"{service.name}-keeper").read_text()[-2000:]
            raise DevStackError(f"The development stack could not start {reason}")


def has_keeper(service: Service, home: Home) -> bool:
    """Whether a keeper lives: it holds its own lock for as long as it does."""
    with home.lock(f"{service.name}.keeper").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _wait_until_ready(service: Service, home: Home) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not service.is_ready(home):
        if time.monotonic() > deadline or not has_keeper(service, home):
            raise DevStackError(f"{service.name} does not answer; see {home.log(service.name)}.")
        time.sleep(0.1)


def main() -> None:
    """Entry point of the keeper process: ``python -m devstack.keeper NAME READY_FD``."""
    name, descriptor = sys.argv[1], int(sys.argv[2])
    keep(SERVICES[name], open_home(), os.fdopen(descriptor, "w"))


if __name__ == "__main__":
    main()
