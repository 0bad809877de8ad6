"""Who may call which endpoint: a bearer token with scopes, or the session of a logged-in member (with CSRF).

``auth=member(Scope.READ)`` on an operation asks for the token scope and the matching role; the operation then runs in
the scope of the caller's organization, opened by ``in_scope``.
"""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer

from identity.models import ApiToken, Membership, Role, User
from identity.scope import org_scope, system_scope
from identity.web import OrgRequest, chosen_organization_id, let_in

Scope = ApiToken.Scope

ROLE_OF_SCOPE = {
    Scope.READ: Role.VIEWER,
    Scope.WRITE: Role.REP,
    Scope.SEND: Role.REP,
    Scope.EXPORT: Role.REP,
    Scope.ADMIN: Role.ADMIN,
}
"""The lowest role that may do what a token scope allows."""


class ApiRequest(OrgRequest):
    scope_stack: ExitStack


def token_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuth(HttpBearer):
    def __init__(self, scope: ApiToken.Scope, role: Role) -> None:
        super().__init__()
        self.scope, self.role = scope, role

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        now = timezone.now()
        with system_scope():
            found = (
                ApiToken.objects.select_related("user")
                .filter(Q(expires_at=None) | Q(expires_at__gt=now), token_hash=token_hash(token), revoked_at=None)
                .first()
            )
            if found is None or not found.user.is_active:
                return None
            if found.last_used_at is None or found.last_used_at < now - timedelta(minutes=5):
                ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        if self.scope not in found.scopes:
            raise HttpError(403, f"This token lacks the scope '{self.scope}'.")
        request.user = found.user
        return _enter(request, found.organization_id, self.role)


class SessionAuth(APIKeyCookie):
    param_name = "sessionid"

    def __init__(self, role: Role) -> None:
        super().__init__(csrf=True)
        self.role = role

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        if not request.user.is_authenticated:
            return None
        organization_id = chosen_organization_id(request)
        return _enter(request, organization_id, self.role) if organization_id else None


def member(scope: ApiToken.Scope, *, role: Role | None = None) -> list[Callable[[HttpRequest], Any]]:
    """The ``auth`` of an operation: this token scope, or a session; either way at least ``role``."""
    needed = role or ROLE_OF_SCOPE[scope]
    return [TokenAuth(scope, needed), SessionAuth(needed)]


def _enter(request: HttpRequest, organization_id: Any, role: Role) -> User | None:
    api_request = cast("ApiRequest", request)
    api_request.scope_stack.enter_context(org_scope(organization_id))
    membership = Membership.objects.active().of(api_request.user).select_related("organization").first()
    if membership is None:
        return None
    if not membership.may(role):
        raise HttpError(403, f"This needs the role {role.label.lower()} or higher.")
    let_in(api_request, membership)
    return api_request.user


def in_scope(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep the scope open until the answer is serialised, and leave nothing behind when the answer is an error."""

    @wraps(run)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as stack:
            cast("ApiRequest", request).scope_stack = stack
            response = run(request, *args, **kwargs)
            if response.status_code >= 400 and transaction.get_connection().in_atomic_block:
                transaction.set_rollback(True)
            return response

    return wrapper
