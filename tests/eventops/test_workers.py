"""A real worker and a real beat, started as in production (AUT-02, AUT-03)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from eventops.beat import LOCK_KEY, SoleScheduler
from eventops.celery import app

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_worker_says_that_it_started_and_answers_health(tmp_path):
    port, log = free_port(), tmp_path / "worker.log"
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "eventops",
        "worker",
        "-c",
        "1",
        "-l",
        "INFO",
        "-n",
        f"test-{port}@%h",
    ]
    environment = os.environ | {"WORKER_HEALTH_PORT": str(port), "WORKER_HEALTH_HOST": "127.0.0.1"}

    with log.open("w") as output:
        worker = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 40
        while "Queue workers started successfully" not in log.read_text():
            assert worker.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            status, body = answer.status, json.load(answer)
    finally:
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(30)

    assert (status, body) == (200, {"status": "healthy"})
    assert code == 0


@pytest.mark.django_db(transaction=True)
def test_a_second_beat_stands_by_until_the_first_is_gone():
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in {"dbname", "user", "password", "host", "port"}
    }
    first = psycopg.connect(**parameters, autocommit=True)
    first.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    scheduler = SoleScheduler(app=app, lazy=True)

    waiting = scheduler._holds_lock()
    first.close()
    deadline = time.monotonic() + 5
    while not (ticking := scheduler._holds_lock()) and time.monotonic() < deadline:
        time.sleep(0.1)
    if scheduler._session is not None:
        scheduler._session.close()

    assert (waiting, ticking) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_of_five_beats_one_ticks_and_another_when_it_ends():
    beats = [SoleScheduler(app=app, lazy=True) for _ in range(5)]
    try:
        first = [beat for beat in beats if beat._holds_lock() and beat._holds_lock()]
        first[0]._session.close()
        first[0]._session = None
        second = [beat for beat in reversed(beats) if beat._holds_lock()]
    finally:
        for beat in beats:
            if beat._session is not None:
                beat._session.close()

    assert (len(first), len(second)) == (1, 1)
    assert first != second
