"""What production refuses to start with. ``manage.py check --deploy`` reports the same, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from django.dispatch import receiver

from common.tenancy import SYSTEM_ROLE

LOOPBACK = {"localhost", "127.0.0.1", "::1", "testserver"}
SHORTEST_SECRET = 32


def is_public() -> bool:
    """Whether other people reach this installation: its address is not this machine's own."""
    return not _is_local(settings.BASE_URL)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in LOOPBACK or host.endswith(".localhost")


def is_production() -> bool:
    """Neither the demo nor debugging, or reachable by others whatever it calls itself."""
    return is_public() or not (settings.DEBUG or settings.EVENTOPS_DEMO)


@register(Tags.security)
def check_configuration(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Errors that stand in the settings alone."""
    found: list[CheckMessage] = []
    if is_production() and (settings.SANDBOX_URL or _is_local(settings.SENDGRID_BASE_URL)):
        found.append(
            Error(
                "The sandbox plays the vendors, so nothing would reach anybody.",
                hint="Unset SANDBOX_URL, and SENDGRID_BASE_URL if it names this machine.",
                id="eventops.E001",
            )
        )
    if is_production() and is_weak(settings.SECRET_KEY):
        found.append(
            Error(
                "AUTH_SECRET is missing or weak: it signs sessions and links.",
                hint="Set it to the output of: openssl rand -base64 48",
                id="eventops.E002",
            )
        )
    if is_production() and not settings.EVENTOPS_ENCRYPTION_KEYS:
        found.append(
            Error(
                "EVENTOPS_ENCRYPTION_KEYS is missing: it protects the stored credentials of mailboxes.",
                hint='Set it to the output of: echo "k1:$(openssl rand -base64 32)"',
                id="eventops.E007",
            )
        )
    if is_public() and settings.DEBUG:
        found.append(
            Error(
                "DEBUG shows settings and data to anybody who causes an error.", hint="Unset DEBUG.", id="eventops.E003"
            )
        )
    if is_public() and settings.EVENTOPS_DEMO:
        found.append(
            Error(
                "The demo has published passwords and relaxed cookies.",
                hint="Unset EVENTOPS_DEMO, or set BASE_URL to an address of this machine.",
                id="eventops.E004",
            )
        )
    return found


@register(Tags.database)
def check_role(app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The database role must be bound by row-level security and able to take the system role."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        return role_problems(cursor)


def is_weak(secret: str) -> bool:
    """Whether a secret is short, monotonous, or one that somebody typed as an example."""
    return (
        len(secret) < SHORTEST_SECRET
        or len(set(secret)) < 10
        or secret.startswith("django-insecure")
        or "change" in secret.lower()
    )


def role_problems(cursor: CursorWrapper | psycopg.Cursor[Any]) -> list[CheckMessage]:
    """What is wrong with the role that ``cursor`` works as."""
    cursor.execute(
        "SELECT rolname, rolsuper OR rolbypassrls,"
        " EXISTS (SELECT FROM pg_roles r WHERE r.rolname = %s AND pg_has_role(session_user, r.oid, 'SET'))"
        " FROM pg_roles WHERE rolname = session_user",
        [SYSTEM_ROLE],
    )
    [(name, bypasses, can_take_system_role)] = cursor.fetchall()
    if bypasses:
        return [
            Error(
                f"The database role {name!r} bypasses row-level security: organizations would see each other's data.",
                hint=f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS, or connect as another role.",
                id="eventops.E005",
            )
        ]
    if not can_take_system_role:
        return [
            Error(
                f"The database role {name!r} cannot take the role {SYSTEM_ROLE!r}.",
                hint=f"CREATE ROLE {SYSTEM_ROLE} NOLOGIN; GRANT {SYSTEM_ROLE} TO {name} WITH INHERIT FALSE, SET TRUE",
                id="eventops.E006",
            )
        ]
    return []


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured when this process must not serve. A database that is away is asked when it is back."""
    _refuse(check_configuration())
    try:
        connection.ensure_connection()
    except OperationalError:
        return
    finally:
        connection.close()
        # A pool must not be shared with the processes that are forked from this one.
        if hasattr(connection, "close_pool"):
            connection.close_pool()


@receiver(connection_created, dispatch_uid="eventops.checks")
def check_first_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """No process works as an unsafe role, commands included: its connection is closed before anybody uses it."""
    with connection.connection.cursor() as cursor:
        problems = role_problems(cursor)
    if problems:
        connection.close()
    _refuse(problems)
    connection_created.disconnect(dispatch_uid="eventops.checks")


def _refuse(problems: Sequence[CheckMessage]) -> None:
    if problems:
        raise ImproperlyConfigured("\n".join(f"{problem.id}: {problem.msg} {problem.hint}" for problem in problems))
