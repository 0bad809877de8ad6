"""The same request under the same key is carried out once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from eventops.api import api
from identity.models import IdempotencyKey, User
from identity.scope import system_scope
from identity.upkeep import delete_expired
from identity.web import OrgRequest

ADDRESS = "/api/test-redis"


def post(browser: Client, key: str, note: int = 1, action: str = "ping") -> Any:
    body = {"action": action, "note": note}
    return browser.post(ADDRESS, body, content_type="application/json", headers={"Idempotency-Key": key})


def made() -> int:
    with system_scope():
        return Account.objects.count()


@pytest.fixture(autouse=True)
def _operation_with_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that makes an account each time it is carried out."""

    def effect(request: OrgRequest, **_: Any) -> dict[str, str]:
        account = Account.objects.create(organization=request.organization, name="Acme GmbH")
        return {"status": "success", "result": str(account.pk)}

    monkeypatch.setattr(api.operation(ADDRESS, "post"), "view_func", effect)


@pytest.fixture
def browser(client_for: Callable[[User], Client], admin_member: User) -> Client:
    return client_for(admin_member)


def test_a_repeated_request_changes_nothing_and_is_answered_the_same(browser: Client) -> None:
    first, second = post(browser, "k1"), post(browser, "k1")

    assert (first.status_code, made()) == (200, 1)
    assert (second.status_code, second.json(), second["Idempotent-Replayed"]) == (200, first.json(), "true")


def test_another_key_is_another_request(browser: Client) -> None:
    post(browser, "k1")
    post(browser, "k2", note=2)

    assert made() == 2


def test_a_key_is_not_used_for_another_request(browser: Client) -> None:
    post(browser, "k1")

    answer = post(browser, "k1", note=2)

    assert (answer.status_code, made()) == (422, 1)


def test_a_request_that_failed_may_be_sent_again(browser: Client) -> None:
    refused = post(browser, "k1", action="dance")

    answer = post(browser, "k1")

    assert (refused.status_code, answer.status_code, made()) == (422, 200, 1)


def test_two_people_may_use_the_same_key(browser: Client, client_for: Callable[[User], Client], owner: User) -> None:
    post(browser, "k1")
    post(client_for(owner), "k1", note=2)

    assert made() == 2


def test_a_key_lasts_a_day(browser: Client, time_machine: Any) -> None:
    post(browser, "k1")
    time_machine.move_to(timezone.now() + timedelta(hours=25))

    delete_expired()

    with system_scope():
        assert IdempotencyKey.objects.count() == 0


@pytest.mark.parametrize("key", ["x" * 201, "tab\tbed"])
def test_a_key_that_is_none_is_refused(browser: Client, key: str) -> None:
    assert (post(browser, key).status_code, made()) == (422, 0)
