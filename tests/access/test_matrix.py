"""Every address asked by everybody: see ``tests/access/matrix.py``."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import NoReverseMatch, reverse

from identity.models import Organization, Role
from identity.scope import system_scope
from tests.access.matrix import BUILDERS, CLASHES, MATRIX, Route, Rule, routes
from tests.factories import AccountFactory, EventFactory, MembershipFactory, OrganizationFactory, PersonFactory

pytestmark = pytest.mark.django_db

ROUTES = {route.key: route for route in routes()}
HOME = "nordlicht"
SECRET = "Kanarienvogel"
"""Stands in the rows of the organization, and must never be read by a stranger."""
METHODS = ("get", "post", "delete")
MEMBERS = tuple(reversed(Role.values))
EVERYBODY = ("anonymous", "stranger", *MEMBERS)
ALLOWED = "allowed"
REFUSED = "refused"
LOG_IN = "log in"
PUBLIC = "public"

MEMBER_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "members" and not key.partition(" ")[2])
OPERATIONS = sorted(key for key in MATRIX if key.partition(" ")[2])
PERSON_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "person")
PUBLIC_PAGES = sorted(key for key, rule in MATRIX.items() if rule.door == "anyone" and not key.partition(" ")[2])

Ask = Callable[[str, str, str], str]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert (sorted(set(ROUTES) - set(MATRIX)), sorted(set(MATRIX) - set(ROUTES)), CLASHES) == ([], [], [])


@pytest.fixture(scope="module")
def browsers(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Client]]:
    """A browser for everybody who asks, made once; whatever the tests of this module do is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        home = OrganizationFactory.create(name="Nordlicht Robotics", slug=HOME)
        EventFactory.create(organization=home, name="TechExpo 2026", slug="techexpo-2026")
        PersonFactory.create(name=f"{SECRET} Müller", account=AccountFactory.create(organization=home, name=SECRET))
        members = [MembershipFactory.create(role=Role.OWNER, user__email="stranger@example.com")]
        members += [
            MembershipFactory.create(organization=home, role=role, user__email=f"{role}@example.com")
            for role in MEMBERS
        ]
        found = {who: Client(raise_request_exception=False) for who in EVERYBODY}
        for who, member in zip(EVERYBODY[1:], members, strict=True):
            found[who].force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        yield found
        transaction.set_rollback(True)


@pytest.fixture
def ask(browsers: Mapping[str, Client]) -> Ask:
    """``ask(who, key, method)`` -> what happened, in a word or a status; what the answer changed is rolled back."""
    with system_scope():
        home = Organization.objects.get(slug=HOME)

    @cache
    def prepared(key: str) -> tuple[str, Any]:
        return _address(ROUTES[key], MATRIX[key], home), MATRIX[key].data_for(home)

    def ask(who: str, key: str, method: str) -> str:
        browser, is_api, (address, data) = browsers[who], bool(ROUTES[key].method), prepared(key)
        cookies = deepcopy(browser.cookies)
        with transaction.atomic():
            response = _send(browser, method, address, data, is_api=is_api)
            answer = _read(response, must_succeed=is_api or data is not None)
            if who == "stranger" and not response.streaming and SECRET.encode() in response.content:
                answer = "LEAK"
            transaction.set_rollback(True)
        browser.cookies = cookies
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
    query = rule.query_for(organization)
    return f"{address}?{query}" if query else address


def _send(browser: Client, method: str, address: str, data: Any, *, is_api: bool) -> HttpResponseBase:
    send = getattr(browser, method)
    if method == "get":
        return send(address)
    files = [value for value in (data or {}).values() if isinstance(value, UploadedFile)]
    for file in files:
        file.seek(0)
    if is_api and not files:
        return send(address, data if data is not None else {}, content_type="application/json")
    return send(address, data or {})


def _read(response: HttpResponseBase, *, must_succeed: bool) -> str:
    location = response.get("Location", "")
    if response.status_code == 302 and location.startswith("/login/"):
        return LOG_IN
    if response.status_code < 400 or (not must_succeed and response.status_code in {400, 409, 422}):
        return ALLOWED
    return str(response.status_code)


def _asked(role: Role | None) -> list[str]:
    """Who is worth asking: an owner only where an admin does not suffice, for the stranger is an owner too."""
    return [who for who in EVERYBODY if who != Role.OWNER or role == Role.OWNER]


def _expected(who: str, role: Role, rule: Rule, *, is_api: bool) -> str:
    if who == "anonymous":
        return "401" if is_api else LOG_IN
    if who == "stranger" and rule.names_rows:
        return "404" if rule.arguments else REFUSED
    return ALLOWED if who == "stranger" or Role(who).includes(role) else "403"


def _as_expected(expected: str, answer: str) -> str:
    """A body with somebody else's ids may be refused in two ways."""
    return REFUSED if expected == REFUSED and answer in {"404", "422"} else answer


@pytest.mark.parametrize("key", MEMBER_PAGES)
def test_a_page_answers_whom_it_should(key: str, ask: Ask) -> None:
    rule = MATRIX[key]
    expected = {
        (method, who): _expected(who, role, rule, is_api=False)
        for method, role in rule.methods.items()
        if role
        for who in _asked(role)
    }
    expected |= {(method, "owner"): "405" for method in METHODS if method not in rule.methods}

    found = {(method, who): _as_expected(hope, ask(who, key, method)) for (method, who), hope in expected.items()}

    assert found == expected


@pytest.mark.parametrize("key", OPERATIONS)
def test_an_operation_answers_whom_it_should(key: str, ask: Ask) -> None:
    rule, method = MATRIX[key], ROUTES[key].method
    [role] = rule.methods.values()
    expected = {who: _expected(who, role, rule, is_api=True) if role else ALLOWED for who in _asked(role)}

    found = {who: _as_expected(hope, ask(who, key, method)) for who, hope in expected.items()}

    if role is None:
        found = {who: PUBLIC if int(answer) < 500 else answer for who, answer in found.items() if answer != ALLOWED}
        expected = dict.fromkeys(found, PUBLIC)
    assert found == expected


@pytest.mark.parametrize("key", PERSON_PAGES)
def test_a_page_for_persons_asks_the_others_to_log_in(key: str, ask: Ask) -> None:
    try:
        answer = ask("anonymous", key, "get")
    except NoReverseMatch:
        pytest.skip("reached through a page of its own")

    assert answer in {LOG_IN, "405"}


@pytest.mark.parametrize("key", PUBLIC_PAGES)
def test_a_public_page_never_breaks(key: str, ask: Ask) -> None:
    try:
        answer = ask("anonymous", key, "get")
    except NoReverseMatch:
        pytest.skip("needs a key that only a mail carries")

    assert answer in {ALLOWED, "401", "403", "404", "405", LOG_IN}
