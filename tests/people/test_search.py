"""Search under row-level security: through the index, and never beyond one's own organization."""

import re

import pytest
from django.db import connection, transaction

from accounts.models import Account
from common import search
from identity.scope import org_scope, system_scope
from people.models import Person
from tests.factories import AccountFactory, EventFactory, MembershipFactory, OrganizationFactory, PersonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def crowded(django_db_setup, django_db_blocker):
    """An organization with enough people that the planner prefers an index; another one has as many."""
    with django_db_blocker.unblock(), transaction.atomic():
        organization = OrganizationFactory.create()
        _fill(organization)
        yield organization
        transaction.set_rollback(True)


@pytest.fixture
def onlooker(crowded, client_for):
    """The browser of a viewer of the crowded organization."""
    EventFactory.create(organization=crowded)
    return client_for(MembershipFactory.create(organization=crowded, role="viewer").user)


def _fill(organization):
    with system_scope():
        for owner in (organization, OrganizationFactory.create()):
            account = AccountFactory.create(organization=owner, name="Crowd AG")
            people = [
                Person(
                    organization=owner, account=account, name=f"Vorname{n % 97} Nachname{n}", email=f"p{n}@crowd.com"
                )
                for n in range(4_000)
            ]
            for person in people:
                person.derive()
            Person.objects.bulk_create(people, batch_size=2_000)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('role', 'none', true), gin_clean_pending_list('person_search')")
            cursor.execute("ANALYZE people_person")


def plan_of_search(organization, words):
    """The plan of the statement the function runs, as the role it runs as."""
    with org_scope(organization.pk), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', 'eventops_system', true)")
        cursor.execute(
            "EXPLAIN SELECT id FROM people_person WHERE organization_id = %s AND search_text LIKE %s LIMIT 500",
            [organization.pk, f"%{words}%"],
        )
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_search_function_uses_the_trigram_index(crowded):
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(proowner), prosecdef FROM pg_proc WHERE proname = 'people_person_search'"
        )
        function = cursor.fetchone()

    assert function == ("eventops_system", True)
    assert "person_search" in plan_of_search(crowded, "nachname3999")


def test_the_same_search_without_the_function_cannot_use_it(crowded):
    with org_scope(crowded.pk), connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT id FROM people_person WHERE search_text LIKE '%nachname3999%'")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert not re.search(r"Index Cond: .*search_text", plan)


@pytest.mark.parametrize("text", ["nachname1", "nachname3999", "vorname9 nach", "na", "crowd", "nachnahme3999"])
def test_no_row_of_another_organization_is_found(crowded, text):
    with org_scope(crowded.pk):
        found = search.find("people_person", text)
    with system_scope():
        owners = set(Person.objects.filter(pk__in=found.ids).values_list("organization_id", flat=True))

    assert owners == {crowded.pk}


def test_without_a_scope_nothing_is_found(crowded):
    assert search.find("people_person", "nachname1").ids == []
    assert search.alike("people_person", "nachnahme1") == []


def test_a_frequent_word_says_that_there_are_more_and_stays_sorted(onlooker, crowded):
    with org_scope(crowded.pk):
        found = search.find("people_person", "crowd", cap=100)
    response = onlooker.get("/people/?all=1&sort=name&q=nachname")

    assert (found.number, found.complete) == (100, False)
    assert "2,000+" in response.text
    assert response.text.index("Vorname0 Nachname0<") < response.text.index("Vorname0 Nachname1067<")


def test_how_many_a_frequent_word_has_is_told_after_the_page(onlooker):
    page = onlooker.get("/people/?all=1&q=nachname")
    count = onlooker.get("/people/?all=1&q=nachname", headers={"HX-Request": "true", "HX-Trigger": "count"})

    assert 'id="count" hx-get="/people/?all=1&amp;q=nachname" hx-trigger="load' in page.text
    assert count.text.strip() == '<span class="topbar-count" id="count">4,000</span>'


def test_close_spellings_are_found_when_somebody_waits_for_them(onlooker):
    asking = {"HX-Request": "true", "HX-Trigger": "alike"}

    response = onlooker.get("/people/?all=1&q=nachnahme3999", headers=asking)

    assert response.text.lstrip().startswith('<div id="list"')
    assert "Nachname3999</a>" in response.text
    assert "these come close" in response.text


def test_a_time_limit_ends_the_statement_and_nothing_else(organization):
    with org_scope(organization.pk), connection.cursor() as cursor:
        with pytest.raises(search.OutOfTime), search.time_limit(1):
            cursor.execute("SELECT pg_sleep(5)")
        with search.walking():
            cursor.execute("SELECT current_setting('enable_sort')")
            inside = cursor.fetchone()[0]
        cursor.execute("SELECT current_setting('enable_sort'), current_setting('statement_timeout')")
        after = cursor.fetchone()

    assert (inside, *after) == ("off", "on", "0")


@pytest.mark.parametrize(
    "text", ["%", "_", "\\", "'", "%%", "a%b", "x'; DROP TABLE people_person; --", "\x00", "   ", "a" * 200]
)
def test_signs_of_sql_are_only_signs(organization, text):
    PersonFactory.create(account__organization=organization, name="Ada")

    with org_scope(organization.pk):
        assert search.find("people_person", text).ids == []
        assert Person.objects.count() == 1


def test_accounts_are_searched_the_same_way(organization):
    AccountFactory.create(organization=organization, name="Åkerlund & Rausing AB", website="https://rausing.com")

    with org_scope(organization.pk):
        hits = [
            len(search.find("accounts_account", text).ids)
            for text in ("akerlund", "rausing.com", "RAUS aker", "akerlunt")
        ]
        assert Account.objects.count() == 1
    assert hits == [1, 1, 1, 1]
