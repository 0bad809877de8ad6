from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account
from events.models import Event
from identity.models import Organization, User
from meetings.models import BoothTable
from meetings.services import Plan
from people.models import Person
from tests.factories import AccountFactory, BoothTableFactory, PersonFactory, TargetAccountFactory

TEN = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
"""Ten o'clock in Berlin on the first day of the default show."""


@pytest.fixture
def account(organization: Organization, event: Event) -> Account:
    account = AccountFactory.create(organization=organization, name="Acme GmbH")
    TargetAccountFactory.create(account=account, event=event)
    return account


@pytest.fixture
def person(account: Account) -> Person:
    return PersonFactory.create(account=account, name="Ada Lovelace", first_name="Ada", email="ada@acme.example")


@pytest.fixture
def table(event: Event) -> BoothTable:
    return BoothTableFactory.create(event=event, name="Table 1")


@pytest.fixture
def plan(event: Event, person: Person, rep: User, table: BoothTable) -> Plan:
    return Plan(event=event, people=[person], rep=rep, table=table, starts_at=TEN, ends_at=TEN + timedelta(minutes=30))
