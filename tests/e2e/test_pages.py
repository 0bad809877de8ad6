"""Every page of the demo, found through the URL resolver and the links of its lists: accessible, quiet, never sideways."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from eventops import demo
from identity.models import User
from tests.e2e.browser import axe_findings, picture, sideways

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
NOT_OURS = ("admin", "api")
ALLAUTH = ("account_email", "account_change_password", "mfa_index", "usersessions_list", "socialaccount_connections")


def _names(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace not in NOT_OURS:
                yield from _names(pattern.url_patterns, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif pattern.name and (":" in space + pattern.name or pattern.name in ALLAUTH):
            yield space + pattern.name


def _paths(client: Client) -> list[str]:
    paths = []
    for name in _names(get_resolver().url_patterns):
        try:
            path = reverse(name)
        except NoReverseMatch:
            continue
        answer = client.get(path)
        is_page = answer.status_code == 200 and not answer.streaming and answer.content[:9].lower() == b"<!doctype"
        if is_page:
            paths.append(path)
    return paths


VIEWS = [(1440, "light"), (390, "dark")]


def test_every_page_is_accessible(visit, client_for):
    demo.seed(password=demo.KNOWN_PASSWORD, password_for_all=True)
    admin = User.objects.get(email=demo.ADMIN)
    paths = _paths(client_for(admin))
    pages = {view: visit("/offline/", user=admin, width=view[0], theme=view[1]) for view in VIEWS}
    found: dict[str, list[str]] = {}

    queue, seen = list(paths), set(paths)
    while queue:
        path = queue.pop(0)
        for (width, theme), page in pages.items():
            page.goto(path)
            trouble = axe_findings(page)
            if over := sideways(page):
                trouble.append(f"scrolls {over} px sideways")
            if trouble:
                found[f"{path} {width} {theme}"] = trouble
            picture(page, f"{UUID.sub('one', path).strip('/').replace('/', '-') or 'start'}-{width}-{theme}")
            first = page.locator("main tbody th a, main .lines a").first
            link = first.get_attribute("href") if path in paths and first.count() else None
            if link and link.startswith("/") and link not in seen:
                seen.add(link)
                queue.append(link)

    assert found == {}
