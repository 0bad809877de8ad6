import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities.models import Activity, Note, Task
from common.happenings import Happening, Kind, announce
from identity.scope import org_scope
from tests.factories import AccountFactory, ActivityFactory, PersonFactory, TaskFactory

HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


@pytest.fixture
def person(organization):
    return PersonFactory.create(account__organization=organization, account__name="Acme", name="Ada")


def entries(organization, person, count, kind=Kind.OUTREACH_SENT):
    for n in range(count):
        ActivityFactory.create(
            organization=organization, account=person.account, person=person, kind=kind, summary=f"entry {n:03}",
            occurred_at=NOON - timedelta(hours=n),
        )  # fmt: skip


def words_in(response):
    return re.findall(r"entry \d+", response.text)


def test_the_timeline_is_newest_first_by_day_and_goes_on(client_for, viewer, organization, person):
    entries(organization, person, 70)
    client, seen, days = client_for(viewer), [], []

    address = reverse("activities:timeline", args=["person", person.pk])
    while address:
        response = client.get(address, headers=HTMX)
        seen += words_in(response)
        days += re.findall(r'timeline-day">([^<]+)<', response.text)
        found = re.search(r'class="load-more"><a class="btn" href="([^"]+)"', response.text)
        address = found[1].replace("&amp;", "&") if found else ""

    assert seen == [f"entry {n:03}" for n in range(70)]
    assert len(days) == len(set(days)) == 4


def test_kinds_can_be_chosen(client_for, viewer, organization, person):
    entries(organization, person, 2)
    ActivityFactory.create(
        organization=organization, person=person, kind=Kind.MEETING_SCHEDULED, summary="entry 999", occurred_at=NOON
    )

    response = client_for(viewer).get(reverse("activities:timeline", args=["person", person.pk]) + "?kind=meetings")

    assert words_in(response) == ["entry 999"]


def test_what_happens_to_a_person_stands_on_the_account_too(client_for, viewer, organization, person):
    entries(organization, person, 1)

    response = client_for(viewer).get(reverse("accounts:detail", args=[person.account_id]))

    assert words_in(response) == ["entry 000"]
    assert reverse("people:detail", args=[person.pk]) in response.text


def test_a_note_is_kept_and_shown_with_its_text_escaped(client_for, rep, organization, person, event):
    address = reverse("activities:note", args=["person", person.pk])

    response = client_for(rep).post(address, {"body": " <b>Wants</b> a demo "}, headers=HTMX)

    with org_scope(organization.pk):
        note = Note.objects.get()
    assert (response.status_code, note.body, note.author, note.account_id) == (
        200, "<b>Wants</b> a demo", rep, person.account_id,
    )  # fmt: skip
    assert "&lt;b&gt;Wants&lt;/b&gt; a demo" in response.text


def test_an_empty_note_is_refused(client_for, rep, person):
    response = client_for(rep).post(reverse("activities:note", args=["person", person.pk]), {"body": " "}, headers=HTMX)

    assert response.status_code == 422
    assert "Write something first." in response.text


def test_a_task_is_added_done_once_and_both_are_told(client_for, rep, organization, person):
    client = client_for(rep)

    added = client.post(
        reverse("activities:task", args=["person", person.pk]),
        {"title": "Send the deck", "due_on": "2026-12-01", "assignee": str(rep.pk)},
        headers=HTMX,
    )
    with org_scope(organization.pk):
        task = Task.objects.get()
    done = [client.post(reverse("activities:task_done", args=[task.pk]), headers=HTMX).status_code for _ in range(2)]

    with org_scope(organization.pk):
        task.refresh_from_db()
        kinds = list(Activity.objects.filter(person=person).values_list("kind", flat=True).order_by("occurred_at"))
    assert added.status_code == 200
    assert (task.assignee, task.done_by, done) == (rep, rep, [200, 200])
    assert kinds == ["TASK_ADDED", "TASK_DONE"]


def test_a_task_without_words_is_refused(client_for, rep, person):
    response = client_for(rep).post(reverse("activities:task", args=["person", person.pk]), {"title": ""}, headers=HTMX)

    assert response.status_code == 422
    assert "Say what is to be done." in response.text


def test_strangers_reach_neither_timeline_nor_task(client_for, stranger, organization, person):
    task = TaskFactory.create(organization=organization, person=person)
    client = client_for(stranger)

    assert client.get(reverse("activities:timeline", args=["person", person.pk])).status_code == 404
    assert client.get(reverse("activities:timeline", args=["account", person.account_id])).status_code == 404
    assert client.post(reverse("activities:note", args=["person", person.pk]), {"body": "x"}).status_code == 404
    assert client.post(reverse("activities:task_done", args=[task.pk])).status_code == 404


def test_the_query_count_does_not_grow_with_the_entries(client_for, rep, organization, person):
    client, address = client_for(rep), reverse("people:detail", args=[person.pk])
    client.post(reverse("activities:note", args=["person", person.pk]), {"body": "first"})
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for n in range(3):
        client.post(reverse("activities:note", args=["person", person.pk]), {"body": f"more {n}"})
        client.post(reverse("activities:task", args=["person", person.pk]), {"title": f"task {n}"})
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(one)


def test_happenings_become_entries_of_their_organization(organization, person, rep):
    other = AccountFactory.create()

    with org_scope(organization.pk):
        announce(
            Happening(
                kind=Kind.OUTREACH_OPENED, organization_id=organization.pk, person_id=person.pk, actor_id=rep.pk,
                occurred_at=NOON, data={"count": 2},
            )
        )  # fmt: skip
        entry = Activity.objects.get()

    assert (entry.kind, entry.person_id, entry.actor_id, entry.occurred_at, entry.data) == (
        "OUTREACH_OPENED", person.pk, rep.pk, NOON, {"count": 2},
    )  # fmt: skip
    with org_scope(other.organization_id):
        assert Activity.objects.count() == 0
