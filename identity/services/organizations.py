"""Making an organization, and finding the ones a person belongs to."""

from django.db import transaction
from django.utils.text import slugify

from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope


def create_organization(
    *, name: str, owner: User, slug: str = "", time_zone: str = "UTC", currency: str = "USD"
) -> Organization:
    """A new organization with ``owner`` as its first member. Its slug is made from the name unless given."""
    with system_scope(), transaction.atomic():
        organization = Organization.objects.create(
            name=name, slug=slug or _free_slug(name), time_zone=time_zone, currency=currency
        )
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


def memberships_of(user: User) -> list[Membership]:
    """The person's active memberships everywhere, the oldest first."""
    with system_scope():
        return list(Membership.objects.active().of(user).select_related("organization").order_by("created_at"))


def _free_slug(name: str) -> str:
    base = slugify(name)[:40] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)
