"""The JSON API: one router per app, one way to log in, one shape of error (problem details, RFC 9457)."""

import re
from functools import cached_property
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from common.paging import InvalidCursor
from eventops.openapi import ERRORS, Description, complete
from eventops.outside_api import OUTSIDE
from identity.apiauth import RateLimit, in_scope
from identity.idempotency import Replayed, replay

log = structlog.get_logger(__name__)


class Api(NinjaAPI):
    """Ninja's API, whose description names every error and shows an example of everything."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        return self._described

    @cached_property
    def _described(self) -> Description:
        schema = Description(self, self.get_root_path({}))
        complete(schema, operations=self.operation)
        schema["paths"] |= OUTSIDE
        return schema

    def operation(self, path: str, method: str) -> Any:
        """The operation behind ``path`` as OpenAPI writes it (``/api/accounts/{account_id}``)."""
        return self.operations[method.upper(), path]

    @cached_property
    def operations(self) -> dict[tuple[str, str], Any]:
        """Every operation by method and path."""
        return {
            (method, full_path(bound.prefix, path)): operation
            for bound in self._get_bound_routers()
            for path, view in bound.path_operations.items()
            for operation in view.operations
            for method in operation.methods
        }


def full_path(prefix: str, path: str) -> str:
    """``/api/<prefix>/<path>`` with path converters left out, as OpenAPI writes it."""
    parts = "/".join(part.strip("/") for part in ("api", prefix, path) if part.strip("/"))
    slash = "/" if path.endswith("/") and path != "/" else ""
    return re.sub(r"{[^}:]+:", "{", f"/{parts}{slash}")


api = Api(
    title="EventOps",
    version="1",
    description=(
        "Everything the pages do, for programs. Send `Authorization: Bearer <token>`; make a token under Settings, "
        "API tokens. Errors are problem details (RFC 9457). Lists go page by page: follow `nextCursor`."
    ),
    urls_namespace="api",
    throttle=[RateLimit()],
)
api.add_decorator(in_scope, mode="view")

ROUTERS: dict[str, str] = {
    "/events": "events.api.router",
    "/accounts": "accounts.api.router",
    "/tags": "accounts.api.tags",
    "/people": "people.api.router",
    "/contacts": "people.api.contacts",
    "/export": "people.export_api.router",
    "/activities": "activities.api.router",
    "/notes": "activities.api.notes",
    "/tasks": "activities.api.tasks",
    "/booth-visits": "activities.api.booth_visits",
    # Before the router below, whose one-word paths are ids of mails.
    "/outreach/": "outreach.api_words.router",
    "/outreach": "outreach.api.router",
    "/domains": "outreach.domains_api.router",
    "/sequences": "sequences.api.router",
    "/cron": "sequences.api.cron",
    "/meetings": "meetings.api.router",
    "/analytics": "analytics.api.router",
    "/dashboards": "analytics.api.dashboards",
    "/": "identity.api.router",
    "": "eventops.operations_api.router",
    "/imports": "people.import_api.router",
    "/ai": "research.api.router",
}
"""Prefix below ``/api`` to the dotted path of the router."""

for prefix, router in ROUTERS.items():
    api.add_router(prefix, router)


def problem(request: HttpRequest, status: int, title: str = "", **more: Any) -> HttpResponse:
    """An error answer as RFC 9457 asks, with the ``success`` and ``error`` of our own envelope beside it."""
    title = title or ERRORS.get(status, "Something went wrong.")
    body = {"type": "about:blank", "title": title, "status": status, "success": False, "error": title, **more}
    response = api.create_response(request, body, status=status)
    response["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    response = problem(request, 401)
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, exc: PermissionDenied) -> HttpResponse:
    return problem(request, 403, str(exc))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exc: Http404) -> HttpResponse:
    return problem(request, 404)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    errors = [{name: error[name] for name in ("type", "loc", "msg")} for error in exc.errors]
    return problem(request, 422, errors=errors)


@api.exception_handler(InvalidCursor)
def invalid_cursor(request: HttpRequest, exc: InvalidCursor) -> HttpResponse:
    return problem(request, 422, errors=[{"type": "cursor", "loc": ["query", "cursor"], "msg": str(exc)}])


@api.exception_handler(Throttled)
def throttled(request: HttpRequest, exc: Throttled) -> HttpResponse:
    response = problem(request, 429)
    response["Retry-After"] = str(max(1, int(exc.wait or 60)))
    return response


@api.exception_handler(Replayed)
def replayed(request: HttpRequest, exc: Replayed) -> HttpResponse:
    return replay(exc.record)


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    return problem(request, exc.status_code, str(exc))


@api.exception_handler(Exception)
def broken(request: HttpRequest, exc: Exception) -> HttpResponse:
    """A fault of ours: told to the log and, by number, to the caller; never in the words of the exception."""
    log.error("api.failed", exc_info=exc)
    reference = structlog.contextvars.get_contextvars().get("request_id", "")
    return problem(request, 500, "Something went wrong on our side. Nothing was changed.", reference=reference)
