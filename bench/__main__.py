"""``python -m bench [--only NAME,…]``: run the benches and print one JSON line per figure."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import traceback
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.core.management import call_command
from psycopg import sql

import bench
from bench.registry import Entry, entries, note

DATABASE = "eventops_bench"


def use_own_database(database: str = DATABASE) -> None:
    """Point ``DATABASE_URL`` at a database of the benches, created when missing."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(urlunsplit(parts), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{database}"))
    redis = os.environ.get("REDIS_URL", "")
    if redis:
        os.environ["REDIS_URL"] = f"{redis.rpartition('/')[0]}/12"


def load() -> None:
    """Import every module of this package, which registers its benches."""
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name not in {"__main__", "registry"} and not module.name.endswith("_worker"):
            importlib.import_module(f"bench.{module.name}")


def wanted(only: str) -> list[Entry]:
    """The benches that yield one of the names in ``only``; all of them when it is empty."""
    names = {name.strip() for name in only.split(",") if name.strip()}
    known = {name for entry in entries() for name in entry.names}
    if unknown := names - known:
        sys.exit(f"bench: no figure is called {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}")
    return [entry for entry in entries() if not names or names & set(entry.names)]


def main() -> int:
    """Run what is wanted; 1 when a bench failed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", default="", help="names of figures, separated by commas")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventops.settings")
    use_own_database()
    django.setup()
    load()
    chosen = wanted(options.only)
    if any(entry.needs_database for entry in chosen):
        call_command("migrate", verbosity=0, stdout=sys.stderr)
    failed = False
    for entry in chosen:
        note(f"{entry.run.__module__}.{entry.run.__name__}")
        try:
            for figure in entry.run():
                print(figure.as_json(), flush=True)
        except Exception:  # noqa: BLE001 - one failing bench must not hide the figures of the others; it fails the run
            traceback.print_exc()
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
