"""Events, accounts, people, activities and exports over the API."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, TargetAccount
from events.models import Event
from identity.scope import org_scope, system_scope
from meetings.models import Attendee, Meeting
from outreach.models import Message
from people.models import Person
from tests.factories import AccountFactory, PersonFactory, StandFactory, TargetAccountFactory

JSON = {"content_type": "application/json"}


@pytest.fixture
def api(client_for, manager):
    return client_for(manager)


@pytest.fixture
def acme(organization, event):
    TargetAccountFactory.create(account__name="Foreign")
    target = TargetAccountFactory.create(
        account__organization=organization, account__name="Acme", event=event, icp_score=70
    )
    StandFactory.create(target=target, hall="Hall 1", number="A1")
    return target.account


def test_events_are_added_read_and_changed(api, organization):
    body = {
        "name": "Expo", "startsOn": "2027-05-01", "ends_on": "2027-05-03", "timeZone": "Europe/Oslo", "goalMeetings": 40,
        "costs": [{"kind": "booth", "amount": "900.50"}],
    }  # fmt: skip

    made = api.post("/api/events", body, **JSON)
    pk = made.json()["data"]["id"]
    changed = api.patch(f"/api/events/{pk}", {"booth": "B7", "costs": []}, **JSON)
    listed = api.get("/api/events").json()

    assert made.status_code == 201
    assert made.json()["data"]["costs"] == [{"kind": "booth", "description": "", "amount": "900.50"}]
    assert (changed.json()["data"]["booth"], changed.json()["data"]["costs"]) == ("B7", [])
    assert (listed["total"], [item["startsOn"] for item in listed["items"]]) == (1, ["2027-05-01"])
    with org_scope(organization.pk):
        assert Event.objects.get().goal_meetings == 40


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "TechExpo 2026", "startsOn": "2027-05-01", "endsOn": "2027-05-03"}, 409),
        ({"name": "X", "startsOn": "2027-05-03", "endsOn": "2027-05-01"}, 422),
        ({"name": "X", "startsOn": "2027-05-01", "endsOn": "2027-05-03", "timeZone": "Mars/Base"}, 422),
        ({"name": "", "startsOn": "2027-05-01", "endsOn": "2027-05-03"}, 422),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(api, event, body, status):
    assert api.post("/api/events", body, **JSON).status_code == status


def test_accounts_are_listed_by_event_with_limit_offset_total_and_cursor(api, organization, event, acme):
    for name in ("Borg", "Cyan"):
        TargetAccountFactory.create(account__organization=organization, account__name=name, event=event)
    AccountFactory.create(organization=organization, name="Elsewhere")

    first = api.get(f"/api/accounts?eventId={event.pk}&limit=2").json()
    by_cursor = api.get(f"/api/accounts?eventId={event.pk}&limit=2&cursor={first['nextCursor']}").json()
    by_offset = api.get(f"/api/accounts?eventId={event.pk}&limit=2&offset=2").json()
    everything = api.get("/api/accounts").json()

    assert [item["name"] for item in first["accounts"]] == ["Acme", "Borg"]
    assert first["items"] == first["accounts"]
    assert (first["total"], first["limit"], first["offset"], first["hasMore"]) == (3, 2, 0, True)
    assert first["items"][0]["icpScore"] == 70
    assert first["items"][0]["stands"] == [{"hall": "Hall 1", "number": "A1"}]
    assert by_cursor["items"] == by_offset["items"]
    assert [item["name"] for item in by_offset["items"]] == ["Cyan"]
    assert by_offset["hasMore"] is False
    assert [item["name"] for item in everything["items"]] == ["Acme", "Borg", "Cyan", "Elsewhere"]


def test_an_account_is_added_targeted_changed_and_deleted(api, organization, event, rep):
    body = {
        "name": "Nova GmbH", "website": "https://nova-robots.com", "employeeCount": 120, "eventId": str(event.pk), "tier": "B",
        "assignedTo": str(rep.pk), "tags": ["Robots"], "stands": [{"hall": "4", "number": "B12"}],
    }  # fmt: skip

    made = api.post("/api/accounts", body, **JSON)
    pk = made.json()["data"]["id"]
    similar = api.post("/api/accounts?unlessSimilar=true", {"name": "NOVA Ltd"}, **JSON)
    changed = api.patch(f"/api/accounts/{pk}", {"eventId": str(event.pk), "status": "WON", "city": "Oslo"}, **JSON)
    lonely = api.patch(f"/api/accounts/{pk}", {"tier": "A"}, **JSON)
    deleted = api.delete(f"/api/accounts/{pk}")

    data = made.json()["data"]
    assert made.status_code == 201
    assert (data["tier"], data["assignedTo"], data["tags"], data["domain"]) == (
        "B", str(rep.pk), ["Robots"], "nova-robots.com",
    )  # fmt: skip
    assert (similar.status_code, lonely.status_code, deleted.status_code) == (409, 422, 204)
    assert (changed.json()["data"]["status"], changed.json()["data"]["city"]) == ("WON", "Oslo")
    with org_scope(organization.pk):
        assert Account.objects.count() == TargetAccount.objects.count() == 0


def test_why_somebody_may_be_written_to_is_told_and_changed(api, acme):
    made = api.post("/api/people", {"accountId": str(acme.pk), "name": "Ada"}, **JSON).json()["data"]
    address = f"/api/people/{made['id']}"

    changed = api.patch(address, {"contactBasis": "consent"}, **JSON)
    refused = api.patch(address, {"contactBasis": "because"}, **JSON)

    assert made["contactBasis"] == "interest"
    assert (changed.json()["data"]["contactBasis"], refused.status_code) == ("consent", 422)
    assert api.get(address).json()["data"]["contactBasis"] == "consent"


@pytest.mark.parametrize("spelling", ["isExecOps", "is_exec_ops"])
def test_people_are_added_and_changed_in_both_spellings(api, organization, acme, spelling):
    body = {
        "accountId": str(acme.pk),
        "firstName": "Grace",
        "last_name": "Hopper",
        "email": "Grace@Acme.com",
        spelling: True,
    }

    made = api.post("/api/people", body, **JSON)
    pk = made.json()["data"]["id"]
    changed = api.patch(f"/api/people/{pk}", {"title": "Admiral", "isTech": True, spelling: False}, **JSON)

    data = changed.json()["data"]
    assert made.status_code == 201
    assert (made.json()["data"]["name"], made.json()["data"]["isExecOps"]) == ("Grace Hopper", True)
    assert (data["title"], data["isTech"], data["isExecOps"], data["emails"]) == (
        "Admiral",
        True,
        False,
        ["Grace@Acme.com"],
    )


def test_one_person_comes_with_account_and_insights(api, acme):
    ada = PersonFactory.create(account=acme, name="Ada", icp_reasons=[{"text": "Head of something", "points": 20}])

    found = api.get(f"/api/people/{ada.pk}").json()

    assert found["success"] is True
    assert (found["data"]["account"]["name"], found["data"]["company"]) == ("Acme", "Acme")
    assert found["data"]["insights"] == [{"kind": "icp", "text": "Head of something", "points": 20}]


def test_a_person_who_is_not_there_is_said_so(api, acme):
    foreign = PersonFactory.create()

    for pk in (foreign.pk, "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10"):
        response = api.get(f"/api/people/{pk}")
        assert (response.status_code, response.json()["error"]) == (404, "Person not found")


def test_an_address_that_belongs_to_somebody_is_a_conflict(api, acme):
    PersonFactory.create(account=acme, email="ada@acme.com")

    taken = api.post("/api/contacts", {"name": "Somebody", "email": "ADA@acme.com"}, **JSON)
    nonsense = api.post("/api/people", {"name": "Somebody", "email": "not an address"}, **JSON)
    nameless = api.post("/api/people", {"email": "x@y.com"}, **JSON)
    elsewhere = api.post("/api/people", {"name": "X", "accountId": str(AccountFactory.create().pk)}, **JSON)

    assert [r.status_code for r in (taken, nonsense, nameless, elsewhere)] == [409, 422, 422, 404]


def test_people_go_page_by_page_and_filter_as_on_the_page(api, organization, event, acme):
    for n in range(5):
        PersonFactory.create(account=acme, name=f"Person {n}", is_tech=n % 2 == 0)
    PersonFactory.create(account=AccountFactory.create(organization=organization), name="Elsewhere")

    seen, cursor = [], ""
    while True:
        page = api.get(f"/api/people?eventId={event.pk}&limit=2&persona=is_tech&cursor={cursor}").json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["nextCursor"]
        if not cursor:
            break

    assert seen == ["Person 0", "Person 2", "Person 4"]
    assert (page["total"], page["totalIsExact"]) == (3, True)


def test_the_query_count_of_people_does_not_grow(api, acme):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            api.get("/api/people")
        return len(captured)

    PersonFactory.create(account=acme)
    queries()
    one = queries()
    PersonFactory.create_batch(2, account=acme)

    assert queries() == one


def test_notes_tasks_and_what_happened(api, organization, acme, rep):
    ada = PersonFactory.create(account=acme)

    note = api.post("/api/notes", {"personId": str(ada.pk), "body": "Wants a demo"}, **JSON)
    nobody = api.post("/api/notes", {"body": "?"}, **JSON)
    task = api.post("/api/tasks", {"title": "Call", "assignedTo": str(rep.pk), "accountId": str(acme.pk)}, **JSON)
    listed = api.get(f"/api/tasks?assignedTo={rep.pk}").json()
    done = api.post(f"/api/tasks/{task.json()['data']['id']}/done")
    happened = api.get(f"/api/activities?accountId={acme.pk}").json()

    assert (note.status_code, nobody.status_code, task.status_code) == (201, 422, 201)
    assert (listed["total"], done.json()["data"]["doneAt"] is not None) == (1, True)
    assert [item["type"] for item in happened["items"]] == ["TASK_DONE", "TASK_ADDED", "NOTE_ADDED"]
    assert happened["items"][0]["description"] == "Call"


# --- Export ----------------------------------------------------------------------------------------------------------


def body_of(response):
    return b"".join(response.streaming_content)


def test_people_stream_in_exactly_the_promised_columns(api, event, acme):
    PersonFactory.create(account=acme, name='=cmd|"x"', email="ada@acme.com", title="CEO", phone="+49 30 1")

    response = api.get(f"/api/export/people/stream?eventId={event.pk}")
    lines = list(csv.reader(io.StringIO(body_of(response).decode())))

    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert lines == [
        ["Name", "Email", "Title", "Company", "Phone", "LinkedIn"],
        ['\'=cmd|"x"', "ada@acme.com", "CEO", "Acme", "'+49 30 1", ""],
    ]


def test_accounts_stream(api, event, acme):
    lines = list(
        csv.DictReader(io.StringIO(body_of(api.get(f"/api/export/accounts/stream?eventId={event.pk}")).decode()))
    )

    assert [(line["Name"], line["Tier"], line["ICP Score"]) for line in lines] == [("Acme", "A", "70")]


@pytest.mark.parametrize(
    "path", ["people/stream", "accounts/stream", "people/stream?eventId=", "people/stream?eventId=x"]
)
def test_a_stream_without_an_event_is_a_bad_request(api, path):
    assert api.get(f"/api/export/{path}").status_code == 400


def test_the_full_export_is_a_zip_with_one_csv_per_table(api, acme):
    PersonFactory.create(account=acme, name="Ada")

    response = api.post("/api/export/full", {"format": "csv"}, **JSON)

    with zipfile.ZipFile(io.BytesIO(body_of(response))) as archive:
        tables = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8"))) for name in archive.namelist()
        }
    assert tables["accounts.csv"][0]["Company"] == "Acme"
    assert [(row["Name"], row["Company"], row["isTech"]) for row in tables["people.csv"]] == [("Ada", "Acme", "f")]


def test_the_full_export_as_json_holds_what_was_typed(api, acme):
    name = 'Zoë "=1" \\ \n 山田'
    PersonFactory.create(account=acme, name=name, is_tech=True)
    PersonFactory.create(account=acme, name="Second")

    response = api.post("/api/export/full", {"format": "json"}, **JSON)

    data = json.loads(body_of(response))
    assert [(p["name"], p["isTech"], p["company"]) for p in data["people"]] == [
        (name, True, "Acme"),
        ("Second", False, "Acme"),
    ]
    assert [a["name"] for a in data["accounts"]] == ["Acme"]


def test_messages_and_meetings_are_in_the_full_export(api, organization, event, acme, rep):
    ada = PersonFactory.create(account=acme, name="Ada")
    with system_scope():
        Message.objects.create(
            organization=organization, person=ada, account=acme, event=event, subject="Hello", to_address="ada@acme.com"
        )
        meeting = Meeting.objects.create(
            organization=organization, event=event, account=acme, title="Demo", rep=rep,
            starts_at=datetime(2026, 12, 8, 9, tzinfo=UTC), ends_at=datetime(2026, 12, 8, 10, tzinfo=UTC),
        )  # fmt: skip
        Attendee.objects.create(organization=organization, meeting=meeting, person=ada, is_primary=True)

    data = json.loads(body_of(api.post("/api/export/full", {"format": "json", "eventId": str(event.pk)}, **JSON)))

    assert [(m["subject"], m["personName"], m["company"], m["status"]) for m in data["outreach"]] == [
        ("Hello", "Ada", "Acme", "DRAFT")
    ]
    assert [(m["title"], m["personName"], m["scheduledAt"][:16]) for m in data["meetings"]] == [
        ("Demo", "Ada", "2026-12-08T09:00")
    ]


def test_the_full_export_in_a_single_csv_has_a_type_column(api, acme):
    PersonFactory.create(account=acme, name="Ada")

    response = api.post("/api/export/full?single=1", {"format": "csv"}, **JSON)

    rows = list(csv.DictReader(io.StringIO(body_of(response).decode())))
    kinds = {row["type"]: row for row in rows}
    assert kinds["accounts"]["Company"] == kinds["people"]["Company"] == "Acme"
    assert (kinds["people"]["Name"], kinds["accounts"]["Name"]) == ("Ada", "")


def test_nothing_of_others_is_exported(client_for, stranger, acme, event):
    PersonFactory.create(account=acme, name="Ada")
    client = client_for(stranger)

    data = json.loads(body_of(client.post("/api/export/full", {"format": "json"}, **JSON)))

    assert (data["people"], data["accounts"]) == ([], [])
    assert client.get(f"/api/export/people/stream?eventId={event.pk}").status_code == 404
    with system_scope():
        assert Person.objects.filter(name="Ada").exists()
