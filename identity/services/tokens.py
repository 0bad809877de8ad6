"""API tokens: made, shown once, revoked."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from identity.apiauth import ROLE_OF_SCOPE
from identity.models import ApiToken, Membership
from identity.secret import new_secret, secret_hash


class NotAllowed(Exception):
    """A token cannot do what its member may not."""


def create_token(
    membership: Membership, *, name: str, scopes: Sequence[ApiToken.Scope], expires_at: datetime | None
) -> tuple[ApiToken, str]:
    """The token and its secret, which nobody can read again. Raises ``NotAllowed``."""
    if not all(membership.may(ROLE_OF_SCOPE[scope]) for scope in scopes):
        raise NotAllowed
    secret = new_secret("eo_")
    token = ApiToken.objects.create(
        organization_id=membership.organization_id,
        user=membership.user,
        name=name,
        prefix=secret[:8],
        token_hash=secret_hash(secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return token, secret


def revoke(token: ApiToken) -> None:
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at", "updated_at"])
