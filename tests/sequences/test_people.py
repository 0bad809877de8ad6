"""People in a sequence through the front door: rehearse, enroll, see where everybody stands and why, and act."""

from datetime import time

import pytest
from django.utils import timezone

from accounts import bulk
from accounts.models import BulkJob
from identity.scope import org_scope
from outreach.addresses import hashes_of
from outreach.models import Message
from sequences.figures import figures_of
from sequences.models import Enrollment, Sequence
from sequences.services import enrollments
from tests.factories import AccountFactory, PersonFactory, SuppressionFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def two_steps(publish):
    return publish({"kind": "email"}, {"kind": "call", "subject": "Call", "delay_days": 2})


def people_of(organization, count: int, **values):
    return [
        PersonFactory.create(account=AccountFactory.create(organization=organization), **values) for _ in range(count)
    ]


def counts(organization) -> dict[str, int]:
    with org_scope(organization.pk):
        rows = list(Enrollment.objects.values_list("cause", flat=True))
    return {cause: rows.count(cause) for cause in set(rows)}


def test_rehearsal_says_who_is_left_out_and_stores_nothing(organization, sequence, two_steps, rep, client_for):
    people_of(organization, 2)
    people_of(organization, 1, email="")

    text = client_for(rep).get(f"/sequences/enroll/?all=1&into={sequence.pk}").content.decode()

    assert "Let 2 people begin" in text
    assert "There is no e-mail address." in text
    assert counts(organization) == {}


def test_letting_them_begin_leads_to_the_people_with_one_reason_each(
    organization, sequence, two_steps, rep, client_for
):
    people_of(organization, 3)
    client = client_for(rep)

    answer = client.post("/sequences/enroll/?all=1", {"into": sequence.pk})
    page = client.get(answer["Location"]).content.decode()

    assert answer["Location"] == f"/sequences/people/?sequence={sequence.pk}"
    assert counts(organization) == {"mail": 3}
    assert '<span class="num strong">3</span> enrolled' in page
    assert '<span class="num strong">3</span> Its mail is on the way' in page


def test_a_sequence_that_is_not_published_takes_nobody(organization, sequence, rep, client_for):
    people_of(organization, 1)

    answer = client_for(rep).post("/sequences/enroll/?all=1", {"into": sequence.pk})

    assert answer.status_code == 422
    assert counts(organization) == {}


def test_ticked_rows_go_to_the_rehearsal(organization, sequence, two_steps, rep, client_for):
    first, *_ = people_of(organization, 3)
    client = client_for(rep)

    answer = client.post("/people/bulk/", {"action": "enroll", "id": [str(first.pk)]})
    text = client.get(f"{answer['Location']}&into={sequence.pk}").content.decode()

    assert answer["Location"] == "/sequences/enroll/?picked=1"
    assert "Let 1 person begin" in text


def test_many_begin_in_the_background_with_reasons(organization, sequence, two_steps, rep, client_for, monkeypatch):
    monkeypatch.setattr("sequences.views.people.AT_ONCE", 2)
    people_of(organization, 2)
    people_of(organization, 1, email="")
    client = client_for(rep)

    answer = client.post("/sequences/enroll/?all=1", {"into": sequence.pk})
    with org_scope(organization.pk):
        job = BulkJob.objects.get()
    bulk.run(job.pk, organization.pk)
    text = client.get(answer["Location"]).content.decode()

    assert counts(organization) == {"mail": 2}
    assert "There is no e-mail address." in text


def test_the_list_is_filtered_by_why(organization, sequence, two_steps, enroll, rep, client_for):
    first, second = people_of(organization, 2)
    enroll(first, second)
    with org_scope(organization.pk):
        enrollments.suspend(organization.pk, Enrollment.objects.filter(person=first))

    text = client_for(rep).get(f"/sequences/people/?sequence={sequence.pk}&why=paused").content.decode()

    assert first.name in text
    assert second.name not in text


def test_the_list_goes_on_where_the_page_ended(organization, sequence, two_steps, enroll, rep, client_for):
    people = people_of(organization, 60)
    enroll(*people)
    client = client_for(rep)
    address = f"/sequences/people/?sequence={sequence.pk}"

    first = client.get(address)
    second = client.get(f"{address}&cursor={first.context['page'].next_cursor}", headers=HTMX)

    text = first.content.decode() + second.content.decode()
    assert [person.name for person in people if person.name not in text] == []
    assert "<html" not in second.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_number_of_questions_for_any_number_of_people(
    organization, sequence, two_steps, enroll, rep, client_for, django_assert_num_queries, count: int
):
    enroll(*people_of(organization, count))
    client = client_for(rep)
    client.get(f"/sequences/people/?sequence={sequence.pk}")

    with django_assert_num_queries(14):
        client.get(f"/sequences/people/?sequence={sequence.pk}")


def test_pausing_going_on_skipping_and_taking_out_one_person(
    organization, sequence, two_steps, enroll, person, rep, client_for, where
):
    enroll(person)
    client = client_for(rep)
    address = f"/sequences/people/{where(person).pk}/"

    found = []
    for action in ("pause", "release", "skip", "stop"):
        client.post(f"{address}{action}/")
        found.append((where(person).state, where(person).cause))

    assert found == [("paused", "paused"), ("waiting", "mail"), ("active", "scheduled"), ("stopped", "manual")]
    assert where(person).reason == f"Taken out by {rep.name}."


def test_moving_to_another_step(organization, two_steps, enroll, person, rep, client_for, where):
    enroll(person)
    call = two_steps.read().steps[1]
    client = client_for(rep)

    page = client.get(f"/sequences/people/{where(person).pk}/").content.decode()
    client.post(f"/sequences/people/{where(person).pk}/move/", {"to": f"{two_steps.pk}:{call.id}"})

    assert f'<option value="{two_steps.pk}:{call.id}">2. Call</option>' in page
    assert (where(person).step_id, where(person).state) == (call.id, "active")


@pytest.mark.parametrize("to", ["", "x:y", "{version}:x"])
def test_moving_nowhere_is_said(organization, two_steps, enroll, person, rep, client_for, where, to: str):
    enroll(person)
    client = client_for(rep)

    client.post(f"/sequences/people/{where(person).pk}/move/", {"to": to.format(version=two_steps.pk)})

    page = client.get(f"/sequences/people/{where(person).pk}/").content.decode()
    assert "Choose the step to go on with." in page
    assert where(person).step_id == two_steps.read().steps[0].id


def test_history_shows_what_is_behind(organization, two_steps, enroll, turn, person, rep, client_for, where):
    enroll(person)
    turn(hours=1)

    page = client_for(rep).get(f"/sequences/people/{where(person).pk}/").content.decode()

    assert "1. E-mail" in page
    assert "Sent" in page
    assert "2. Call" in page


@pytest.mark.parametrize(
    ("action", "state"), [("pause", "paused"), ("skip", "active"), ("stop", "stopped"), ("release", "waiting")]
)
def test_many_are_acted_on_in_the_background(
    organization, sequence, two_steps, enroll, rep, client_for, action: str, state: str
):
    enroll(*people_of(organization, 3))
    form = {"action": action, "all": "1", "query": f"sequence={sequence.pk}", "sure": "1"}

    client_for(rep).post("/sequences/people/bulk/", form)
    with org_scope(organization.pk):
        job = BulkJob.objects.get()
    bulk.run(job.pk, organization.pk)

    with org_scope(organization.pk):
        assert set(Enrollment.objects.values_list("state", flat=True)) == {state}


def test_the_person_page_shows_the_sequence_and_why(organization, sequence, two_steps, enroll, person, rep, client_for):
    enroll(person)
    client = client_for(rep)

    on_person = client.get(f"/people/{person.pk}/").content.decode()
    on_account = client.get(f"/accounts/{person.account_id}/").content.decode()

    assert sequence.name in on_person
    assert "Its mail is on the way" in on_person
    assert f"/sequences/enroll/?person={person.pk}" in on_person
    assert "Its mail is on the way" in on_account


def test_preview_shows_dates_in_the_zone_of_each_person(organization, sequence, publish, rep, client_for):
    publish({"kind": "email", "at_time": time(9, 30)}, {"kind": "wait", "delay_days": 1}, {"kind": "end"})
    with org_scope(organization.pk):
        Sequence.objects.update(event=None)
    people_of(organization, 1, country="Japan", phone="+81 3 1")
    people_of(organization, 1, country="Germany")

    response = client_for(rep).get(f"/sequences/{sequence.pk}/preview/")

    text = response.content.decode()
    assert "Asia/Tokyo" in text
    assert "Europe/Berlin" in text
    for seen in response.context["outlooks"]:
        first = seen.steps["1"].due
        assert (first.hour, first.minute, str(first.tzinfo)) == (9, 30, str(seen.zone))
    with org_scope(organization.pk):
        assert Enrollment.objects.count() == 0


def test_suppressed_people_are_left_out_by_name(organization, sequence, two_steps, rep, client_for):
    (person,) = people_of(organization, 1)
    (hashed,) = hashes_of(organization.pk, {person.email})
    SuppressionFactory.create(organization=organization, address_hash=hashed)

    text = client_for(rep).get(f"/sequences/enroll/?person={person.pk}&into={sequence.pk}").content.decode()

    assert "The address is on the suppression list." in text
    assert person.name in text


def test_figures_tell_people_from_machines(organization, sequence, two_steps, enroll, turn, rep, client_for):
    enroll(*people_of(organization, 3))
    turn()
    with org_scope(organization.pk):
        first, second, third = Message.objects.order_by("id")
        now = timezone.now()
        Message.objects.filter(pk=first.pk).update(clicked_at=now)
        Message.objects.filter(pk__in=[second.pk, third.pk]).update(machine_opened_at=now)
        found = figures_of(sequence)

    page = client_for(rep).get(f"/sequences/{sequence.pk}/figures/")

    mail, call = found.steps
    assert (found.enrolled, found.causes, found.on_time) == (3, {"scheduled": 3}, 1.0)
    assert (mail.passed, mail.mails.counts["sent"], mail.mails.counts["clicked"], mail.mails.counts["opened"]) == (
        3,
        3,
        1,
        0,
    )
    assert (mail.mails.counts["machine_opened"], mail.late < 60, call.passed) == (2, True, 0)
    assert page.status_code == 200
