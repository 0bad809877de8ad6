"""Who can own an account, a person or a task: the active members."""

from uuid import UUID

from common.text import normalise
from identity.models import Membership, User


class NotAMember(Exception):
    """The chosen owner is not an active member of the organization."""


def check_member(organization_id: UUID, user: User | None) -> None:
    """Raise ``NotAMember`` unless ``user`` is nobody or an active member of the organization."""
    if user and not Membership.objects.for_org(organization_id).active().of(user).exists():
        raise NotAMember(f"{user} is not an active member of this organization.")


def members(organization_id: UUID) -> list[User]:
    """The active members, by name."""
    found = Membership.objects.for_org(organization_id).active().select_related("user")
    return sorted((membership.user for membership in found), key=lambda user: normalise(str(user)))
