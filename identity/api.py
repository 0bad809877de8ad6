"""Signing in over the API, and who the caller is."""

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema
from ninja.errors import HttpError, Throttled
from pydantic import ConfigDict

from common.envelopes import Answer
from common.limits import client_ip, seconds_to_wait
from identity.apiauth import FAILED_LOGINS, Scope, member, refuse_guessing
from identity.models import Membership, User
from identity.scope import system_scope
from identity.web import OrgRequest, chosen_organization_id

router = Router(tags=["Who is asking"])


class Credentials(Schema):
    model_config = ConfigDict(json_schema_extra={"example": {"email": "ana@example.com", "password": "correct horse"}})

    email: str
    password: str


class MemberOut(Schema):
    """A person of the organization."""

    id: UUID
    email: str
    name: str
    role: str
    time_zone: str


class OrganizationOut(Schema):
    id: UUID
    name: str
    slug: str
    time_zone: str
    currency: str


class Session(Schema):
    """Who is signed in. Send ``csrfToken`` as ``X-CSRFToken`` with every request that changes something."""

    user: MemberOut
    organization: OrganizationOut | None
    csrfToken: str  # noqa: N815 - the name callers know


class Me(Schema):
    user: MemberOut
    organization: OrganizationOut


@router.post("/auth/signin", auth=None, response=Answer[Session], summary="Sign in with e-mail and password")
def signin(request: HttpRequest, credentials: Credentials) -> dict[str, Any]:
    """Starts a session and sets its cookie. People with a second factor sign in on the page instead; programs should
    send a bearer token. Only ``application/json`` is read, so that no form of another site can sign anybody in."""
    if request.content_type != "application/json":
        raise HttpError(422, "Send the credentials as application/json.")
    refuse_guessing(request)
    user = _authenticate(request, credentials)
    if user is None:
        seconds_to_wait(FAILED_LOGINS, "api-login", client_ip(request))
        raise HttpError(401, "The e-mail address or the password is wrong.")
    if is_mfa_enabled(user):
        raise HttpError(403, "This account has a second factor: sign in on the log-in page, or use an API token.")
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise HttpError(403, "Confirm your e-mail address first: the link is in the mail we sent.")
    get_adapter().login(request, user)
    record_authentication(request, user, method="password", email=user.email)
    membership = _membership(request, user)
    return {
        "data": {
            "user": _describe(user, membership),
            "organization": membership.organization if membership else None,
            "csrfToken": get_token(request),
        }
    }


@router.get("/me", auth=member(Scope.READ), response=Answer[Me], summary="Who am I")
def me(request: OrgRequest) -> dict[str, Any]:
    return {"data": {"user": _describe(request.user, request.membership), "organization": request.organization}}


@router.get("/members", auth=member(Scope.READ), response=Answer[list[MemberOut]], summary="Members who can own things")
def members(request: OrgRequest) -> dict[str, Any]:
    found = Membership.objects.for_org(request.organization).active().select_related("user").order_by("user__name")
    return {"data": [_describe(membership.user, membership) for membership in found]}


def _authenticate(request: HttpRequest, credentials: Credentials) -> User | None:
    try:
        user: User | None = get_adapter().authenticate(request, email=credentials.email, password=credentials.password)
    except ValidationError as error:
        raise Throttled(300) from error
    return user if user and user.is_active else None


def _membership(request: HttpRequest, user: User) -> Membership | None:
    organization_id = chosen_organization_id(request)
    if organization_id is None:
        return None
    with system_scope():
        found = Membership.objects.active().of(user).for_org(organization_id)
        return found.select_related("organization").first()


def _describe(user: User, membership: Membership | None) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "role": membership.role if membership else "",
        "time_zone": user.time_zone,
    }
