import pytest
from django.db import IntegrityError, connection

from accounts.models import Account
from identity.models import Organization
from identity.scope import org_scope, system_scope
from people.models import Person
from tests.factories import AccountFactory, PersonFactory


def test_without_a_scope_no_rows_show(organization: Organization) -> None:
    AccountFactory.create(organization=organization)

    assert Account.objects.count() == 0


def test_a_scope_shows_only_its_organization(organization: Organization) -> None:
    mine, _foreign = AccountFactory.create(organization=organization), AccountFactory.create()

    with org_scope(organization.pk):
        assert list(Account.objects.all()) == [mine]


def test_nested_scopes_restore_the_outer_one(organization: Organization) -> None:
    mine, foreign = AccountFactory.create(organization=organization), AccountFactory.create()

    with org_scope(organization.pk):
        with system_scope():
            assert set(Account.objects.all()) == {mine, foreign}
            with org_scope(foreign.organization_id):
                assert list(Account.objects.all()) == [foreign]
        assert list(Account.objects.all()) == [mine]
        with pytest.raises(RuntimeError), system_scope():
            raise RuntimeError
        assert list(Account.objects.all()) == [mine]


def test_a_row_cannot_point_into_another_organization(organization: Organization) -> None:
    foreign = AccountFactory.create()

    with pytest.raises(IntegrityError), org_scope(organization.pk):
        Person.objects.create(organization=organization, account=foreign, name="Mallory")
        connection.check_constraints()


def test_people_of_two_organizations_may_share_an_address(organization: Organization) -> None:
    PersonFactory.create(email="ada@example.com")

    person = PersonFactory.create(email="ada@example.com", account__organization=organization)

    assert person.email_norm == "ada@example.com"
