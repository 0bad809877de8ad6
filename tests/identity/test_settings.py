from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from identity.models import ApiToken, Organization, Role, User
from identity.scope import system_scope
from identity.settings_pages import _pages


def test_the_settings_home_shows_what_the_role_may_open(
    client_for: Callable[[User], Client], viewer: User, owner: User
) -> None:
    seen = [
        {page.label for _, pages in client_for(user).get("/settings/").context["sections"] for _, page in pages}
        for user in (viewer, owner)
    ]

    assert "Members" not in seen[0]
    assert seen[0] < seen[1]
    assert {"Members", "Organization", "Profile"} <= seen[1]
    assert all(Role(page.role) for page in _pages)


def test_a_person_changes_name_and_time_zone(client_for: Callable[[User], Client], viewer: User) -> None:
    answer = client_for(viewer).post(reverse("identity:profile"), {"name": "Ana", "time_zone": "Asia/Tokyo"})

    viewer.refresh_from_db()
    assert (answer.status_code, viewer.name, viewer.time_zone) == (302, "Ana", "Asia/Tokyo")


def test_an_unknown_time_zone_is_refused(client_for: Callable[[User], Client], viewer: User) -> None:
    answer = client_for(viewer).post(reverse("identity:profile"), {"name": "Ana", "time_zone": "Mars/Olympus"})

    viewer.refresh_from_db()
    assert (answer.status_code, viewer.time_zone) == (422, "UTC")


def test_an_admin_changes_the_organization(
    client_for: Callable[[User], Client], organization: Organization, admin_member: User
) -> None:
    form = {"name": "Südlicht", "postal_address": "2 Quay", "time_zone": "Europe/Berlin", "currency": "eur"}

    answer = client_for(admin_member).post(reverse("identity:organization"), form)

    with system_scope():
        organization.refresh_from_db()
    assert (answer.status_code, organization.name, organization.currency) == (302, "Südlicht", "EUR")


def test_a_token_is_shown_once_and_works(client_for: Callable[[User], Client], rep: User) -> None:
    browser = client_for(rep)

    page = browser.post(reverse("identity:tokens"), {"name": "CI", "scopes": ["read"], "days": "30"})

    secret = page.context["secret"]
    with system_scope():
        token = ApiToken.objects.get()
    answer = Client().get("/api/me", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, token.name, secret.startswith(token.prefix)) == (200, "CI", True)
    assert secret.encode() in page.content
    assert secret.encode() not in browser.get(reverse("identity:tokens")).content
    assert secret not in str(token.__dict__)


@pytest.mark.parametrize("scope", ["write", "admin", "fly"])
def test_a_viewer_gets_no_token_beyond_reading(client_for: Callable[[User], Client], viewer: User, scope: str) -> None:
    page = client_for(viewer).post(reverse("identity:tokens"), {"name": "CI", "scopes": [scope], "days": "30"})

    with system_scope():
        assert (page.status_code, ApiToken.objects.count()) == (422, 0)


def test_a_revoked_token_is_shut_out_at_once(client_for: Callable[[User], Client], rep: User) -> None:
    browser = client_for(rep)
    secret = browser.post(reverse("identity:tokens"), {"name": "CI", "scopes": ["read"], "days": ""}).context["secret"]
    with system_scope():
        token = ApiToken.objects.get()
    headers = {"Authorization": f"Bearer {secret}"}
    before = Client().get("/api/me", headers=headers).status_code

    browser.post(reverse("identity:revoke_token", args=[token.pk]))

    assert (before, Client().get("/api/me", headers=headers).status_code) == (200, 401)


def test_members_see_their_own_tokens_and_admins_all(
    client_for: Callable[[User], Client], rep: User, viewer: User, admin_member: User
) -> None:
    client_for(rep).post(reverse("identity:tokens"), {"name": "Of the rep", "scopes": ["read"], "days": "30"})

    seen = [b"Of the rep" in client_for(u).get(reverse("identity:tokens")).content for u in (rep, viewer, admin_member)]

    assert seen == [True, False, True]


def test_forms_without_the_csrf_token_change_nothing(client_for: Callable[[User], Client], viewer: User) -> None:
    browser = client_for(viewer)
    browser.handler.enforce_csrf_checks = True

    answer = browser.post(reverse("identity:profile"), {"name": "Mallory", "time_zone": "UTC"})

    viewer.refresh_from_db()
    assert (answer.status_code, viewer.name == "Mallory") == (403, False)
