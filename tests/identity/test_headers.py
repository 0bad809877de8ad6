import re
from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.test import Client

from identity.models import User


def test_every_page_carries_the_security_headers(client: Client, db: None) -> None:
    answer = client.get("/login/")

    policy = answer["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert {name: answer[name] for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")} == {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_a_members_page_is_kept_by_no_shared_cache(client_for: Callable[[User], Client], viewer: User) -> None:
    assert client_for(viewer).get("/settings/")["Cache-Control"] == "private, no-cache"


def test_signing_in_starts_a_session_that_scripts_cannot_read_and_nobody_could_plant(client: Client, rep: User) -> None:
    rep.set_password("a long enough passphrase")
    rep.save()
    EmailAddress.objects.create(user=rep, email=rep.email, verified=True, primary=True)
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key

    client.post("/login/", {"login": rep.email, "password": "a long enough passphrase"})

    cookie = client.cookies["sessionid"]
    assert (bool(cookie["httponly"]), cookie["samesite"]) == (True, "Lax")
    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(rep.pk)


def test_changing_the_password_ends_other_sessions(client_for: Callable[[User], Client], rep: User) -> None:
    browser = client_for(rep)
    before = browser.get("/settings/").status_code

    rep.set_password("another long passphrase")
    rep.save()

    assert (before, browser.get("/settings/").status_code) == (200, 302)


def test_the_api_reference_opens_under_the_content_security_policy(client: Client, db: None) -> None:
    page = client.get("/api/docs").content.decode()

    assert "cdn." not in page
    assert "<script>" not in page


def test_who_is_signed_in_can_try_a_change_out_on_the_api_reference(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")

    [token] = re.findall(r'data-csrf-token="(\w+)"', browser.get("/api/docs").content.decode())
    answers = [
        browser.post("/api/test-redis", {"action": "ping"}, content_type="application/json", headers=headers)
        for headers in ({}, {"X-CSRFToken": token})
    ]

    assert [answer.status_code for answer in answers] == [403, 200]
