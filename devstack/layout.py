"""Where a checkout's servers keep their data, passwords and logs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent


class DevStackError(Exception):
    """Something a person has to read; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account that servers run as when we are root."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """``postgres`` or ``nobody`` when we are root; ``None`` when we are a person already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise DevStackError("PostgreSQL refuses to run as root and there is neither a 'postgres' nor a 'nobody' account.")


@dataclass(frozen=True)
class Home:
    """One checkout's folder of servers: ``.local/devstack``, or for root a folder that its servers can enter."""

    path: Path

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    def log(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def lock(self, name: str) -> Path:
        return self.path / f"{name}.lock"

    def read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError as error:
            raise DevStackError(
                f"{self.state_file} is damaged. Run 'python -m devstack purge' to start over."
            ) from error
        return state

    def remember(self, **values: Any) -> None:
        """Merge ``values`` into the state file (mode 0600), surviving a kill at any point."""
        with locked(self.lock("state")):
            merged = self.read_state() | values
            draft = self.state_file.with_suffix(f".{os.getpid()}.tmp")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(merged, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.state_file)

    def secret(self, name: str, nbytes: int = 24) -> str:
        """A random password, made once and kept."""
        known = self.read_state().get(name)
        if known:
            return str(known)
        self.remember(**{name: secrets.token_urlsafe(nbytes)})
        return str(self.read_state()[name])

    def port(self, name: str) -> int:
        """The remembered loopback port when it is free, else a fresh one, which is remembered."""
        key = f"{name}_port"
        known = self.read_state().get(key)
        if known and is_free(int(known)):
            return int(known)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.remember(**{key: port})
        return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; the kernel lets go of it however this process ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _checkout_id() -> str:
    """A name for this checkout that a fresh clone at the same path does not inherit."""
    marker = CHECKOUT / ".local" / "devstack-id"
    marker.parent.mkdir(exist_ok=True)
    with locked(marker.parent / "devstack-id.lock"):
        if not marker.exists() or not marker.read_text().strip():
            marker.write_text(f"{CHECKOUT.name}-{secrets.token_hex(4)}\n")
        return marker.read_text().strip()


def open_home() -> Home:
    """This checkout's home, created when missing."""
    if os.geteuid() != 0:
        path = CHECKOUT / ".local" / "devstack"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Home(path)
    state = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path("/var/tmp")
    parent = state / "eventops-devstack"
    parent.mkdir(mode=0o711, exist_ok=True)
    path = parent / _checkout_id()
    path.mkdir(mode=0o711, exist_ok=True)
    return Home(path)
