"""Who may use which address. Every route of the product has one row; a route without a row fails the suite.

The rows stand in ``tests/access/rows/<app>.py``, one line each, found by themselves:

    ROWS = {
        "accounts:list": members(get=VIEWER),
        "accounts:edit": members(get=REP, post=REP, pk="account"),
        "GET /api/accounts/{account_id}": operation(VIEWER, account_id="account"),
        "GET /api/public-thing": operation(ANYONE),
        "livez": anyone(),
    }
    BUILDERS = {"account": lambda organization: AccountFactory.create(organization=organization).pk}

* ``members(get=..., post=..., <url argument>=<builder>)``: the lowest role per method. A method not named must answer 405.
* ``operation(<lowest role>, <path argument>=<builder>, body=..., query=...)``: one API operation, keyed "METHOD /api/path".
* ``person()``: anybody who is logged in, with or without an organization. ``anyone()``: public.

``data``, ``body`` and ``query`` may also be functions of the organization, when they name rows of it; strangers who send
them are refused. Whoever may call an operation must get a 2xx, so its body has to be valid; so must the ``data`` of a page.
A page without ``data`` may answer 422 to whom it lets in.

A builder makes a fresh row in the given organization and returns the value for the address. The test then asks as an
anonymous visitor, a stranger (the owner of another organization) and a member of every role.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, get_resolver

from eventops.api import api
from identity.models import Organization, Role

VIEWER, REP, MANAGER, ADMIN, OWNER = Role.VIEWER, Role.REP, Role.MANAGER, Role.ADMIN, Role.OWNER
ANYONE = None

Builder = Callable[[Organization], Any]


@dataclass(frozen=True)
class Rule:
    """What one address promises. ``methods`` maps a method to its lowest role."""

    door: str
    methods: Mapping[str, Role | None] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    query: Any = ""

    def data_for(self, organization: Organization) -> Any:
        """What to send; a function of the organization where the data names its rows."""
        return self.data(organization) if callable(self.data) else self.data

    def query_for(self, organization: Organization) -> str:
        return str(self.query(organization) if callable(self.query) else self.query)

    @property
    def names_rows(self) -> bool:
        """Whether the address, its query or the data names rows of the organization, which a stranger must not reach."""
        return bool(self.arguments) or callable(self.data) or callable(self.query)


def members(
    *,
    get: Role | None = None,
    post: Role | None = None,
    delete: Role | None = None,
    data: Any = None,
    query: Any = "",
    **arguments: str,
) -> Rule:
    """A page behind ``member_required``. ``data`` is posted; ``query`` is put behind the address."""
    asked = {"get": get, "post": post, "delete": delete}
    return Rule("members", {m: role for m, role in asked.items() if role is not None}, arguments, data, query)


def operation(role: Role | None, *, body: Any = None, query: Any = "", **arguments: str) -> Rule:
    """An API operation; ``ANYONE`` makes it public."""
    return Rule("members" if role else "anyone", {"": role}, arguments, body, query)


def person() -> Rule:
    return Rule("person")


def anyone() -> Rule:
    return Rule("anyone")


@dataclass(frozen=True)
class Route:
    """One address as the resolver knows it; ``key`` is what the matrix calls it."""

    key: str
    name: str = ""
    method: str = ""
    path: str = ""


EXEMPT_PREFIXES = ("admin:", "/admin/")
"""Django's admin has its own test: every address of it answers only to staff."""


def routes() -> Iterator[Route]:
    """Every address: URL names of pages, and ``METHOD /api/path`` of API operations."""
    for name, pattern in _walk(get_resolver().url_patterns):
        key = name or f"/{pattern}"
        if not key.startswith(EXEMPT_PREFIXES) and not _is_api_operation(name):
            yield Route(key=key, name=name, path=f"/{pattern}")
    for method, path in api.operations:
        yield Route(key=f"{method} {path}", method=method.lower(), path=path)


def _is_api_operation(name: str) -> bool:
    return name.startswith("api:") and not name.startswith(("api:openapi", "api:api-root"))


def _walk(patterns: Any, namespace: str = "", prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield (f"{namespace}{pattern.name}" if pattern.name else "", f"{prefix}{pattern.pattern}")
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner, f"{prefix}{pattern.pattern}")


MATRIX: dict[str, Rule] = {}
BUILDERS: dict[str, Builder] = {}
CLASHES: list[str] = []
"""Keys that two files of ``rows/`` both claim."""

_rows = importlib.import_module("tests.access.rows")
for found in pkgutil.iter_modules(_rows.__path__):
    module = importlib.import_module(f"tests.access.rows.{found.name}")
    CLASHES += [key for key in module.ROWS if key in MATRIX]
    MATRIX |= module.ROWS
    BUILDERS |= getattr(module, "BUILDERS", {})
