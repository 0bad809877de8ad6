"""What production refuses to start with."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

from eventops import checks

ROOT = Path(__file__).resolve().parent.parent.parent
STRONG = "u8Xo2mQ0vT5rZ1kJ7wYcN4bH6dLf9sGaPqEeRtUi"


@pytest.fixture
def production(settings):
    settings.BASE_URL = "https://crm.example.com"
    settings.EVENTOPS_DEMO = settings.DEBUG = False
    settings.SANDBOX_URL = ""
    settings.SECRET_KEY = STRONG
    settings.EVENTOPS_ENCRYPTION_KEYS = "k1:" + "QUJD" * 10 + "QUI="
    return settings


def identifiers() -> list[str]:
    return [problem.id for problem in checks.check_configuration()]


def test_a_sound_production_passes(production):
    assert identifiers() == []


def test_the_sandbox_is_refused(production):
    production.SANDBOX_URL = "http://127.0.0.1:8001"

    assert identifiers() == ["eventops.E001"]


def test_a_vendor_that_is_played_on_this_machine_is_refused(production):
    production.SENDGRID_BASE_URL = "http://localhost:8001"

    assert identifiers() == ["eventops.E001"]


@pytest.mark.parametrize("secret", ["short", "a" * 64, "django-insecure-" + STRONG, "change-me-" + STRONG])
def test_a_weak_secret_is_refused(production, secret):
    production.SECRET_KEY = secret

    assert identifiers() == ["eventops.E002"]


def test_credentials_without_keys_of_their_own_are_refused(production):
    production.EVENTOPS_ENCRYPTION_KEYS = ""

    assert identifiers() == ["eventops.E007"]


def test_debug_is_refused_where_others_reach_it(production):
    production.DEBUG = True

    assert identifiers() == ["eventops.E003"]


def test_the_demo_is_refused_where_others_reach_it(production):
    production.EVENTOPS_DEMO = True

    assert identifiers() == ["eventops.E004"]


def test_the_demo_on_this_machine_may_use_the_sandbox(production):
    production.BASE_URL, production.EVENTOPS_DEMO = "http://localhost:8000", True
    production.SANDBOX_URL = "http://127.0.0.1:8001"

    assert identifiers() == []


def test_our_own_role_is_bound_by_row_level_security(db):
    with connection.cursor() as cursor:
        assert checks.role_problems(cursor) == []


class Answers:
    """A cursor that has one row to give: roles we cannot create as the unprivileged role."""

    def __init__(self, *row):
        self.row = row

    def execute(self, *arguments):
        return None

    def fetchall(self):
        return [self.row]


def test_a_role_that_bypasses_row_level_security_is_a_problem():
    assert [problem.id for problem in checks.role_problems(Answers("postgres", True, True))] == ["eventops.E005"]


def test_a_role_that_cannot_take_the_system_role_is_a_problem():
    assert [problem.id for problem in checks.role_problems(Answers("eventops", False, False))] == ["eventops.E006"]


PRODUCTION = {
    "BASE_URL": "https://crm.example.com",
    "AUTH_SECRET": STRONG,
    "EVENTOPS_DEMO": "0",
    "DEBUG": "0",
    "SANDBOX_URL": "",
}
WEB = ["-c", "import eventops.wsgi"]
WORKER = ["-m", "celery", "-A", "eventops", "worker"]
BEAT = ["-m", "celery", "-A", "eventops", "beat"]
COMMAND = ["manage.py", "login_link", "nobody@example.com"]


def start(command, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env=os.environ | PRODUCTION | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", [WEB, WORKER, BEAT, COMMAND], ids=["web", "worker", "beat", "command"])
def test_nothing_starts_with_the_sandbox_in_production(command):
    done = start(command, SANDBOX_URL="http://127.0.0.1:8001")

    assert done.returncode != 0
    assert "eventops.E001" in done.stderr


@pytest.mark.slow
def test_the_sandbox_itself_is_unknown_in_production():
    done = start(["manage.py", "sandbox"])

    assert done.returncode != 0
    assert "Unknown command: 'sandbox'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("secret", "words"), [("", "AUTH_SECRET must be at least"), ("change-me-" + STRONG, "eventops.E002")]
)
def test_web_refuses_to_start_without_a_strong_secret(secret, words):
    done = start(WEB, AUTH_SECRET=secret)

    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.slow
def test_web_starts_while_the_database_is_away():
    away = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(netloc="eventops:x@127.0.0.1:1"))

    done = start(WEB, DATABASE_URL=away)

    assert done.returncode == 0, done.stderr


@pytest.fixture
def superuser():
    url = os.environ.get("DEVSTACK_SUPERUSER_URL")
    if not url:
        pytest.skip("the database is not the embedded one, so there is no superuser to try")
    psycopg.connect(url).close()
    return url


@pytest.mark.slow
@pytest.mark.parametrize("command", [WEB, COMMAND], ids=["web", "command"])
def test_nothing_works_as_a_superuser(command, superuser):
    done = start(command, DATABASE_URL=superuser)

    assert done.returncode != 0
    assert "eventops.E005" in done.stderr


@pytest.mark.slow
def test_a_database_that_comes_back_with_another_role_is_refused_again_and_again(superuser):
    attempts = """
from django.db import connection
import django
django.setup()
for _ in range(2):
    try:
        connection.cursor()
    except django.core.exceptions.ImproperlyConfigured as error:
        print(str(error)[:13], connection.connection)
"""

    done = start(["-c", attempts], DATABASE_URL=superuser, DJANGO_SETTINGS_MODULE="eventops.settings")

    assert done.stdout.splitlines() == ["eventops.E005 None"] * 2
