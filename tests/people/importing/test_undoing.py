"""A list that should not have come in is taken back; what somebody has used since stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Stand, TargetAccount
from activities.models import Activity
from activities.services import add_note
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from people import import_services as services
from people.import_models import ListImport
from people.importing import running, undoing
from people.models import Person, PersonEmail
from people.services import update_person
from tests.factories import AccountFactory, PersonFactory
from tests.people.importing.helpers import bring_in

ClientFor = Callable[[User], Client]
LIST = [
    ["Company", "Company city", "Hall", "Stand", "Name", "E-mail", "Job title", "Tags"],
    ["Acme GmbH", "Bremen", "Hall 1", "A1", "Ada Lovelace", "ada@acme.com", "Buyer", "vip"],
    ["Acme GmbH", "Bremen", "Hall 1", "A1", "Grace Hopper", "grace@acme.com", "Admiral", ""],
    ["Beta AG", "Bonn", "Hall 2", "B2", "Alan Turing", "alan@beta.com", "Head", ""],
    ["Old Friend AG", "Oslo", "Hall 3", "C3", "Old Hand", "old@friend.com", "Director", ""],
]


@pytest.fixture
def known(organization: Organization) -> Person:
    """Somebody who was there before the list, which changes their title and the city of their company."""
    account = AccountFactory.create(organization=organization, name="Old Friend AG", city="Bergen")
    return PersonFactory.create(
        organization=organization, account=account, name="Old Hand", email="old@friend.com", title="Clerk"
    )


def _take_back(list_import: ListImport, actor: User) -> ListImport:
    with org_scope(list_import.organization_id):
        services.undo(list_import, actor=actor, ring=False)
    assert running.work(list_import.pk)
    return _reload(list_import)


def _reload(list_import: ListImport) -> ListImport:
    with org_scope(list_import.organization_id):
        list_import.refresh_from_db()
    return list_import


def _did(list_import: ListImport) -> tuple[str, int, int, int]:
    i = list_import
    return i.status, i.people_removed, i.accounts_removed, i.records_put_back


def test_what_came_goes_and_what_changed_is_as_before(
    organization: Organization, event: Event, rep: User, known: Person
) -> None:
    done = bring_in(organization, LIST, event=event)
    assert (done.people_created, done.people_updated, done.accounts_created) == (3, 1, 2)

    undone = _take_back(done, rep)

    assert _did(undone) == ("undone", 3, 2, 2)
    with org_scope(organization.pk):
        assert list(Person.objects.values_list("name", "title", "email")) == [("Old Hand", "Clerk", "old@friend.com")]
        assert list(Account.objects.values_list("name", "city")) == [("Old Friend AG", "Bergen")]
        assert "oslo" not in Account.objects.get().search_text
        assert not TargetAccount.objects.exists()
        assert not Stand.objects.exists()
        assert PersonEmail.objects.count() == 1
        told = Activity.objects.get(kind="IMPORT_UNDONE")
        assert (told.actor_id, told.data["people"], told.data["accounts"]) == (rep.pk, 3, 2)


def test_the_page_foretells_it_and_takes_it_back(
    client_for: ClientFor, organization: Organization, event: Event, rep: User, known: Person
) -> None:
    done = bring_in(organization, LIST, event=event)
    with org_scope(organization.pk):
        ListImport.objects.update(created_by=rep)
        forecast = undoing.foretell(done)
    client = client_for(rep)

    asked = client.get(f"/import/{done.pk}/undo/").content.decode()
    client.post(f"/import/{done.pk}/undo/")
    waiting = client.get(f"/import/{done.pk}/result/").content.decode()
    running.work(done.pk)
    result = client.get(f"/import/{done.pk}/result/").content.decode()

    assert (forecast.people, forecast.people_in_use, forecast.accounts, forecast.accounts_in_use) == (3, 0, 2, 0)
    assert forecast.changed == 2
    assert "Take the import back" in asked
    assert "Taking back people and companies" in waiting
    assert "3 people and 2 accounts were removed, 2 records were put back" in result
    assert "Take this import back" not in result


def test_what_is_in_use_stays(organization: Organization, event: Event, rep: User) -> None:
    done = bring_in(organization, LIST, event=event)
    with org_scope(organization.pk):
        ada, alan = Person.objects.get(name="Ada Lovelace"), Person.objects.get(name="Alan Turing")
        add_note(organization.pk, author=rep, body="Met at the booth", person=ada)
        update_person(alan, actor=rep, fields={"title": "Chief"})
        forecast = undoing.foretell(done)

    undone = _take_back(done, rep)

    assert (forecast.people, forecast.people_in_use, forecast.accounts, forecast.accounts_in_use) == (2, 2, 1, 2)
    assert _did(undone) == ("undone", 2, 1, 0)
    with org_scope(organization.pk):
        assert set(Person.objects.values_list("name", flat=True)) == {"Ada Lovelace", "Alan Turing"}
        assert set(Account.objects.values_list("name", flat=True)) == {"Acme GmbH", "Beta AG"}
        assert Stand.objects.count() == 2


def test_a_value_that_somebody_changed_after_the_list_stays(
    organization: Organization, rep: User, known: Person
) -> None:
    done = bring_in(organization, LIST)
    with org_scope(organization.pk):
        known.refresh_from_db()
        update_person(known, actor=rep, fields={"title": "President"})

    _take_back(done, rep)

    with org_scope(organization.pk):
        known.refresh_from_db()
        assert (known.title, known.account.city) == ("President", "Bergen")


def test_taking_back_goes_on_where_a_worker_left_it(
    organization: Organization, event: Event, rep: User, known: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "ROWS", 1)
    done = bring_in(organization, LIST, event=event)
    with org_scope(organization.pk):
        services.undo(done, actor=rep, ring=False)

    rounds = 1
    while not running.work(done.pk, budget_seconds=0):
        rounds += 1

    assert rounds > 4
    assert _did(_reload(done)) == ("undone", 3, 2, 2)


def test_a_stopped_import_is_taken_back_too_and_cannot_go_on(
    organization: Organization, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = bring_in(organization, LIST)
    with org_scope(organization.pk):
        ListImport.objects.update(status="stopped", finished_at=None)

    undone = _take_back(done, rep)

    assert undone.status == "undone"
    with org_scope(organization.pk):
        assert not Person.objects.exists()
        with pytest.raises(services.NotNow):
            services.run(undone, ring=False)
        with pytest.raises(services.NotNow):
            services.undo(undone, actor=rep, ring=False)


def test_only_for_thirty_days_and_not_for_the_lists_of_others(
    client_for: ClientFor, organization: Organization, rep: User
) -> None:
    done = bring_in(organization, LIST)
    client = client_for(rep)

    assert client.get(f"/import/{done.pk}/undo/").status_code == 403
    assert client.post(f"/import/{done.pk}/undo/").status_code == 403
    with org_scope(organization.pk):
        ListImport.objects.update(created_by=rep, finished_at=timezone.now() - timedelta(days=31))
    assert "Take this import back" not in client.get(f"/import/{done.pk}/result/").content.decode()
    assert client.get(f"/import/{done.pk}/undo/").status_code == 302
    client.post(f"/import/{done.pk}/undo/")
    assert _reload(done).status == "finished"
