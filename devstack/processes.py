"""Starting, watching and stopping processes so that none is left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from devstack.layout import Account

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(sig: int) -> Callable[[], None]:
    """A ``preexec_fn``: the child receives ``sig`` when its parent dies, even by kill -9 (Linux; elsewhere nothing)."""
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), sig)

    return arrange


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[str] | None = None,
    account: Account | None = None,
    on_parent_death: int = signal.SIGTERM,
    new_session: bool = False,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` so that it ends with us; as ``account`` when given."""
    return subprocess.Popen(
        [str(part) for part in command],
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL if output is not None else None,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=new_session,
        pass_fds=tuple(keep_open),
        preexec_fn=die_with_parent(on_parent_death),
    )


def stop(process: subprocess.Popen[bytes], *, sig: int = signal.SIGTERM, timeout: float) -> None:
    """Ask ``process`` to stop; after ``timeout`` seconds kill it."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_alive(pid: int) -> bool:
    """Whether ``pid`` runs. A zombie does not: after kill -9 init may be slow to collect it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return sys.platform != "linux"
    return stat.rpartition(")")[2].split()[0] != "Z"


def mentions(pid: int, text: str) -> bool:
    """Whether the command line of ``pid`` contains ``text``; process numbers are reused, so ask before signalling."""
    try:
        return text.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        listing = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return text in listing.stdout


def stop_stray(pid: int, *, sig: int, timeout: float) -> None:
    """Stop a process that is not our child."""
    os.kill(pid, sig)
    deadline = time.monotonic() + timeout
    while is_alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + timeout
        time.sleep(0.05)
