"""What every operation promises: who may call it, how it says no, and how often it may be asked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

import integrations.urls
from eventops.api import api
from eventops.openapi import ERRORS
from eventops.outside_api import OUTSIDE
from eventops.urls import urlpatterns
from identity.apiauth import FAILED_LOGINS, Scope
from identity.models import ApiToken, Membership, Organization, Role, User
from identity.scope import system_scope
from identity.secret import secret_hash

PUBLIC_OPERATIONS = {("POST", "/api/auth/signin")}
"""The operations that ask for no log-in. Adding one is a decision: say so in review."""


def bearer(user: User, organization: Organization, *scopes: Scope, **fields: Any) -> dict[str, str]:
    secret = f"eo_{user.pk}_{'-'.join(scopes)}"
    with system_scope():
        ApiToken.objects.create(
            organization=organization,
            user=user,
            name="test",
            prefix="eo_test",
            token_hash=secret_hash(secret),
            scopes=list(scopes),
            **fields,
        )
    return {"Authorization": f"Bearer {secret}"}


def test_every_operation_asks_who_calls() -> None:
    open_operations = {key for key, operation in api.operations.items() if not operation.auth_callbacks}

    assert open_operations - PUBLIC_OPERATIONS == set()


def test_every_scope_is_asked_for_by_some_operation() -> None:
    asked = {
        auth.scope
        for operation in api.operations.values()
        for auth in operation.auth_callbacks
        if hasattr(auth, "scope")
    }

    assert set(Scope) - asked == set()


def test_the_description_names_every_error_and_shows_an_example_of_everything(client: Client, db: None) -> None:
    schema = client.get("/api/openapi.json").json()

    bare = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            missing = set() if path in OUTSIDE else {str(status) for status in ERRORS} - operation["responses"].keys()
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in operation["responses"].values()]
            for content in contents:
                missing |= {"example" for media in content.values() if not {"example", "examples"} & media.keys()}
            if missing or not operation.get("summary"):
                bare.append((method, path, missing))
    assert (schema["openapi"], bare) == ("3.1.0", [])


def test_the_description_names_what_others_serve_below_api_too() -> None:
    routes = {str(entry.pattern) for entry in urlpatterns if str(entry.pattern).startswith("api/")} - {"api/"}
    webhooks = {f"/api/webhooks/{entry.pattern}" for entry in integrations.urls.urlpatterns}

    described = {re.sub(r"<\w+:(\w+)>", r"{\1}", path) for path in webhooks} | {"/api/health"}

    assert (routes, described) == ({"api/health", "api/webhooks/"}, set(OUTSIDE))


def test_no_two_schemas_share_a_name() -> None:
    assert api.get_openapi_schema().clashes == set()


def test_a_token_says_who_calls(client: Client, organization: Organization, rep: User) -> None:
    answer = client.get("/api/me", headers=bearer(rep, organization, Scope.READ))

    data = answer.json()["data"]
    assert (answer.status_code, data["user"]["email"], data["organization"]["slug"]) == (200, rep.email, "nordlicht")


def test_a_token_without_the_scope_is_refused(client: Client, organization: Organization, rep: User) -> None:
    answer = client.get("/api/me", headers=bearer(rep, organization, Scope.EXPORT))

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_a_scope_does_not_lift_the_role(client: Client, organization: Organization, rep: User) -> None:
    headers = bearer(rep, organization, Scope.ADMIN)

    answer = client.post("/api/test-redis", {"action": "ping"}, headers=headers, content_type="application/json")

    assert answer.status_code == 403


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_dead_token_opens_nothing(
    client: Client, organization: Organization, rep: User, field: str, time_machine: Any
) -> None:
    now = timezone.now()
    headers = bearer(rep, organization, Scope.READ, **{field: now + timedelta(seconds=1)})
    time_machine.move_to(now + timedelta(seconds=5))

    answer = client.get("/api/me", headers=headers)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_deactivated_member_is_locked_out_at_once(
    client: Client, client_for: Callable[[User], Client], organization: Organization, rep: User
) -> None:
    headers, browser = bearer(rep, organization, Scope.READ), client_for(rep)
    before = (client.get("/api/me", headers=headers).status_code, browser.get("/api/me").status_code)

    with system_scope():
        Membership.objects.filter(user=rep).update(is_active=False)

    after = (client.get("/api/me", headers=headers).status_code, browser.get("/api/me").status_code)
    assert (before, after) == ((200, 200), (401, 401))


def test_a_deactivated_person_is_locked_out_at_once(
    client: Client, client_for: Callable[[User], Client], organization: Organization, rep: User
) -> None:
    headers, browser = bearer(rep, organization, Scope.READ), client_for(rep)
    before = (client.get("/api/me", headers=headers).status_code, browser.get("/api/me").status_code)

    User.objects.filter(pk=rep.pk).update(is_active=False)

    after = (client.get("/api/me", headers=headers).status_code, browser.get("/api/me").status_code)
    assert (before, after) == ((200, 200), (401, 401))


def test_a_session_without_the_csrf_token_changes_nothing(
    client_for: Callable[[User], Client], admin_member: User
) -> None:
    browser = client_for(admin_member)
    browser.handler.enforce_csrf_checks = True

    answer = browser.post("/api/test-redis", {"action": "ping"}, content_type="application/json")

    assert answer.status_code == 403


def test_values_that_are_not_valid_are_named_without_being_repeated(
    client: Client, organization: Organization, admin_member: User
) -> None:
    headers = bearer(admin_member, organization, Scope.ADMIN)

    answer = client.post("/api/test-redis", {"action": "FLUSHALL"}, headers=headers, content_type="application/json")

    body = answer.json()
    assert (answer.status_code, body["status"], body["success"], [e["loc"][-1] for e in body["errors"]]) == (
        422,
        422,
        False,
        ["action"],
    )
    assert "FLUSHALL" not in answer.content.decode()


def test_a_fault_of_ours_is_told_without_its_words(
    client_for: Callable[[User], Client], rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("password=hunter2 at 10.0.0.5")

    operation = api.operation("/api/members", "get")
    monkeypatch.setattr(operation, "view_func", explode)

    answer = client_for(rep).get("/api/members")

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "hunter2" not in answer.content.decode()
    assert Membership.objects.count() == 0


def test_guessing_tokens_is_stopped(client: Client, organization: Organization, rep: User) -> None:
    good = bearer(rep, organization, Scope.READ)
    allowed = int(FAILED_LOGINS.partition("/")[0])

    answers = [client.get("/api/me", headers={"Authorization": f"Bearer guess{n}"}) for n in range(allowed + 1)]

    assert [answer.status_code for answer in answers] == [401] * allowed + [429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert client.get("/api/me", headers=good).status_code == 429


def test_a_public_operation_passes_a_hundred_times_a_minute(client: Client, db: None) -> None:
    codes = [
        client.post("/api/auth/signin", "not json", content_type="application/json").status_code for _ in range(101)
    ]

    assert (set(codes[:100]), codes[100]) == ({400}, 429)


def test_a_role_below_is_refused_without_a_change_of_scope(client_for: Callable[[User], Client], viewer: User) -> None:
    answer = client_for(viewer).post("/api/test-redis", {"action": "ping"}, content_type="application/json")

    assert (answer.status_code, answer.json()["title"]) == (
        403,
        f"This needs the role {Role.ADMIN.label.lower()} or higher.",
    )
