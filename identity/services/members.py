"""Who belongs to an organization and what they may do there."""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from identity.models import ApiToken, Membership, Role, User


class LastOwner(Exception):
    """The organization would be left without an owner."""


class NotAllowed(Exception):
    """Only an owner changes owners, and nobody deactivates themselves."""


@transaction.atomic
def change_role(membership: Membership, *, role: Role, actor: Membership) -> None:
    """Raises ``NotAllowed`` and ``LastOwner``."""
    membership = _lock(membership)
    _check_rank(membership, actor, role)
    if role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role", "updated_at"])


@transaction.atomic
def deactivate(membership: Membership, *, actor: Membership) -> None:
    """Sessions and tokens of the member stop with the next request. Raises ``NotAllowed`` and ``LastOwner``."""
    membership = _lock(membership)
    if membership.pk == actor.pk:
        raise NotAllowed
    _check_rank(membership, actor)
    _keep_an_owner(membership)
    membership.is_active = False
    membership.save(update_fields=["is_active", "updated_at"])
    tokens = ApiToken.objects.for_org(membership.organization_id).unrevoked().filter(user_id=membership.user_id)
    tokens.update(revoked_at=timezone.now())


@transaction.atomic
def reactivate(membership: Membership, *, actor: Membership) -> None:
    """Raises ``NotAllowed``. API tokens stay revoked."""
    membership = _lock(membership)
    _check_rank(membership, actor)
    membership.is_active = True
    membership.save(update_fields=["is_active", "updated_at"])


def _lock(membership: Membership) -> Membership:
    """The row as it is now; all owners are locked with it, so that two cannot leave at once."""
    owners = Membership.objects.for_org(membership.organization_id).filter(role=Role.OWNER)
    list(owners.select_for_update().order_by("pk").values_list("pk", flat=True))
    return Membership.objects.for_org(membership.organization_id).select_for_update().get(pk=membership.pk)


def _check_rank(membership: Membership, actor: Membership, role: Role | None = None) -> None:
    if Role.OWNER in {membership.role, role} and actor.role != Role.OWNER:
        raise NotAllowed


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.for_org(membership.organization_id).active().filter(role=Role.OWNER)
    if membership.role == Role.OWNER and not others.exclude(pk=membership.pk).exists():
        raise LastOwner


def verified_address(user: User) -> str:
    """The address the user has confirmed to be theirs, the primary one first; empty without one."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return addresses.values_list("email", flat=True).first() or ""
