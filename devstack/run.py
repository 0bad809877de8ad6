"""``make run``: the whole product on one machine, from migrations to a login link."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from devstack import processes
from devstack.environment import from_outside
from devstack.layout import CHECKOUT, DevStackError, Home, is_free, open_home
from devstack.stack import Stack, running

LOGS = CHECKOUT / ".local" / "log"
MANAGE = [sys.executable, "manage.py"]
START_TIMEOUT = 60.0
QUICK_DEATH = 5.0


@dataclass
class Program:
    """One long-running part of the product, and how long it may take to stop, in seconds."""

    name: str
    command: list[str]
    environment: dict[str, str]
    stop_timeout: float = 8.0
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default=0.0)

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    def start(self, stack: Stack) -> None:
        """Start it, out of reach of the terminal's Ctrl-C, with its output in a file and its share of the servers."""
        with self.log.open("a") as log:
            self.process = processes.start(
                self.command,
                env=self.environment,
                cwd=CHECKOUT,
                output=log,
                new_session=True,
                keep_open=stack.shares,
            )
        self.started = time.monotonic()


def run() -> int:
    """Run everything until Ctrl-C; returns the exit code."""
    port = int(from_outside("PORT") or 8000)
    if not _is_free_soon(port):
        raise DevStackError(f"port {port} is taken by another program. Choose another: make run PORT={port + 1}")
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _stopping_on_signals() as asked, running() as stack:
        home = open_home()
        environment = stack.environment | _addresses(home, port)
        fingerprint = _fingerprint(environment["DATABASE_URL"])
        programs = _programs(environment, port)
        try:
            if home.read_state().get("prepared") != fingerprint:
                _prepare(environment)
                home.remember(prepared=fingerprint)
            for program in programs:
                program.log.write_text("")
                program.start(stack)
            link = _login_link(environment)
            _wait_until_live(port, programs, asked)
            if not asked:
                _greet(environment, port, link, time.monotonic() - started)
            _watch(programs, stack, asked)
        finally:
            _stop(programs)
    return 0


@contextmanager
def _stopping_on_signals() -> Iterator[list[int]]:
    """Collect the signals that ask us to stop; a second Ctrl-C stops at once."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _is_free_soon(port: int) -> bool:
    """Whether ``port`` is free, allowing a killed predecessor three seconds to go."""
    deadline = time.monotonic() + 3
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _addresses(home: Home, port: int) -> dict[str, str]:
    sandbox_port = port + 1 if is_free(port + 1) else home.port("sandbox")
    health_port = int(from_outside("WORKER_HEALTH_PORT") or 8080)
    return {
        "PORT": str(port),
        "BASE_URL": from_outside("BASE_URL") or f"http://localhost:{port}",
        "SANDBOX_URL": from_outside("SANDBOX_URL") or f"http://127.0.0.1:{sandbox_port}",
        "WORKER_HEALTH_PORT": str(health_port if is_free(health_port) else home.port("worker_health")),
    }


def _programs(environment: dict[str, str], port: int) -> list[Program]:
    """In the order of starting, which is the reverse of stopping."""
    celery = [sys.executable, "-m", "celery", "-A", "eventops"]
    programs = [
        Program(
            "worker", [*celery, "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"], environment
        ),
        Program("beat", [*celery, "beat", "-l", "INFO", "--pidfile="], environment, stop_timeout=4.0),
        Program(
            "web",
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "eventops.wsgi"],
            environment | {"DATABASE_POOL": "1"},
            stop_timeout=4.0,
        ),
    ]
    if _has_command("sandbox"):
        programs.insert(0, Program("sandbox", [*MANAGE, "sandbox"], environment, stop_timeout=2.0))
    return programs


def _has_command(name: str) -> bool:
    return any(CHECKOUT.glob(f"*/management/commands/{name}.py"))


def _fingerprint(database_url: str) -> str:
    """Changes with the database, the migrations and the demo's seed: what a warm start may skip."""
    digest = hashlib.sha256(database_url.encode())
    sources = [*CHECKOUT.glob("*/migrations/*"), *CHECKOUT.glob("eventops/demo/*.py")]
    for path in sorted([*sources, CHECKOUT / "requirements" / "base.txt"]):
        if path.is_file():
            digest.update(f"{path.relative_to(CHECKOUT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _prepare(environment: dict[str, str]) -> None:
    _manage(environment, "migrate", "--verbosity", "0", saying="Preparing the database")
    if _has_command("seed_demo"):
        _manage(environment, "seed_demo", saying="Adding the demo's data")


def _manage(environment: dict[str, str], *arguments: str, saying: str) -> str:
    print(f"{saying} …", flush=True)
    done = subprocess.run(
        [*MANAGE, *arguments], env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False,
        preexec_fn=processes.die_with_parent(signal.SIGTERM),
    )  # fmt: skip
    if done.returncode:
        raise DevStackError(f"manage.py {arguments[0]} failed:\n{(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


def _login_link(environment: dict[str, str]) -> str:
    if not _has_command("login_link"):
        return ""
    return _manage(environment, "login_link", saying="Starting").strip().rpartition("\n")[2]


def _wait_until_live(port: int, programs: list[Program], asked: list[int]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not asked:
        for program in programs:
            if program.process is not None and program.process.poll() is not None:
                raise DevStackError(
                    f"{program.name} stopped at once. {program.log} ends:\n{program.log.read_text()[-3000:]}"
                )
        if _answers(f"http://127.0.0.1:{port}/livez"):
            return
        if time.monotonic() > deadline:
            raise DevStackError(f"the product does not answer on port {port}; see {LOGS}.")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _greet(environment: dict[str, str], port: int, link: str, seconds: float) -> None:
    lines = [
        f"  EventOps is running (in {seconds:.0f} s)   http://localhost:{port}",
        f"  Sign in once with           {link}" if link else "",
        f"  Play the recipients in      {environment['SANDBOX_URL']}" if _has_command("sandbox") else "",
        f"  Logs                        {os.path.relpath(LOGS)}/",
        "  Stop with Ctrl-C",
    ]
    print("\n" + "\n".join(line for line in lines if line) + "\n", flush=True)


def _watch(programs: list[Program], stack: Stack, asked: list[int]) -> None:
    """Restart what dies, until asked to stop. What dies right after its start ends the run with its log."""
    while not asked:
        for program in programs:
            if program.process is None or program.process.poll() is None:
                continue
            if time.monotonic() - program.started < QUICK_DEATH:
                raise DevStackError(
                    f"{program.name} does not stay up. {program.log} ends:\n{program.log.read_text()[-3000:]}"
                )
            print(f"{program.name} stopped (code {program.process.returncode}); starting it again", flush=True)
            program.start(stack)
        time.sleep(0.3)


def _stop(programs: list[Program]) -> None:
    """Stop web, beat and worker together, then the sandbox that a last task may talk to; the servers outlive them all."""
    running_programs = [
        program for program in programs if program.process is not None and program.process.poll() is None
    ]
    if running_programs:
        print("Stopping …", flush=True)
    for program in reversed(running_programs):
        if program.name != "sandbox" and program.process is not None:
            program.process.send_signal(signal.SIGTERM)
    for program in reversed(running_programs):
        if program.process is not None:
            processes.stop(program.process, timeout=program.stop_timeout)
            _kill_session(program.process.pid)


def _kill_session(leader: int) -> None:
    """End what a killed program left of its own process group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
