from typing import TYPE_CHECKING, Self

from django.utils import timezone

from common.querysets import TenantQuerySet

if TYPE_CHECKING:
    from identity.models import ApiToken, Invitation, Membership, User


class MembershipQuerySet(TenantQuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(is_active=True, user__is_active=True)

    def of(self, user: "User") -> Self:
        return self.filter(user=user)


class InvitationQuerySet(TenantQuerySet["Invitation"]):
    def pending(self) -> Self:
        """Neither accepted nor revoked; it may have expired."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Can be accepted now."""
        return self.pending().filter(expires_at__gt=timezone.now())

    def unsent(self) -> Self:
        return self.open().filter(sent_at=None)


class ApiTokenQuerySet(TenantQuerySet["ApiToken"]):
    def unrevoked(self) -> Self:
        return self.filter(revoked_at=None)
