"""A browser for journeys. ``visit(user, …)`` opens a page of the live server as that person; the test fails on complaints."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from identity.models import User
from sandbox.server import RunningSandbox
from tests.e2e.browser import Complaints, find_chromium
from tests.e2e.product import celery_worker

# Playwright's loop runs in this thread; the database is used from it only between the browser's steps.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium found: install Debian's chromium or point CHROMIUM at a browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Collects what the browser complains about, and fails the test on it at the end."""
    heard = Complaints()
    yield heard
    assert heard.lines == []


@pytest.fixture
def visit(browser: Browser, live_server: object, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """``visit("/people/", user=rep, width=390, theme="dark")``: a page in a fresh browser context, logged in as ``user``."""
    contexts = []

    def open_page(
        path: str, *, user: User | None = None, width: int = 1440, theme: str = "light", scripts: bool = True
    ) -> Page:
        phone = width < 760
        context = browser.new_context(
            base_url=str(live_server), viewport={"width": width, "height": 844 if phone else 900},
            color_scheme=theme, has_touch=phone, is_mobile=phone, locale="en-GB", reduced_motion="reduce",
            java_script_enabled=scripts,
        )  # fmt: skip
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": str(live_server)}])
        page = context.new_page()
        complaints.listen(page)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        with suppress(Exception):
            context.close()


@pytest.fixture
def product(live_server: Any, sandbox: RunningSandbox, settings: Any) -> Iterator[RunningSandbox]:
    """Web, worker and sandbox, knowing each other."""
    settings.BASE_URL = live_server.url
    sandbox.courier.start()
    dns = sandbox.name_server.address
    with celery_worker(BASE_URL=live_server.url, SENDGRID_BASE_URL=sandbox.url, EVENTOPS_DNS_SERVERS=dns, DEBUG="1"):
        yield sandbox
