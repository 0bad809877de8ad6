"""Inviting people by mail. The secret in the mail is made when the mail is sent; only its hash is kept."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from common.text import email_key
from identity import tasks
from identity.models import Invitation, Membership, Organization, Role, User
from identity.scope import system_scope
from identity.secret import new_secret, secret_hash

VALID_FOR = timedelta(days=7)


class AlreadyMember(Exception):
    """The address belongs to an active member."""


class NotAllowed(Exception):
    """Only an owner invites owners."""


class Closed(Exception):
    """The invitation was used, revoked, or has expired."""


class SomebodyElse(Exception):
    """The invitation was sent to an address that is not this person's."""


@transaction.atomic
def invite(organization: Organization, *, email: str, role: Role, actor: Membership) -> Invitation:
    """Offer membership by mail. A pending invitation of the address is renewed. Raises ``AlreadyMember``, ``NotAllowed``."""
    if role == Role.OWNER and actor.role != Role.OWNER:
        raise NotAllowed
    email = email_key(email)
    if Membership.objects.for_org(organization).active().filter(user__email=email).exists():
        raise AlreadyMember
    invitation, _ = (
        Invitation.objects.for_org(organization)
        .pending()
        .update_or_create(
            organization=organization,
            email=email,
            defaults={
                "role": role,
                "invited_by": actor.user,
                "expires_at": timezone.now() + VALID_FOR,
                "sent_at": None,
                "token_hash": _nobody_knows(),
            },
        )
    )
    _ring(invitation)
    return invitation


def resend(invitation: Invitation) -> None:
    """Send a new link, valid for another week; the old one stops working."""
    invitation.sent_at, invitation.expires_at = None, timezone.now() + VALID_FOR
    invitation.token_hash = _nobody_knows()
    invitation.save(update_fields=["sent_at", "expires_at", "token_hash", "updated_at"])
    _ring(invitation)


def revoke(invitation: Invitation) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at", "updated_at"])


def find(secret: str) -> Invitation | None:
    """The invitation a link belongs to, open or not, whatever the organization."""
    with system_scope():
        found = Invitation.objects.select_related("organization", "invited_by")
        return found.filter(token_hash=secret_hash(secret)).first()


def waiting_for(user: User) -> list[Invitation]:
    """Open invitations to the person's confirmed addresses."""
    with system_scope():
        found = Invitation.objects.open().filter(email__in=_confirmed_addresses(user))
        return list(found.select_related("organization").order_by("created_at"))


def accept(invitation: Invitation, *, user: User, has_link: bool) -> Membership:
    """Make ``user`` a member. Whoever ``has_link`` read the mail, which confirms the address.

    Raises ``Closed``, and ``SomebodyElse`` when the invited address is not the person's.
    """
    with system_scope():
        invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if not invitation.is_open:
            raise Closed
        if not _is_theirs(invitation, user, has_link=has_link):
            raise SomebodyElse
        if has_link:
            _confirm_address(user, invitation.email)
        membership, made = Membership.objects.get_or_create(
            organization_id=invitation.organization_id, user=user, defaults={"role": invitation.role}
        )
        if not made and not membership.is_active:
            membership.role, membership.is_active = invitation.role, True
            membership.save(update_fields=["role", "is_active", "updated_at"])
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at", "updated_at"])
    return membership


@transaction.atomic
def sign_up_and_accept(invitation: Invitation, *, name: str, password: str) -> User:
    """A new person whose address the link has confirmed, and their membership. Raises ``Closed``."""
    with system_scope():
        if User.objects.filter(email=invitation.email).exists():
            raise SomebodyElse
        user = User.objects.create_user(invitation.email, password, name=name)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        accept(invitation, user=user, has_link=True)
    return user


def _is_theirs(invitation: Invitation, user: User, *, has_link: bool) -> bool:
    if invitation.email in _confirmed_addresses(user):
        return True
    mine = EmailAddress.objects.filter(user=user, email=invitation.email)
    return has_link and (user.email == invitation.email or mine.exists())


def _confirm_address(user: User, email: str) -> None:
    taken = EmailAddress.objects.filter(email=email, verified=True).exclude(user=user)
    if not taken.exists():
        EmailAddress.objects.update_or_create(
            user=user, email=email, defaults={"verified": True}, create_defaults={"verified": True, "primary": True}
        )


def _confirmed_addresses(user: User) -> list[str]:
    return list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))


def _nobody_knows() -> str:
    return secret_hash(new_secret())


def _ring(invitation: Invitation) -> None:
    transaction.on_commit(lambda: tasks.send_invitation.delay(str(invitation.pk)))
