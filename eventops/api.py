"""The JSON API: one router per app, one way to log in, one shape of error (problem details, RFC 9457)."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from identity.apiauth import in_scope

api = NinjaAPI(
    title="EventOps",
    version="1",
    description="Everything the pages do, for programs. Send `Authorization: Bearer <token>`.",
    urls_namespace="api",
)
api.add_decorator(in_scope, mode="view")

ROUTERS: dict[str, str] = {
    "": "eventops.operations_api.router",
}
"""Prefix below ``/api`` to the dotted path of the router."""

for prefix, router in ROUTERS.items():
    api.add_router(prefix, router)


def problem(request: HttpRequest, status: int, title: str, **more: Any) -> HttpResponse:
    """An error answer as RFC 9457 asks: ``{type, title, status, ...}``."""
    body = {"type": "about:blank", "title": title, "status": status, **more}
    response = api.create_response(request, body, status=status)
    response["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    response = problem(request, 401, "Log in, or send a valid bearer token.")
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, exc: PermissionDenied) -> HttpResponse:
    return problem(request, 403, str(exc) or "Your role does not allow this.")


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exc: Http404) -> HttpResponse:
    return problem(request, 404, str(exc) if exc.args and "matches the given query" not in str(exc) else "Not found")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    return problem(request, 422, "Some values are not valid.", errors=exc.errors)


@api.exception_handler(Throttled)
def throttled(request: HttpRequest, exc: Throttled) -> HttpResponse:
    response = problem(request, 429, "Too many requests. Wait and try again.")
    response["Retry-After"] = str(int(exc.wait or 60))
    return response


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    return problem(request, exc.status_code, str(exc))
