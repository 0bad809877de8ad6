"""``python -m devstack run | exec -- CMD | env -- CMD | status | stop | psql | purge``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from types import FrameType

from devstack import postgres, processes
from devstack.environment import development_defaults
from devstack.keeper import has_keeper
from devstack.layout import DevStackError, open_home
from devstack.run import run as run_product
from devstack.services import SERVICES
from devstack.stack import running


def execute(command: list[str]) -> int:
    """Run ``command`` on the stack and return its exit code (128 + n when signal n ended it)."""
    with running() as stack:
        child = processes.start(command, env=stack.environment | stack.for_tests)

        def forward(number: int, _frame: FrameType | None) -> None:
            # A terminal sends Ctrl-C to the child itself; a second one would make it give up its own clean end.
            if number != signal.SIGINT or not sys.stdin.isatty():
                child.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        code = child.wait()
    return code if code >= 0 else 128 - code


def execute_without_servers(command: list[str]) -> int:
    """Replace this process by ``command``; for tools that load the settings and connect to nothing."""
    unreachable = {"DATABASE_URL": "postgresql://eventops@127.0.0.1:1/eventops"}
    os.execvpe(command[0], command, unreachable | development_defaults())  # noqa: S606 - no shell is meant


def show_status() -> int:
    """Print what runs and where; 0 when everything does."""
    home = open_home()
    print(f"data      {home.path}")
    up = True
    for service in SERVICES.values():
        alive = has_keeper(service, home) and service.is_ready(home)
        up &= alive
        port = home.read_state().get(f"{service.name}_port", "-")
        print(f"{service.name:<9} {'running' if alive else 'stopped'} (127.0.0.1:{port}, log {home.log(service.name)})")
    return 0 if up else 3


def stop() -> int:
    """Stop this checkout's servers even if something still uses them."""
    home = open_home()
    for service in SERVICES.values():
        deadline = time.monotonic() + service.stop_timeout
        while has_keeper(service, home) and time.monotonic() < deadline:
            pid = home.read_state().get(f"{service.name}_keeper", 0)
            if pid and processes.is_alive(pid) and processes.mentions(pid, "devstack.keeper"):
                os.kill(pid, signal.SIGTERM)
            time.sleep(0.1)
    return 0


def purge() -> int:
    """Stop the servers and delete all their data."""
    stop()
    home = open_home()
    shutil.rmtree(home.path)
    print(f"deleted {home.path}")
    return 0


def prompt(arguments: list[str]) -> int:
    """A superuser psql on the embedded server."""
    with running():
        return postgres.open_prompt(open_home(), arguments)


def main() -> int:
    """Parse the command line and do what it asks."""
    parser = argparse.ArgumentParser(
        prog="python -m devstack",
        description="PostgreSQL and Valkey for this checkout.",
    )
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("run", help="migrate, seed and run the whole product")
    run = commands.add_parser("exec", help="run a command with DATABASE_URL and REDIS_URL set")
    run.add_argument("command", nargs=argparse.REMAINDER)
    env = commands.add_parser("env", help="run a command with the variables of development, but no servers")
    env.add_argument("command", nargs=argparse.REMAINDER)
    commands.add_parser("status", help="what runs, and where")
    commands.add_parser("stop", help="stop the servers")
    commands.add_parser("purge", help="stop the servers and delete their data")
    psql = commands.add_parser("psql", help="a superuser prompt")
    psql.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        match options.action:
            case "exec" | "env":
                command = options.command[1:] if options.command[:1] == ["--"] else options.command
                if not command:
                    parser.error(f"{options.action} needs a command after --")
                return execute(command) if options.action == "exec" else execute_without_servers(command)
            case "run":
                return run_product()
            case "status":
                return show_status()
            case "stop":
                return stop()
            case "purge":
                return purge()
            case _:
                return prompt(options.arguments)
    except DevStackError as error:
        print(f"devstack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except FileNotFoundError as error:
        print(f"devstack: {error.strerror}: {error.filename}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main())
