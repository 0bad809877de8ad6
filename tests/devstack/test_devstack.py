"""The development stack, tried in a checkout of its own: a copy of the package in an empty folder."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent.parent / "devstack"
OUTSIDE = {"DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "BASE_URL", "PORT"}
COUNT = (
    "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']);"
    "print(c.execute('SELECT count(*) FROM kept').fetchone()[0])"
)
WRITE = (
    "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True);"
    "c.execute('CREATE TABLE IF NOT EXISTS kept (n int)'); c.execute('INSERT INTO kept VALUES (1)')"
)

pytestmark = pytest.mark.slow


class Checkout:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE}

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "devstack", *arguments],
            cwd=self.path,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output.strip(), errors.strip()

    def python(self, program: str) -> str:
        code, output, errors = self.run("exec", "--", sys.executable, "-c", program)
        assert code == 0, errors
        return output

    def state(self) -> dict[str, object]:
        home = self.run("status")[1].splitlines()[0].split()[-1]
        return json.loads((Path(home) / "state.json").read_text())

    def is_up(self) -> bool:
        return self.run("status")[0] == 0


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    shutil.copytree(SOURCE, tmp_path / "devstack", ignore=shutil.ignore_patterns("__pycache__"))
    checkout = Checkout(tmp_path)
    yield checkout
    checkout.run("purge")


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_a_command_gets_servers_and_gives_its_exit_code(checkout):
    program = "import os, sys; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], sep='\\n'); sys.exit(7)"

    code, output, _ = checkout.run("exec", "--", sys.executable, "-c", program)

    database, redis = output.splitlines()
    assert code == 7
    assert database.startswith("postgresql://eventops:")
    assert redis.startswith("redis://:")
    assert wait_until(lambda: not checkout.is_up())


def test_addresses_from_outside_are_respected_and_nothing_is_started(checkout):
    program = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"

    _, output, _ = checkout.run(
        "exec",
        "--",
        sys.executable,
        "-c",
        program,
        DATABASE_URL="postgresql://elsewhere/x",
        REDIS_URL="redis://elsewhere/0",
    )

    assert output == "postgresql://elsewhere/x redis://elsewhere/0"
    assert "postgres_keeper" not in checkout.state()


def test_the_second_user_shares_the_servers_and_does_not_stop_them(checkout):
    first = checkout.start("exec", "--", sys.executable, "-c", "import time; time.sleep(60)")
    assert wait_until(checkout.is_up)
    keeper = checkout.state()["postgres_keeper"]

    checkout.python(WRITE)
    still_up, same_keeper = checkout.is_up(), checkout.state()["postgres_keeper"]
    first.terminate()
    first.communicate(timeout=20)

    assert (still_up, same_keeper) == (True, keeper)
    assert wait_until(lambda: not checkout.is_up())


def test_kill_9_of_the_user_leaves_nothing_running_and_loses_nothing(checkout):
    checkout.python(WRITE)
    user = checkout.start("exec", "--", sys.executable, "-c", "import time; time.sleep(60)")
    assert wait_until(checkout.is_up)

    user.kill()
    user.communicate(timeout=20)

    assert wait_until(lambda: not checkout.is_up())
    assert checkout.python(COUNT) == "1"


def test_kill_9_of_keeper_and_server_is_recovered_from(checkout):
    checkout.python(WRITE)
    user = checkout.start("exec", "--", sys.executable, "-c", "import time; time.sleep(60)")
    assert wait_until(checkout.is_up)
    home = Path(checkout.run("status")[1].splitlines()[0].split()[-1])
    server = int((home / "pgdata" / "postmaster.pid").read_text().split()[0])

    for pid in (user.pid, int(str(checkout.state()["postgres_keeper"])), server):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    user.communicate(timeout=20)

    assert checkout.python(COUNT) == "1"


def test_passwords_are_in_a_file_that_only_its_owner_reads(checkout):
    checkout.python("pass")
    home = Path(checkout.run("status")[1].splitlines()[0].split()[-1])

    mode = (home / "state.json").stat().st_mode & 0o777

    assert mode == 0o600


def test_a_taken_port_is_said_with_a_way_out(checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, _, errors = checkout.run("run", PORT=str(port))

    assert code == 1
    assert errors == f"devstack: port {port} is taken by another program. Choose another: make run PORT={port + 1}"
