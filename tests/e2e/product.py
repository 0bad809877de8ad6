"""The rest of the product beside the live server: a real Celery worker, and the vendors played over real HTTP."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

LOG = Path("artifacts/journey-worker.log")


@contextmanager
def celery_worker(**environment: str) -> Iterator[None]:
    """A worker on the test's database and broker until the block is left; ``environment`` is added to its own."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "celery", "-A", "eventops", "worker", "--pool", "threads", "--concurrency", "2", "--purge",
        "--without-gossip", "--without-mingle", "--loglevel", "INFO",
    ]  # fmt: skip
    with LOG.open("w") as log:
        own = {**os.environ, "DATABASE_URL": own_database_url(), **environment}
        process = subprocess.Popen(command, env=own, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def own_database_url() -> str:
    """The address of the database of this test process."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def _wait_until_ready(process: subprocess.Popen[Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if "workers started successfully" in LOG.read_text():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"The worker did not start:\n{LOG.read_text()[-3000:]}")
