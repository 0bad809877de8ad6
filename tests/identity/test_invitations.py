import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from identity import mailing
from identity.models import Invitation, Membership, Organization, Role, User
from identity.scope import org_scope, system_scope
from identity.services import invitations
from identity.views.members import INVITATIONS
from tests.factories import MembershipFactory, UserFactory

PASSWORD = "a long enough passphrase"


@pytest.fixture
def invite(organization: Organization, owner: User) -> Callable[..., tuple[Invitation, str]]:
    """Invite an address; the invitation and the path in the mail."""

    def invite(email: str = "ana@example.com", role: Role = Role.REP) -> tuple[Invitation, str]:
        with org_scope(organization.pk):
            actor = Membership.objects.select_related("user").get(user=owner)
            invitation = invitations.invite(organization, email=email, role=role, actor=actor)
        mailing.send_invitation(invitation.pk)
        return invitation, path_in_last_mail()

    return invite


def path_in_last_mail() -> str:
    [path] = re.findall(r"http://testserver(/invitations/\S+/)", mail.outbox[-1].body)
    return path


def roles(user: User) -> list[str]:
    with system_scope():
        return [m.role for m in Membership.objects.active().of(user)]


def test_an_admin_invites_by_mail(
    organization: Organization, owner: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(owner).post(reverse("identity:members"), {"email": "Ana@Example.com", "role": "rep"})

    with system_scope():
        invitation = Invitation.objects.get()
    mailing.send_invitation(invitation.pk)
    mailing.send_invitation(invitation.pk)
    assert (answer.status_code, invitation.email, [m.to for m in mail.outbox]) == (
        302,
        "ana@example.com",
        [["ana@example.com"]],
    )


def test_the_sweep_sends_what_no_bell_rang_for(
    organization: Organization, owner: User, client_for: Callable[[User], Client], time_machine: Any
) -> None:
    client_for(owner).post(reverse("identity:members"), {"email": "ana@example.com", "role": "rep"})
    mailing.send_forgotten_invitations()
    at_once = len(mail.outbox)

    with system_scope():
        [made] = Invitation.objects.values_list("updated_at", flat=True)
    time_machine.move_to(made + timedelta(minutes=5))
    mailing.send_forgotten_invitations()

    assert (at_once, len(mail.outbox)) == (0, 1)


def test_a_new_person_joins_with_the_link(client: Client, organization: Organization, invite: Any) -> None:
    _, path = invite()

    page = client.get(path)
    answer = client.post(path, {"name": "Ana Lima", "password": PASSWORD})

    ana = User.objects.get(email="ana@example.com")
    assert (page.status_code, answer.status_code, roles(ana)) == (200, 302, ["rep"])
    assert EmailAddress.objects.get(user=ana).verified
    assert client.get(reverse("identity:settings")).status_code == 200


def test_a_weak_password_is_refused_and_nothing_is_made(client: Client, invite: Any) -> None:
    _, path = invite()

    answer = client.post(path, {"name": "Ana", "password": "short"})

    assert (answer.status_code, User.objects.filter(email="ana@example.com").exists()) == (422, False)


def test_a_person_who_has_an_account_logs_in_first(
    client: Client, client_for: Callable[[User], Client], invite: Any
) -> None:
    ana = UserFactory.create(email="ana@example.com")
    _, path = invite()

    anonymous = client.get(path)
    browser = client_for(ana)
    page, answer = browser.get(path), browser.post(path)

    assert (anonymous["Location"], page.status_code, answer.status_code) == (f"/login/?next={path}", 200, 302)
    assert (roles(ana), EmailAddress.objects.get(user=ana).verified) == (["rep"], True)


def test_somebody_else_cannot_use_the_link(client_for: Callable[[User], Client], stranger: User, invite: Any) -> None:
    invitation, path = invite()

    answer = client_for(stranger).post(path)

    with system_scope():
        invitation.refresh_from_db()
    assert (answer.status_code, roles(stranger), invitation.accepted_at) == (403, ["owner"], None)


def test_a_link_works_once(client: Client, invite: Any) -> None:
    _, path = invite()
    client.post(path, {"name": "Ana", "password": PASSWORD})

    answer = Client().get(path)

    assert answer.status_code == 410


def test_a_renewed_withdrawn_or_old_link_is_closed(client: Client, invite: Any, time_machine: Any) -> None:
    renewed, first = invite("a@example.com")
    with system_scope():
        invitations.resend(renewed)
    withdrawn, second = invite("b@example.com")
    with system_scope():
        invitations.revoke(withdrawn)
    old, third = invite("c@example.com")
    before = client.get(third).status_code
    time_machine.move_to(old.expires_at + timedelta(minutes=1))

    codes = [client.get(path).status_code for path in (first, second, third, "/invitations/guess/")]

    assert (before, codes) == (200, [410, 410, 410, 410])


def test_a_member_is_not_invited_again(
    organization: Organization, owner: User, rep: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(owner).post(reverse("identity:members"), {"email": rep.email.upper(), "role": "rep"})

    assert (answer.status_code, b"member already" in answer.content) == (422, True)


def test_an_admin_cannot_invite_an_owner(
    organization: Organization, admin_member: User, client_for: Callable[[User], Client]
) -> None:
    answer = client_for(admin_member).post(reverse("identity:members"), {"email": "x@example.com", "role": "owner"})

    assert answer.status_code == 422
    with system_scope():
        assert Invitation.objects.count() == 0


def test_inviting_again_renews_the_open_invitation(invite: Any) -> None:
    _, first = invite()
    _, second = invite(role=Role.VIEWER)

    with system_scope():
        [invitation] = Invitation.objects.all()
    assert (invitation.role, first != second) == ("viewer", True)


def test_an_invitation_brings_back_who_was_deactivated(
    client_for: Callable[[User], Client], organization: Organization, invite: Any
) -> None:
    ana = MembershipFactory.create(organization=organization, user__email="ana@example.com", is_active=False).user
    _, path = invite(role=Role.MANAGER)

    client_for(ana).post(path)

    assert roles(ana) == ["manager"]


def test_a_confirmed_address_joins_without_the_mail(client_for: Callable[[User], Client], invite: Any) -> None:
    ana = UserFactory.create(email="ana@example.com")
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    invitation, _ = invite()
    browser = client_for(ana)

    page = browser.get(reverse("identity:welcome"))
    browser.post(reverse("identity:join"), {"invitation": invitation.pk})

    assert (b"invites you as rep" in page.content, roles(ana)) == (True, ["rep"])


def test_an_unconfirmed_address_does_not(client_for: Callable[[User], Client], invite: Any) -> None:
    ana = UserFactory.create(email="ana@example.com")
    invitation, _ = invite()

    client_for(ana).post(reverse("identity:join"), {"invitation": invitation.pk})

    assert roles(ana) == []


def test_a_mail_that_could_not_leave_stays_to_be_sent(organization: Organization, invite: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with org_scope(organization.pk):
        actor = Membership.objects.select_related("user").get(role=Role.OWNER)
        invitation = invitations.invite(organization, email="x@example.com", role=Role.REP, actor=actor)

    mailing.send_invitation(invitation.pk)

    with system_scope():
        invitation.refresh_from_db()
    assert invitation.sent_at is None


def test_an_organization_invites_only_so_many_an_hour(
    organization: Organization, owner: User, client_for: Callable[[User], Client]
) -> None:
    browser = client_for(owner)
    allowed = int(INVITATIONS.partition("/")[0])

    codes = [
        browser.post(reverse("identity:members"), {"email": f"p{n}@example.com", "role": "rep"}).status_code
        for n in range(allowed + 1)
    ]

    assert codes == [302] * allowed + [422]
