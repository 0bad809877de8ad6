"""What every test may ask for. The database is real Postgres, connected as the unprivileged role."""

from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from django.test import Client

from events.models import Event
from identity.models import Organization, Role, User
from identity.scope import org_scope
from sandbox.server import RunningSandbox
from tests.factories import EventFactory, MembershipFactory, OrganizationFactory
from tests.template_database import django_db_modify_db_settings as django_db_modify_db_settings
from tests.template_database import django_db_setup as django_db_setup

# How long one example takes says more about the machine than about the code.
hypothesis.settings.register_profile("everywhere", deadline=None)
hypothesis.settings.load_profile("everywhere")


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory.create(name="Nordlicht Robotics", slug="nordlicht")


@pytest.fixture
def event(organization: Organization) -> Event:
    return EventFactory.create(organization=organization, name="TechExpo 2026", slug="techexpo-2026")


def _member(organization: Organization, role: Role) -> User:
    return MembershipFactory.create(organization=organization, role=role, user__email=f"{role}@example.com").user


@pytest.fixture
def owner(organization: Organization) -> User:
    return _member(organization, Role.OWNER)


@pytest.fixture
def admin_member(organization: Organization) -> User:
    return _member(organization, Role.ADMIN)


@pytest.fixture
def manager(organization: Organization) -> User:
    return _member(organization, Role.MANAGER)


@pytest.fixture
def rep(organization: Organization) -> User:
    return _member(organization, Role.REP)


@pytest.fixture
def viewer(organization: Organization) -> User:
    return _member(organization, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """The owner of another organization."""
    return MembershipFactory.create(role=Role.OWNER, user__email="stranger@example.com").user


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """A logged-in browser of the given person."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make


@pytest.fixture
def scope(organization: Organization) -> Iterator[None]:
    """The whole test inside the organization's database scope."""
    with org_scope(organization.pk):
        yield


@pytest.fixture
def sandbox(settings: Any) -> Iterator[RunningSandbox]:
    """The played vendors over real HTTP. Nothing it owes is delivered until ``sandbox.courier.flush()``."""
    running = RunningSandbox()
    settings.SENDGRID_BASE_URL = running.url
    settings.EVENTOPS_DNS_SERVERS = [running.name_server.address]
    yield running
    running.stop()
