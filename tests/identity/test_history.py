"""Who changed what: the history the triggers write, with the person behind each change."""

from collections.abc import Callable

import pghistory.models
import pytest
from celery import shared_task
from django.test import Client
from django.urls import reverse

from accounts.models import Account, TargetAccount
from events.models import Event
from identity.history import history_of
from identity.models import Organization, User
from identity.scope import org_scope
from tests.factories import AccountFactory, PersonFactory, TargetAccountFactory


@shared_task(name="tests.rename")
def rename(organization_id: str, name: str) -> None:
    from uuid import UUID

    with org_scope(UUID(organization_id)):
        Account.objects.update(name=name)


def test_each_change_has_its_old_and_new_value_and_the_newest_comes_first(organization: Organization) -> None:
    account = AccountFactory.create(organization=organization, name="One", city="Berlin")

    with org_scope(organization.pk):
        Account.objects.filter(pk=account.pk).update(name="Two")
        Account.objects.filter(pk=account.pk).update(name="Three", city="Hamburg")
        account.refresh_from_db()
        found = history_of(account)

    assert [[(f.label, f.before, f.after) for f in change.fields] for change in found] == [
        [("Name", "Two", "Three"), ("City", "Berlin", "Hamburg")],
        [("Name", "One", "Two")],
    ]


def test_values_are_shown_as_people_know_them(organization: Organization, event: Event, rep: User) -> None:
    target = TargetAccountFactory.create(account__organization=organization, event=event)

    with org_scope(organization.pk):
        TargetAccount.objects.filter(pk=target.pk).update(owner=rep, status="WON")
        target.refresh_from_db()
        [change] = history_of(target)

    assert {(f.label, f.before, f.after) for f in change.fields} == {
        ("Owner", "", str(rep)),
        ("Status", "Prospecting", "Won"),
    }


def test_a_change_on_a_page_names_the_person(
    organization: Organization, event: Event, rep: User, client_for: Callable[[User], Client]
) -> None:
    person = PersonFactory.create(account__organization=organization, account__name="Acme")
    browser = client_for(rep)
    form = browser.get(reverse("people:edit", args=[person.pk])).context["form"]
    values = {name: value for name, value in form.initial.items() if value not in (None, "")}

    browser.post(reverse("people:edit", args=[person.pk]), values | {"name": "Ada King", "company": "Acme"})

    with org_scope(organization.pk):
        person.refresh_from_db()
        change = history_of(person)[0]
        [context] = pghistory.models.Context.objects.all()
    assert (person.name, change.by) == ("Ada King", rep)
    assert context.metadata == {"user": str(rep.pk)}


def test_the_next_request_of_the_thread_is_somebody_elses(
    organization: Organization, rep: User, client_for: Callable[[User], Client]
) -> None:
    account = AccountFactory.create(organization=organization)
    client_for(rep).get("/settings/")

    with org_scope(organization.pk):
        Account.objects.filter(pk=account.pk).update(name="Changed by nobody")
        account.refresh_from_db()
        [change] = history_of(account)

    assert (change.by, change.by_program) == (None, "")


def test_a_task_is_named_as_the_one_who_changed(organization: Organization) -> None:
    account = AccountFactory.create(organization=organization)

    rename.apply(args=[str(organization.pk), "By a task"])

    with org_scope(organization.pk):
        account.refresh_from_db()
        [change] = history_of(account)
    assert (account.name, change.by, change.by_program) == ("By a task", None, "tests.rename")


def test_the_history_of_others_stays_theirs(organization: Organization) -> None:
    foreign = AccountFactory.create()
    with org_scope(foreign.organization_id):
        Account.objects.filter(pk=foreign.pk).update(name="Secret")
        foreign.refresh_from_db()
        theirs = history_of(foreign)

    with org_scope(organization.pk):
        assert (len(theirs), history_of(foreign)) == (1, [])


@pytest.mark.parametrize("page", ["accounts:detail", "people:detail", "events:detail"])
def test_the_detail_pages_show_it(
    organization: Organization, event: Event, rep: User, client_for: Callable[[User], Client], page: str
) -> None:
    person = PersonFactory.create(account__organization=organization)
    rows = {"accounts:detail": person.account, "people:detail": person, "events:detail": event}
    row = rows[page]
    with org_scope(organization.pk):
        type(row).objects.filter(pk=row.pk).update(city="Kanarienstadt")
        type(row).objects.filter(pk=row.pk).update(city="Elsewhere")

    content = client_for(rep).get(reverse(page, args=[row.pk])).content.decode()

    assert "<del>Kanarienstadt</del>" in content
