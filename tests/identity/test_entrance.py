import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope
from identity.web import SESSION_KEY
from tests.factories import MembershipFactory, UserFactory

PASSWORD = "a long enough passphrase"


def test_signing_up_confirming_and_setting_up_an_organization(client: Client, db: None) -> None:
    client.post("/signup/", {"email": "Ana@Example.com", "password1": PASSWORD})
    before = client.get("/welcome/")
    [link] = re.findall(r"http://testserver(/confirm-email/\S+/)", mail.outbox[0].body)
    client.post(link)
    client.post("/login/", {"login": "ana@example.com", "password": PASSWORD})
    form = {"your_name": "Ana", "name": "Nordlicht Robotics", "time_zone": "Europe/Berlin", "currency": "eur"}

    answer = client.post("/welcome/", form)

    with system_scope():
        membership = Membership.objects.select_related("organization", "user").get()
    assert (before.status_code, before["Location"]) == (302, "/login/?next=/welcome/")
    assert (answer.status_code, membership.role, membership.user.email) == (302, "owner", "ana@example.com")
    assert (membership.organization.slug, membership.organization.currency) == ("nordlicht-robotics", "EUR")


def test_two_organizations_of_one_name_get_two_slugs(client_for: Callable[[User], Client], db: None) -> None:
    form = {"your_name": "Ana", "name": "Acme", "time_zone": "UTC", "currency": "USD"}

    for _ in range(3):
        client_for(UserFactory.create()).post("/welcome/", form)

    with system_scope():
        assert sorted(Organization.objects.values_list("slug", flat=True)) == ["acme", "acme-2", "acme-3"]


def test_a_currency_that_is_none_is_refused(client_for: Callable[[User], Client], db: None) -> None:
    form = {"your_name": "Ana", "name": "Acme", "time_zone": "Mars/Olympus", "currency": "money"}

    answer = client_for(UserFactory.create()).post("/welcome/", form)

    assert (answer.status_code, sorted(answer.context["form"].errors)) == (422, ["currency", "time_zone"])


@pytest.mark.parametrize(
    ("mode", "address", "made"),
    [
        ("open", "ana@anywhere.example", True),
        ("domains", "ana@nordlicht.example", True),
        ("domains", "ana@notnordlicht.example", False),
        ("domains", "ana@nordlicht.example.evil.example", False),
        ("invite", "ana@nordlicht.example", False),
    ],
)
def test_who_may_sign_up(client: Client, db: None, settings: Any, mode: str, address: str, made: bool) -> None:
    settings.EVENTOPS_SIGNUP, settings.EVENTOPS_SIGNUP_DOMAINS = mode, ["nordlicht.example"]

    client.post("/signup/", {"email": address, "password1": PASSWORD})

    assert User.objects.filter(email=address).exists() is made


def test_by_invitation_only_nobody_sets_up_a_second_organization(
    client_for: Callable[[User], Client], organization: Organization, settings: Any
) -> None:
    settings.EVENTOPS_SIGNUP = "invite"
    form = {"your_name": "Ana", "name": "Acme", "time_zone": "UTC", "currency": "USD"}

    client_for(UserFactory.create()).post("/welcome/", form)

    with system_scope():
        assert Organization.objects.count() == 1


def test_the_sign_in_buttons_appear_when_configured(client: Client, db: None, settings: Any) -> None:
    before = client.get("/login/").content
    settings.SOCIALACCOUNT_PROVIDERS = {
        name: {"APPS": [{"client_id": "id", "secret": "secret"}]} for name in ("google", "microsoft")
    }

    after = client.get("/login/").content

    assert [word in before for word in (b"/google/login/", b"/microsoft/login/")] == [False, False]
    assert [word in after for word in (b"/google/login/", b"/microsoft/login/")] == [True, True]


def test_an_unconfirmed_address_cannot_sign_in(client: Client, db: None) -> None:
    user = UserFactory.create(email="ana@example.com")
    user.set_password(PASSWORD)
    user.save()

    client.post("/login/", {"login": "ana@example.com", "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def test_a_person_of_two_organizations_chooses(
    client_for: Callable[[User], Client], organization: Organization
) -> None:
    ana = MembershipFactory.create(organization=organization).user
    other = MembershipFactory.create(user=ana).organization
    browser = client_for(ana)
    page = browser.get(reverse("identity:choose"))

    answer = browser.post(reverse("identity:choose"), {"organization": str(other.pk)})

    assert (page.status_code, answer.status_code, browser.session[SESSION_KEY]) == (200, 302, str(other.pk))


def test_nobody_chooses_an_organization_of_others(
    client_for: Callable[[User], Client], organization: Organization, stranger: User
) -> None:
    browser = client_for(stranger)

    answer = browser.post(reverse("identity:choose"), {"organization": str(organization.pk)})

    assert (answer.status_code, browser.session.get(SESSION_KEY)) == (422, None)


def test_a_session_that_names_a_strange_organization_shows_nothing(
    client_for: Callable[[User], Client], organization: Organization, stranger: User
) -> None:
    browser = client_for(stranger)
    session = browser.session
    session[SESSION_KEY] = str(organization.pk)
    session.save()

    answer = browser.get(reverse("identity:settings"))

    assert (answer.status_code, answer["Location"]) == (302, reverse("identity:choose"))


def test_a_fragment_sends_the_whole_page_to_the_log_in(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/?a=1"}

    answer = client.get("/settings/tokens/", headers=headers)

    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/login/?next=/settings/%3Fa%3D1")


def link_path(*arguments: str) -> str:
    out = StringIO()
    call_command("login_link", *arguments, stdout=out)
    return out.getvalue().strip().removeprefix("http://testserver")


def test_a_login_link_works_once(client: Client, rep: User) -> None:
    path = link_path(rep.email)

    page = client.get(path)
    entered = client.post(path)
    again = Client().post(path)

    assert (page.status_code, entered.status_code, again.status_code) == (200, 302, 410)
    assert client.session["_auth_user_id"] == str(rep.pk)


def test_a_login_link_lasts_a_quarter_of_an_hour(client: Client, rep: User, time_machine: Any) -> None:
    path = link_path(rep.email)
    time_machine.move_to(timezone.now() + timedelta(minutes=16))

    assert client.post(path).status_code == 410


def test_a_damaged_login_link_is_refused(client: Client, rep: User) -> None:
    path = link_path(rep.email)

    assert client.post(f"{path[:-4]}abc/").status_code == 410


def test_opening_a_login_link_changes_nothing(client: Client, rep: User) -> None:
    path = link_path(rep.email)

    client.get(path)

    assert "_auth_user_id" not in client.session
    assert client.get(path).status_code == 200


def test_without_an_address_the_first_owner_gets_the_link(client: Client, owner: User, rep: User) -> None:
    assert (
        owner.email in client.get(link_path()).content.decode()
        or owner.name in client.get(link_path()).content.decode()
    )


def test_a_link_for_nobody_is_an_error(db: None) -> None:
    with pytest.raises(CommandError):
        link_path("nobody@example.com")


def test_create_owner_makes_the_first_person(client: Client, db: None) -> None:
    out = StringIO()

    call_command(
        "create_owner", "Ana@Example.com", "--organization", "Nordlicht", "--name", "Ana", stdout=out, stderr=StringIO()
    )
    call_command("create_owner", "ana@example.com", "--organization", "nordlicht", stdout=out, stderr=StringIO())

    client.post(out.getvalue().split()[-1].removeprefix("http://testserver"))
    with system_scope():
        membership = Membership.objects.select_related("organization", "user").get()
    assert (membership.role, membership.organization.name, membership.user.name) == (Role.OWNER, "Nordlicht", "Ana")
    assert EmailAddress.objects.get().verified
    assert client.get("/settings/").status_code == 200


def test_two_factor_is_asked_for(client: Client, rep: User) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    rep.set_password(PASSWORD)
    rep.save()
    EmailAddress.objects.create(user=rep, email=rep.email, verified=True, primary=True)
    TOTP.activate(rep, generate_totp_secret())

    answer = client.post("/login/", {"login": rep.email, "password": PASSWORD})

    assert (answer["Location"], "_auth_user_id" in client.session) == ("/2fa/authenticate/", False)


def test_sessions_are_listed_and_ended(rep: User) -> None:
    rep.set_password(PASSWORD)
    rep.save()
    EmailAddress.objects.create(user=rep, email=rep.email, verified=True, primary=True)
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/login/", {"login": rep.email, "password": PASSWORD})
    before = there.get("/settings/").status_code

    here.post("/sessions/")

    assert (before, here.get("/settings/").status_code, there.get("/settings/").status_code) == (200, 200, 302)
