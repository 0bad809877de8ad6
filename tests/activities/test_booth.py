"""Met at the booth: one tap, once a minute, and back within a minute."""

from datetime import timedelta

import pytest
from django.utils import timezone

from activities import booth
from activities.models import Activity, BoothVisit
from identity.scope import org_scope
from outreach.models import AccountHold
from tests.factories import AccountFactory, EventFactory, PersonFactory

VISITS = "/api/booth-visits"


@pytest.fixture
def person(organization):
    return PersonFactory.create(account=AccountFactory.create(organization=organization, name="Acme"), name="Ada")


@pytest.fixture
def at_the_show(client_for, rep, event):
    """A rep who has chosen the show."""
    client = client_for(rep)
    client.post("/events/switch/", {"event": str(event.pk)})
    return client


def visits(organization) -> list[BoothVisit]:
    with org_scope(organization.pk):
        return list(BoothVisit.objects.select_related("rep").order_by("met_at"))


def timeline(organization) -> list[str]:
    with org_scope(organization.pk):
        return list(Activity.objects.filter(kind="BOOTH_VISIT").values_list("summary", flat=True))


def holds(organization) -> list[tuple[str, str, bool]]:
    with org_scope(organization.pk):
        return [(hold.cause, hold.reason, hold.lifted_at is None) for hold in AccountHold.objects.all()]


def test_one_tap_writes_who_when_and_where_and_holds_the_account(organization, event, person, rep, at_the_show):
    page = at_the_show.get(f"/people/{person.pk}/").content.decode()
    answer = at_the_show.post(f"/activities/booth/{person.pk}/")
    after = at_the_show.get(answer["Location"]).content.decode()

    (visit,) = visits(organization)
    assert "Met at the booth</button>" in page
    assert answer["Location"] == f"/people/{person.pk}/#booth"
    assert (visit.person_id, visit.event_id, visit.rep) == (person.pk, event.pk, rep)
    assert timeline(organization) == ["Met at the booth"]
    assert holds(organization) == [("scan", "Ada came to the booth.", True)]
    assert "Take back" in after


def test_tapping_twice_in_a_minute_is_one_visit(organization, event, person, rep):
    at = timezone.now().replace(second=1)
    with org_scope(organization.pk):
        first, is_new = booth.meet(person, event=event, rep=rep, met_at=at - timedelta(minutes=2))
        again, is_new_again = booth.meet(
            person, event=event, rep=rep, met_at=at - timedelta(minutes=2) + timedelta(seconds=50), note="Wants a demo."
        )
        booth.meet(person, event=event, rep=rep, met_at=at - timedelta(minutes=1))

    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    assert [visit.note for visit in visits(organization)] == ["Wants a demo.", ""]
    assert sorted(timeline(organization)) == ["Met at the booth", "Met at the booth: Wants a demo."]


def test_the_note_is_added_afterwards(organization, person, at_the_show):
    at_the_show.post(f"/activities/booth/{person.pk}/")

    at_the_show.post(f"/activities/booth/visits/{visits(organization)[0].pk}/note/", {"note": " Wants a demo. "})

    assert visits(organization)[0].note == "Wants a demo."
    assert timeline(organization) == ["Met at the booth: Wants a demo."]


def test_a_tap_is_taken_back_with_everything_that_came_of_it(organization, person, at_the_show):
    at_the_show.post(f"/activities/booth/{person.pk}/")

    at_the_show.post(f"/activities/booth/visits/{visits(organization)[0].pk}/undo/")

    assert visits(organization) == []
    assert timeline(organization) == []
    assert [held for _, _, held in holds(organization)] == [False]


def test_a_hold_of_before_stays_when_a_tap_is_taken_back(organization, event, person, rep):
    with org_scope(organization.pk):
        AccountHold.objects.create(
            organization=organization, account=person.account, person=person, cause="reply", since=timezone.now()
        )
        visit, _ = booth.meet(person, event=event, rep=rep)
        booth.undo(visit, actor=rep)

    assert [(cause, held) for cause, _, held in holds(organization)] == [("reply", True)]


def test_after_a_minute_it_stays(organization, person, at_the_show):
    at_the_show.post(f"/activities/booth/{person.pk}/")
    with org_scope(organization.pk):
        BoothVisit.objects.update(created_at=timezone.now() - timedelta(seconds=61))

    at_the_show.post(f"/activities/booth/visits/{visits(organization)[0].pk}/undo/")

    page = at_the_show.get(f"/people/{person.pk}/").content.decode()
    assert "A visit can be taken back within a minute." in page
    assert "Take back" not in page
    assert len(visits(organization)) == 1


def test_without_a_show_there_is_no_button(organization, person, rep, client_for):
    client = client_for(rep)

    page = client.get(f"/people/{person.pk}/").content.decode()
    client.post(f"/activities/booth/{person.pk}/")

    assert "Met at the booth" not in page
    assert visits(organization) == []


def test_programs_write_and_take_back(organization, event, person, rep, client_for):
    client = client_for(rep)
    body = {"personId": str(person.pk), "eventId": str(event.pk), "note": "Wants a demo."}

    answers = [client.post(VISITS, body, content_type="application/json") for _ in range(2)]
    gone = client.delete(f"{VISITS}/{answers[0].json()['data']['id']}")

    assert [answer.status_code for answer in answers] in ([201, 200], [201, 201])  # the minute may turn between them
    assert answers[0].json()["data"] | {"id": "", "metAt": ""} == {
        "id": "", "personId": str(person.pk), "eventId": str(event.pk), "repId": str(rep.pk), "note": "Wants a demo.",
        "metAt": "",
    }  # fmt: skip
    assert gone.status_code == 204


@pytest.mark.parametrize("days", [-31, 1])
def test_programs_cannot_meet_people_at_impossible_times(organization, event, person, rep, client_for, days: int):
    at = (timezone.now() + timedelta(days=days)).isoformat()
    body = {"personId": str(person.pk), "eventId": str(event.pk), "metAt": at}

    answer = client_for(rep).post(VISITS, body, content_type="application/json")

    assert answer.status_code == 422
    assert visits(organization) == []


def test_a_stranger_meets_nobody(organization, event, person, stranger, client_for):
    other = EventFactory.create()
    body = {"personId": str(person.pk), "eventId": str(other.pk)}

    answers = [
        client_for(stranger).post(VISITS, body, content_type="application/json"),
        client_for(stranger).post(f"/activities/booth/{person.pk}/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert visits(organization) == []
