"""Whose rows the database shows.

Every query on a tenant table runs inside ``org_scope``; without one Postgres shows no rows. The setting lives in the
transaction, so it cannot leak through a connection pool. Keep scopes short and never hold one around a vendor call.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from common.tenancy import ORGANIZATION_SETTING, SYSTEM_ROLE
from identity.audit import current_actor

_APPLY = "SELECT set_config('role', %s, true), set_config(%s, %s, true)"


@dataclass(frozen=True)
class _Scope:
    organization_id: UUID | None = None
    system: bool = False


_NOBODY = _Scope()
_current: ContextVar[_Scope] = ContextVar("database_scope", default=_NOBODY)


def current_organization_id() -> UUID | None:
    """The organization whose rows are visible now, or ``None`` outside a scope and in the system scope."""
    return _current.get().organization_id


@contextmanager
def org_scope(organization_id: UUID) -> Iterator[None]:
    """A transaction in which exactly this organization's rows can be read and written."""
    with _scope(_Scope(organization_id=organization_id)):
        yield


def run_in_org(organization_id: UUID, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """One statement in a transaction of its own that sees this organization's rows; returns its rows.

    The same as ``org_scope`` around one ``execute``, in a single round trip: Postgres runs several statements that come
    in one message as one transaction. Inside of another transaction it is exactly that.
    """
    if connection.in_atomic_block:
        with org_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    with connection.cursor() as cursor:
        cursor.execute(f"{_APPLY}; {statement}", ["none", ORGANIZATION_SETTING, str(organization_id), *parameters])
        cursor.nextset()
        return list(cursor.fetchall())


@contextmanager
def system_scope() -> Iterator[None]:
    """A transaction that spans organizations, for work that truly must: log-in, sweeps, webhooks, migrations."""
    with _scope(_Scope(system=True)):
        yield


@contextmanager
def _scope(scope: _Scope) -> Iterator[None]:
    outer = _current.get()
    nested = connection.in_atomic_block
    with transaction.atomic():
        _apply(scope)
        token = _current.set(scope)
        try:
            yield
        finally:
            _current.reset(token)
        # A rollback restores the outer setting by itself, and so does the end of the outermost transaction.
        if nested and not transaction.get_rollback():
            _apply(outer)


def _apply(scope: _Scope) -> None:
    actor = current_actor()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', %s, true), set_config(%s, %s, true),"
            " set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
            [
                SYSTEM_ROLE if scope.system else "none",
                ORGANIZATION_SETTING,
                str(scope.organization_id) if scope.organization_id else "",
                str(actor[0]) if actor else "",
                actor[1] if actor else "",
            ],
        )
