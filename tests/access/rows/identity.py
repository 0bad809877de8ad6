from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from identity.models import ApiToken, Invitation, Organization, Role
from identity.scope import system_scope
from tests.access.matrix import ADMIN, ANYONE, VIEWER, anyone, members, operation, person
from tests.factories import MembershipFactory

ROWS = {
    "identity:welcome": person(),
    "identity:choose": person(),
    "identity:join": person(),
    "identity:invitation": anyone(),
    "identity:enter": anyone(),
    "identity:settings": members(get=VIEWER),
    "identity:profile": members(get=VIEWER, post=VIEWER),
    "identity:organization": members(get=ADMIN, post=ADMIN),
    "identity:changes": members(get=ADMIN),
    "identity:members": members(get=ADMIN, post=ADMIN),
    "identity:change_role": members(post=ADMIN, pk="membership", data={"role": "viewer"}),
    "identity:deactivate": members(post=ADMIN, pk="membership"),
    "identity:reactivate": members(post=ADMIN, pk="membership"),
    "identity:resend_invitation": members(post=ADMIN, pk="invitation"),
    "identity:revoke_invitation": members(post=ADMIN, pk="invitation"),
    "identity:tokens": members(get=VIEWER, post=VIEWER),
    "identity:revoke_token": members(post=ADMIN, pk="token"),
    "POST /api/auth/signin": operation(ANYONE, body={"email": "nobody@example.com", "password": "wrong"}),
    "GET /api/me": operation(VIEWER),
    "GET /api/members": operation(VIEWER),
}


def membership(organization: Organization) -> object:
    return MembershipFactory.create(organization=organization, role=Role.REP).pk


def invitation(organization: Organization) -> object:
    with system_scope():
        return Invitation.objects.create(
            organization=organization,
            email=f"{uuid4()}@example.com",
            token_hash=uuid4().hex,
            expires_at=timezone.now() + timedelta(days=1),
        ).pk


def token(organization: Organization) -> object:
    """Of some other member: only admins see it."""
    user = MembershipFactory.create(organization=organization).user
    with system_scope():
        return ApiToken.objects.create(
            organization=organization, user=user, name="x", prefix="eo_x", token_hash=uuid4().hex, scopes=["read"]
        ).pk


BUILDERS = {"membership": membership, "invitation": invitation, "token": token}
