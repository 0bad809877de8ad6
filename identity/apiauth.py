"""Who may call which endpoint: a bearer token with scopes, or the session of a logged-in member (with CSRF).

``auth=member(Scope.READ)`` on an operation asks for the token scope and the matching role; the operation then runs in
the scope of the caller's organization, opened by ``in_scope``.
"""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from ninja.errors import HttpError, Throttled
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle

from common.limits import PUBLIC, client_ip, seconds_to_wait
from identity import idempotency
from identity.audit import acting_as
from identity.models import ApiToken, IdempotencyKey, Membership, Role, User
from identity.scope import org_scope, system_scope
from identity.secret import secret_hash
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


PER_CALLER = "600/minute"
"""For one token, or one logged-in person."""
FAILED_LOGINS = "30/minute"
"""Wrong tokens and passwords from one address."""


class ApiRequest(OrgRequest):
    scope_stack: ExitStack
    scope_entered: bool
    idempotency_record: IdempotencyKey | None
    rate_key: str


class TokenAuth(HttpBearer):
    def __init__(self, scope: ApiToken.Scope, role: Role) -> None:
        super().__init__()
        self.scope, self.role = scope, role

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        refuse_guessing(request)
        now = timezone.now()
        with system_scope():
            found = (
                ApiToken.objects.select_related("user")
                .filter(Q(expires_at=None) | Q(expires_at__gt=now), token_hash=secret_hash(token), revoked_at=None)
                .first()
            )
            if found is None or not found.user.is_active:
                seconds_to_wait(FAILED_LOGINS, "api-login", client_ip(request))
                return None
            if found.last_used_at is None or found.last_used_at < now - timedelta(minutes=5):
                ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        if self.scope not in found.scopes:
            raise HttpError(403, f"This token lacks the scope '{self.scope}'.")
        request.user = found.user
        cast("ApiRequest", request).rate_key = f"token:{found.pk}"
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
        cast("ApiRequest", request).rate_key = f"user:{request.user.pk}"
        return _enter(request, organization_id, self.role) if organization_id else None


def refuse_guessing(request: HttpRequest) -> None:
    """Raises Throttled for an address that sent too many wrong tokens or passwords."""
    wait = seconds_to_wait(FAILED_LOGINS, "api-login", client_ip(request), count=False)
    if wait:
        raise Throttled(wait)


class RateLimit(BaseThrottle):
    """So many requests a minute per token or person; a public operation counts per address."""

    _wait: ContextVar[int] = ContextVar("api_seconds_to_wait", default=0)

    def allow_request(self, request: HttpRequest) -> bool:
        caller = getattr(request, "rate_key", "")
        if caller:
            wait = seconds_to_wait(PER_CALLER, "api", caller)
        else:
            route = request.resolver_match.route if request.resolver_match else request.path
            wait = seconds_to_wait(PUBLIC, "api", route, client_ip(request))
        self._wait.set(wait)
        return not wait

    def wait(self) -> float | None:
        return self._wait.get()


def member(scope: ApiToken.Scope, *, role: Role | None = None) -> list[Callable[[HttpRequest], Any]]:
    """The ``auth`` of an operation: this token scope, or a session; either way at least ``role``."""
    needed = role or ROLE_OF_SCOPE[scope]
    return [TokenAuth(scope, needed), SessionAuth(needed)]


def _enter(request: HttpRequest, organization_id: Any, role: Role) -> User | None:
    api_request = cast("ApiRequest", request)
    acting_as(api_request.user.pk)
    api_request.scope_stack.enter_context(org_scope(organization_id))
    api_request.scope_entered = True
    membership = Membership.objects.active().of(api_request.user).select_related("organization").first()
    if membership is None:
        return None
    if not membership.may(role):
        raise HttpError(403, f"This needs the role {role.label.lower()} or higher.")
    let_in(api_request, membership)
    api_request.idempotency_record = idempotency.begin(
        request, organization=membership.organization, user=api_request.user
    )
    return api_request.user


def in_scope(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep the scope open until the answer is serialised, and leave nothing behind when the answer is an error."""

    @wraps(run)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as stack:
            api_request = cast("ApiRequest", request)
            api_request.scope_stack, api_request.scope_entered = stack, False
            response = run(request, *args, **kwargs)
            if response.status_code >= 400 and api_request.scope_entered:
                transaction.set_rollback(True)
            elif record := vars(request).get("idempotency_record"):
                idempotency.finish(record, response)
            return response

    return wrapper
