"""The migrated database that test databases are copied from: migrating takes many seconds, copying one.

It is made anew when a migration, the settings or the locked packages have changed.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from pytest_django import DjangoDbBlocker

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "template_of_tests_"
LOCK_KEY = 0x7E_57_5E_7D


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """What pytest-django asks for before it creates a test database."""
    connection.settings_dict["TEST"]["TEMPLATE"] = _template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As pytest-django's; a session that a killed process left behind must not keep the database from being dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _fingerprint() -> str:
    sources = [*ROOT.glob("*/migrations/*.py"), ROOT / "eventops" / "settings.py", ROOT / "requirements" / "base.txt"]
    sources += [*ROOT.glob("common/*.py"), *ROOT.glob("[a-z]*/**/*.sql")]
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _template() -> str:
    address = urlsplit(os.environ["DATABASE_URL"])
    name = PREFIX + _fingerprint()
    with psycopg.connect(urlunsplit(address), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        rows = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        existing = {database for (database,) in rows.fetchall()}
        for stale in existing - {name}:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(stale)))
        if name not in existing:
            draft = f"{name}_draft"
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
            _migrate(urlunsplit(address._replace(path=f"/{draft}")))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    return name


def _migrate(url: str) -> None:
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.exit(f"The migrations failed:\n{done.stderr[-3000:]}", returncode=3)
