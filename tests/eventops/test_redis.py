"""The lazy client (AUT-06) and POST /api/test-redis (AUT-05)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from common.redis import NotConfigured, close_client, get_client

ROOT = Path(__file__).resolve().parent.parent.parent
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _fresh_client() -> Iterator[None]:
    close_client()
    yield
    close_client()


def test_importing_everything_works_while_redis_is_down():
    program = "import django; django.setup(); import eventops.urls, eventops.celery, common.redis"
    environment = os.environ | {"REDIS_URL": NOWHERE, "DJANGO_SETTINGS_MODULE": "eventops.settings"}

    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()


def test_client_is_made_once_and_said_to_be_ready():
    with structlog.testing.capture_logs() as lines:
        first, second = get_client(), get_client()

    assert first is second
    assert [line["event"] for line in lines] == ["Redis client ready"]


def test_closed_client_is_replaced_by_a_new_one():
    first = get_client()

    close_client()

    assert get_client() is not first
    assert get_client().ping() is True


def test_without_an_address_there_is_no_client(settings):
    settings.REDIS_URL = ""

    with pytest.raises(NotConfigured):
        get_client()


def ping(client, action="ping"):
    return client.post("/api/test-redis", {"action": action}, content_type="application/json")


def test_admin_pings_redis(client_for, admin_member):
    response = ping(client_for(admin_member))

    assert (response.status_code, response.json()) == (200, {"status": "success", "result": "PONG"})


def test_other_actions_are_invalid(client_for, admin_member):
    assert ping(client_for(admin_member), action="flushall").status_code == 422


def test_a_rep_may_not_ping(client_for, rep):
    assert ping(client_for(rep)).status_code == 403


def test_anonymous_ping_is_401(client, db):
    assert ping(client).status_code == 401


def test_redis_down_is_503(client_for, admin_member, settings):
    client = client_for(admin_member)
    settings.REDIS_URL = NOWHERE

    response = ping(client)

    assert response.status_code == 503
    assert response.json()["title"] == "Redis does not answer."
