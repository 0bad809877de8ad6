from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from events.models import Event
from identity.models import User
from meetings.models import BoothTable
from people.models import Person
from tests.factories import AttendeeFactory, EventFactory, MeetingFactory, PersonFactory
from tests.meetings.conftest import TEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client_for: Callable[[User], Client], rep: User, event: Event) -> Client:
    return client_for(rep)


def _body(event: Event, person: Person, **changes: Any) -> dict[str, Any]:
    values = {"eventId": str(event.pk), "personId": str(person.pk), "scheduledAt": TEN.isoformat()}
    return {**values, **changes}


def _post(api: Client, path: str, body: dict[str, Any]) -> Any:
    return api.post(path, body, content_type="application/json")


def test_booking_with_the_names_of_old(
    api: Client, event: Event, person: Person, account: Account, table: BoothTable, rep: User
) -> None:
    response = _post(api, "/api/meetings", _body(event, person, tableId=str(table.pk), meetingType="INTRO"))

    assert response.status_code == 201
    data = response.json()["data"]
    expected = {
        "personId": str(person.pk), "personIds": [str(person.pk)], "accountId": str(account.pk), "duration": 30,
        "scheduledAt": "2026-12-08T09:00:00Z", "status": "SCHEDULED", "meetingType": "INTRO", "repId": str(rep.pk),
        "table": "Table 1", "eventId": str(event.pk),
    }  # fmt: skip
    assert {name: data[name] for name in expected} == expected


def test_a_double_booking_is_409_with_what_is_free(
    api: Client, event: Event, person: Person, table: BoothTable, manager: User
) -> None:
    _post(api, "/api/meetings", _body(event, person, tableId=str(table.pk)))

    again = _post(api, "/api/meetings", _body(event, person, tableId=str(table.pk), repId=str(manager.pk)))

    assert again.status_code == 409
    assert "Table 1 is taken from 10:00 to 10:30" in again.json()["title"]
    assert "Next free times" in again.json()["title"]


@pytest.mark.parametrize("field", ["eventId", "personId", "accountId", "tableId", "repId"])
def test_nothing_of_another_organization_can_be_named(
    api: Client, event: Event, person: Person, stranger: User, field: str
) -> None:
    theirs = AttendeeFactory.create()
    foreign = {
        "eventId": theirs.meeting.event_id, "personId": theirs.person_id, "accountId": theirs.meeting.account_id,
        "tableId": theirs.pk, "repId": stranger.pk,
    }  # fmt: skip

    response = _post(api, "/api/meetings", _body(event, person, **{field: str(foreign[field])}))

    assert response.status_code == 422


def test_a_patch_moves_and_a_status_acts(api: Client, event: Event, person: Person) -> None:
    pk = _post(api, "/api/meetings", _body(event, person)).json()["data"]["id"]

    moved = api.patch(
        f"/api/meetings/{pk}", {"scheduledAt": (TEN + timedelta(hours=1)).isoformat(), "duration": 45},
        content_type="application/json",
    )  # fmt: skip
    done = api.patch(
        f"/api/meetings/{pk}", {"status": "COMPLETED", "outcome": "Pilot"}, content_type="application/json"
    )

    assert (moved.json()["data"]["scheduledAt"], moved.json()["data"]["duration"]) == ("2026-12-08T10:00:00Z", 45)
    assert (done.json()["data"]["status"], done.json()["data"]["outcome"]) == ("COMPLETED", "Pilot")


def test_actions_answer_with_the_meeting_and_refuse_what_cannot_be(api: Client, event: Event, person: Person) -> None:
    pk = _post(api, "/api/meetings", _body(event, person, status="REQUESTED")).json()["data"]["id"]

    confirmed = _post(api, f"/api/meetings/{pk}/confirm", {})
    cancelled = _post(api, f"/api/meetings/{pk}/cancel", {"reason": "No travel"})
    again = _post(api, f"/api/meetings/{pk}/cancel", {})

    assert confirmed.json()["data"]["status"] == "SCHEDULED"
    assert cancelled.json()["data"]["status"] == "CANCELLED"
    assert (again.status_code, again.json()["title"]) == (422, "This meeting is already cancelled.")


def test_the_list_is_filtered_and_comes_in_pages(api: Client, event: Event, account: Account) -> None:
    for number in range(3):
        MeetingFactory.create(account=account, event=event, starts_at=TEN + timedelta(hours=number))
    MeetingFactory.create(account=account, event=EventFactory.create(organization=account.organization))

    first = api.get("/api/meetings", {"eventId": str(event.pk), "limit": 2}).json()
    rest = api.get("/api/meetings", {"eventId": str(event.pk), "limit": 2, "cursor": first["nextCursor"]}).json()
    done = api.get("/api/meetings", {"eventId": str(event.pk), "status": "COMPLETED"}).json()

    assert (len(first["items"]), first["total"], first["hasMore"]) == (2, 3, True)
    assert (len(rest["items"]), rest["hasMore"]) == (1, False)
    assert done["items"] == []


def test_people_without_an_account_can_be_met(api: Client, event: Event) -> None:
    person = PersonFactory.create(account=None, organization=event.organization)

    response = _post(api, "/api/meetings", _body(event, person))

    assert (response.status_code, response.json()["data"]["accountId"]) == (201, None)
