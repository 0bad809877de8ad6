"""Health in every state (OPS-01..03), against a real database and a real Redis, or a port where nothing listens."""

import re
import socket
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def database_down(db: None) -> Iterator[None]:
    settings_dict = connection.settings_dict
    port, settings_dict["PORT"] = settings_dict["PORT"], "1"
    yield
    settings_dict["PORT"] = port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that accepts and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_all_up_is_healthy_and_200(db, browser):
    response = browser.get("/api/health")

    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "healthy"
    assert body["checks"] == {
        "database": {"status": "healthy"},
        "redis": {"status": "healthy"},
        "env": {"status": "healthy", "missing": []},
    }


def test_database_down_is_unhealthy_and_503(database_down, browser):
    response = browser.get("/api/health")

    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert response.json()["checks"]["database"] == {"status": "unhealthy"}


def test_redis_down_is_degraded(db, browser, settings):
    settings.REDIS_URL = NOWHERE

    response = browser.get("/api/health")

    assert response.status_code == 503
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["redis"] == {"status": "unhealthy"}


def test_redis_not_configured_is_healthy_and_said(db, browser, settings):
    settings.REDIS_URL = ""

    response = browser.get("/api/health")

    assert response.json()["status"] == "healthy"
    assert response.json()["checks"]["redis"] == {"status": "not_configured"}


def test_a_missing_variable_is_named_without_values(db, browser, monkeypatch):
    monkeypatch.delenv("AUTH_SECRET")

    response = browser.get("/api/health")

    assert response.status_code == 503
    assert response.json()["checks"]["env"] == {"status": "unhealthy", "missing": ["AUTH_SECRET"]}


def test_answer_is_never_stored_and_tells_its_time(db, browser):
    response = browser.get("/api/health")

    assert response["Cache-Control"] == "no-store"
    assert re.fullmatch(r"\d+ms", response["X-Response-Time"])
    assert set(response.json()) == {"status", "timestamp", "buildId", "checks"}


def test_a_silent_redis_delays_the_answer_by_less_than_half_a_second(db, browser, settings, silent_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"

    response = browser.get("/api/health")

    assert response.json()["status"] == "degraded"
    assert int(response["X-Response-Time"].removesuffix("ms")) < 500


def test_answer_holds_no_address_or_secret(database_down, browser, settings):
    body = browser.get("/api/health").content.decode()

    assert settings.SECRET_KEY not in body
    assert settings.DATABASES["default"]["PASSWORD"] not in body
    assert "127.0.0.1" not in body


def test_live_without_a_database(database_down, browser):
    response = browser.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_not_ready_without_a_database(database_down, browser):
    response = browser.get("/readyz")

    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


def test_ready_without_redis(db, browser, settings):
    settings.REDIS_URL = NOWHERE

    response = browser.get("/readyz")

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_a_probe_by_address_over_plain_http_is_answered(db, browser, settings, path):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["crm.example.com"], True

    response = browser.get(path, headers={"host": "10.0.0.7:8000"})

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_health_is_only_read(browser, path):
    assert browser.post(path).status_code == 405
