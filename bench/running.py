"""How long a newcomer waits: from a fresh clone to a healthy page, and the second time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.registry import Figure, bench, note, stopwatch

CHECKOUT = Path(__file__).resolve().parent.parent
KEPT = (
    "HOME",
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "PIP_INDEX_URL",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "HTTPS_PROXY",
    "NO_PROXY",
)
PATIENCE = 180.0


@bench("run_cold_s", "run_warm_s", needs_database=False)
def make_run() -> Iterator[Figure]:
    """Clone what is committed, with nothing installed and an empty package cache; seconds until all checks are healthy."""
    folder = Path(tempfile.mkdtemp(prefix="eventops-bench-"))
    clone = folder / "clone"
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "UV_CACHE_DIR": str(folder / "cache")
    }
    try:
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True, env=environment)
        yield Figure("run_cold_s", _seconds_until_healthy(clone, environment), "s")
        yield Figure("run_warm_s", _seconds_until_healthy(clone, environment), "s")
    finally:
        if (clone / ".venv").exists():
            purge = [str(clone / ".venv" / "bin" / "python"), "-m", "devstack", "purge"]
            subprocess.run(purge, cwd=clone, env=environment, stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(folder)


def _seconds_until_healthy(clone: Path, environment: dict[str, str]) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = clone.parent / "run.log"
    with stopwatch() as seconds, log.open("w") as output:
        make = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while not _is_healthy(port):
                if make.poll() is not None or seconds() > PATIENCE:
                    note(log.read_text()[-3000:])
                    raise RuntimeError("make run did not come up")
                time.sleep(0.1)
            taken = seconds()
        finally:
            if make.poll() is None:
                os.killpg(make.pid, signal.SIGINT)
                make.wait(60)
    return taken


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return b'"status": "healthy", "timestamp"' in answer.read()
    except (urllib.error.URLError, OSError):
        return False
