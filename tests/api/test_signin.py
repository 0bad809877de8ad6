import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from identity.models import Organization, Role, User
from tests.factories import MembershipFactory, UserFactory

PASSWORD = "a long enough passphrase"


@pytest.fixture
def ana(organization: Organization) -> User:
    ana = UserFactory.create(email="ana@example.com", name="Ana")
    ana.set_password(PASSWORD)
    ana.save()
    EmailAddress.objects.create(user=ana, email=ana.email, verified=True, primary=True)
    MembershipFactory.create(organization=organization, user=ana, role=Role.REP)
    return ana


def sign_in(client: Client, password: str = PASSWORD, email: str = "Ana@Example.com") -> Any:
    return client.post("/api/auth/signin", {"email": email, "password": password}, content_type="application/json")


def test_the_right_password_starts_a_session(client: Client, ana: User) -> None:
    answer = sign_in(client)

    data = answer.json()["data"]
    assert (answer.status_code, data["user"]["email"], data["user"]["role"], data["organization"]["slug"]) == (
        200,
        "ana@example.com",
        "rep",
        "nordlicht",
    )
    assert client.get("/api/me").status_code == 200


def test_the_token_it_hands_out_passes_the_csrf_check(ana: User) -> None:
    client = Client(enforce_csrf_checks=True)

    token = sign_in(client).json()["data"]["csrfToken"]

    wrong = client.post("/api/test-redis", {"action": "ping"}, content_type="application/json")
    right = client.post(
        "/api/test-redis", {"action": "ping"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert "role" not in wrong.json()["title"]
    assert "role" in right.json()["title"]


def test_a_wrong_password_and_an_unknown_address_sound_the_same(client: Client, ana: User) -> None:
    wrong, unknown = sign_in(client, "wrong"), sign_in(client, email="nobody@example.com")

    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    assert wrong.status_code == 401


def test_a_second_factor_is_not_passed_by(client: Client, ana: User) -> None:
    TOTP.activate(ana, generate_totp_secret())

    answer = sign_in(client)

    assert (answer.status_code, client.get("/api/me").status_code) == (403, 401)


def test_an_unconfirmed_address_opens_nothing(client: Client, ana: User) -> None:
    EmailAddress.objects.update(verified=False)

    assert (sign_in(client).status_code, client.get("/api/me").status_code) == (403, 401)


def test_a_deactivated_person_cannot_sign_in(client: Client, ana: User) -> None:
    User.objects.update(is_active=False)

    assert sign_in(client).status_code == 401


def test_a_form_of_another_site_cannot_sign_anybody_in(client: Client, ana: User) -> None:
    body = json.dumps({"email": "ana@example.com", "password": PASSWORD})

    answer = client.post("/api/auth/signin", body, content_type="text/plain")

    assert (answer.status_code, client.get("/api/me").status_code) == (422, 401)


def test_guessing_a_password_is_stopped(client: Client, ana: User) -> None:
    codes = {sign_in(client, "wrong").status_code for _ in range(40)}

    assert codes == {401, 429}
    assert sign_in(client).status_code == 429
