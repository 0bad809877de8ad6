"""Every address asked by everybody: see ``tests/access/matrix.py``."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import NoReverseMatch, reverse

from identity.models import Organization, Role, User
from tests.access.matrix import BUILDERS, CLASHES, MATRIX, Route, Rule, routes
from tests.factories import AccountFactory, PersonFactory

ROUTES = {route.key: route for route in routes()}
SECRET = "Kanarienvogel"
"""Stands in the rows of the organization, and must never be read by a stranger."""
METHODS = ("get", "post", "delete")
ALLOWED = "allowed"
LOG_IN = "log in"
PUBLIC = "public"

MEMBER_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "members" and not key.partition(" ")[2])
OPERATIONS = sorted(key for key in MATRIX if key.partition(" ")[2])
PERSON_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "person")
PUBLIC_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "anyone" and not key.partition(" ")[2])


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert (sorted(set(ROUTES) - set(MATRIX)), sorted(set(MATRIX) - set(ROUTES)), CLASHES) == ([], [], [])


@pytest.fixture
def people(owner: User, admin_member: User, rep: User, viewer: User, stranger: User) -> dict[str, User | None]:
    return {
        "anonymous": None,
        "stranger": stranger,
        "viewer": viewer,
        "rep": rep,
        "admin": admin_member,
        "owner": owner,
    }


@pytest.fixture
def ask(
    organization: Organization, event: Any, people: Mapping[str, User | None], client_for: Callable[[User], Client]
) -> Callable[[str, str, str], str]:
    """``ask(who, key, method)`` -> what happened, in a word or a status; what it changed is rolled back."""
    PersonFactory.create(name=f"{SECRET} Müller", account=AccountFactory.create(organization=organization, name=SECRET))
    browsers = {who: client_for(user) if user else Client() for who, user in people.items()}
    for browser in browsers.values():
        browser.raise_request_exception = False

    def ask(who: str, key: str, method: str) -> str:
        rule, route = MATRIX[key], ROUTES[key]
        with transaction.atomic():
            address = _address(route, rule, organization)
            data = rule.data_for(organization)
            response = _send(browsers[who], route.method or method, address, data, is_api=bool(route.method))
            answer = _read(response)
            if who == "stranger" and not response.streaming and SECRET.encode() in response.content:
                answer = "LEAK"
            transaction.set_rollback(True)
        return answer

    return ask


def _address(route: Route, rule: Rule, organization: Organization) -> str:
    values = {name: BUILDERS[builder](organization) for name, builder in rule.arguments.items()}
    if route.method:
        address = route.path
        for name, value in values.items():
            address = address.replace(f"{{{name}}}", str(value))
        assert "{" not in address, f"{route.key}: an argument of the address has no builder"
    else:
        address = reverse(route.name, kwargs=values)
    return f"{address}?{rule.query}" if rule.query else address


def _send(browser: Client, method: str, address: str, data: Any, *, is_api: bool) -> HttpResponseBase:
    send = getattr(browser, method)
    if method == "get":
        return send(address)
    if is_api:
        return send(address, data if data is not None else {}, content_type="application/json")
    return send(address, data or {})


def _read(response: HttpResponseBase) -> str:
    location = response.get("Location", "")
    if response.status_code == 302 and location.startswith("/login/"):
        return LOG_IN
    if response.status_code < 400 or response.status_code in {400, 409, 422}:
        return ALLOWED
    return str(response.status_code)


def _expected(who: str, role: Role, *, has_arguments: bool, is_api: bool) -> str:
    if who == "anonymous":
        return "401" if is_api else LOG_IN
    if who == "stranger":
        return "404" if has_arguments else ALLOWED
    return ALLOWED if Role(who).includes(role) else "403"


@pytest.mark.parametrize("key", MEMBER_PAGES)
def test_a_page_answers_whom_it_should(
    key: str, ask: Callable[[str, str, str], str], people: Mapping[str, Any]
) -> None:
    rule = MATRIX[key]
    expected = {
        f"{method} as {who}": _expected(who, role, has_arguments=bool(rule.arguments), is_api=False)
        for method, role in rule.methods.items()
        if role
        for who in people
    }
    expected |= {f"{method} as owner": "405" for method in METHODS if method not in rule.methods}

    found = {question: ask(question.split()[2], key, question.split()[0]) for question in expected}

    assert found == expected


@pytest.mark.parametrize("key", OPERATIONS)
def test_an_operation_answers_whom_it_should(
    key: str, ask: Callable[[str, str, str], str], people: Mapping[str, Any]
) -> None:
    rule = MATRIX[key]
    [role] = rule.methods.values()
    expected = {
        who: _expected(who, role, has_arguments=bool(rule.arguments), is_api=True) if role else ALLOWED
        for who in people
    }

    found = {who: ask(who, key, "") for who in people}

    if role is None:
        found = {who: PUBLIC if int(answer) < 500 else answer for who, answer in found.items() if answer != ALLOWED}
        expected = dict.fromkeys(found, PUBLIC)
    assert found == expected


@pytest.mark.parametrize("key", PERSON_PAGES)
def test_a_page_for_persons_asks_the_others_to_log_in(key: str, ask: Callable[[str, str, str], str]) -> None:
    try:
        answer = ask("anonymous", key, "get")
    except NoReverseMatch:
        pytest.skip("reached through a page of its own")

    assert answer in {LOG_IN, "405"}


@pytest.mark.parametrize("key", PUBLIC_PAGES)
def test_a_public_page_never_breaks(key: str, ask: Callable[[str, str, str], str]) -> None:
    try:
        answer = ask("anonymous", key, "get")
    except NoReverseMatch:
        pytest.skip("needs a key that only a mail carries")

    assert answer in {ALLOWED, "401", "403", "404", "405", LOG_IN}
