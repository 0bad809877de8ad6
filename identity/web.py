"""The door of every page: log-in, membership, role, and the database scope of the request."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from identity.audit import acting_as
from identity.models import Membership, Organization, Role, User
from identity.scope import org_scope, system_scope

SESSION_KEY = "organization_id"
P = ParamSpec("P")


class OrgRequest(HttpRequest):
    """A request of a member: what ``member_required`` promises to a view."""

    user: User
    htmx: HtmxDetails
    organization: Organization
    membership: Membership


R = TypeVar("R", bound=OrgRequest)
View = Callable[Concatenate[R, P], HttpResponseBase]

entered = Signal()
"""Sent with ``request`` once a member is inside the scope, so that higher apps can add what governs every page."""


def member_required(*, role: Role = Role.VIEWER) -> Callable[[View[R, P]], Callable[..., HttpResponseBase]]:
    """Let only members with at least ``role`` in, and run the view in the scope of their organization.

    Anonymous people go to the log-in page, people without an organization to the page that makes one, and a role that
    does not suffice answers 403. A view that raises leaves nothing behind: the scope is one transaction.
    """

    def decorate(view: View[R, P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_log_in(request)
            acting_as(request.user.pk)
            organization_id = chosen_organization_id(request)
            if organization_id is None:
                return redirect("identity:welcome")
            with org_scope(organization_id):
                membership = _membership(request)
                if membership is None:
                    request.session.pop(SESSION_KEY, None)
                    return redirect("identity:choose")
                if not membership.may(role):
                    raise PermissionDenied(f"This needs the role {role.label.lower()} or higher.")
                member_request = cast("R", request)
                let_in(member_request, membership)
                return view(member_request, *args, **kwargs)

        return wrapper

    return decorate


def person_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let anybody in who is logged in, with or without an organization. The view opens its own scopes."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return ask_to_log_in(request)
        acting_as(request.user.pk)
        return view(request, *args, **kwargs)

    return wrapper


def ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in page and back here; a fragment sends the whole page there, not its own place in it."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        page = htmx.current_url_abs_path or request.get_full_path()
        return HttpResponseClientRedirect(redirect_to_login(page).url)
    return redirect_to_login(request.get_full_path())


def let_in(request: OrgRequest, membership: Membership) -> None:
    """Tell the request who it belongs to, inside the scope. Pages and the API share this step."""
    request.membership, request.organization = membership, membership.organization
    _activate_time_zone(request)
    entered.send(sender=OrgRequest, request=request)


def chosen_organization_id(request: HttpRequest) -> UUID | None:
    """The organization of this session; the first membership when none was chosen yet."""
    stored = request.session.get(SESSION_KEY)
    if stored:
        return UUID(stored)
    with system_scope():
        found = (
            Membership.objects.active()
            .of(cast("User", request.user))
            .order_by("created_at")
            .values_list("organization_id", flat=True)
            .first()
        )
    if found:
        request.session[SESSION_KEY] = str(found)
    return found


def _membership(request: HttpRequest) -> Membership | None:
    return Membership.objects.active().of(cast("User", request.user)).select_related("organization").first()


def _activate_time_zone(request: OrgRequest) -> None:
    try:
        timezone.activate(ZoneInfo(request.user.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        timezone.activate(ZoneInfo("UTC"))
