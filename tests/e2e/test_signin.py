"""Signing in elsewhere: the browser must be let go to the provider by our own content security policy."""

import os
import subprocess
import sys
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.microsoft.views import MicrosoftGraphOAuth2Adapter
from playwright.sync_api import expect

from tests.e2e.product import own_database_url

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ASK = """
import django
django.setup()
from urllib.parse import urlsplit
from allauth.socialaccount import providers
from django.conf import settings
from django.test import RequestFactory
from allauth.socialaccount.adapter import get_adapter
allowed = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]
request = RequestFactory().get("/")
for name in ("google", "microsoft"):
    provider = get_adapter().get_provider(request, name)
    address = urlsplit(provider.get_oauth2_adapter(request).authorize_url)
    print(f"{address.scheme}://{address.netloc}" in allowed)
"""


class ConsentPage(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>Consent</title><h1>Allow EventOps?</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Quiet."""


@pytest.fixture
def provider():
    """Another origin, where the provider's page stands."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ConsentPage)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/authorize"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["Google", "Microsoft"])
def test_the_button_leads_to_the_provider(visit, settings, monkeypatch, provider, name):
    settings.SOCIALACCOUNT_PROVIDERS = {
        one: {"APPS": [{"client_id": "id", "secret": "secret"}]} for one in ("google", "microsoft")
    }
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"].append(provider.removesuffix("/authorize"))
    settings.CONTENT_SECURITY_POLICY = policy
    monkeypatch.setattr(GoogleOAuth2Adapter, "authorize_url", provider)
    monkeypatch.setattr(MicrosoftGraphOAuth2Adapter, "authorize_url", provider)
    page = visit("/login/")

    page.locator(f"a[href*='{name.lower()}'], button:has-text('{name}')").first.click()
    if "/login/" in page.url:
        page.locator("main form button").first.click()

    expect(page.get_by_role("heading", name="Allow EventOps?")).to_be_visible()


def test_the_policy_names_the_addresses_of_configured_providers():
    keys = {f"{name}_LOGIN_CLIENT_{kind}": "x" for name in ("GOOGLE", "MICROSOFT") for kind in ("ID", "SECRET")}
    own = {"DJANGO_SETTINGS_MODULE": "eventops.settings", "DATABASE_URL": own_database_url()}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK], env=os.environ | keys | own,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout.split() == ["True", "True"], done.stderr
