"""Sequences for programs, the address of an outside scheduler, and time that passes in a demo."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from identity.scope import org_scope
from sequences.models import Enrollment
from tests.factories import AccountFactory, PersonFactory


@pytest.fixture
def two_steps(publish):
    return publish({"kind": "email"}, {"kind": "email", "delay_days": 3})


@pytest.fixture
def secret(settings) -> dict[str, str]:
    settings.CRON_SECRET = "ring-ring-ring"
    return {"Authorization": "Bearer ring-ring-ring"}


@pytest.mark.parametrize("value", ["", "Bearer ", "Bearer wrong", "ring-ring-ring"])
def test_without_the_secret_nothing_runs(client, secret, two_steps, enroll, person, where, value: str):
    enroll(person)

    answer = client.get("/api/cron/sequences", headers={"Authorization": value} if value else {})

    assert answer.status_code == 401
    assert where(person).cause == "mail"


def test_an_installation_without_a_secret_keeps_the_door_shut(client, settings):
    settings.CRON_SECRET = ""

    assert client.get("/api/cron/sequences", headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get("/api/cron/sequences", headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_ring_sends_what_is_due_and_says_so_in_both_words(client, secret, two_steps, enroll, person, where):
    enroll(person)

    first = client.get("/api/cron/sequences", headers=secret).json()
    second = client.get("/api/cron/sequences", headers=secret).json()

    assert first["timestamp"]
    assert {name: first[name] for name in ("success", "processed", "sent", "completed", "errors")} == {
        "success": True, "processed": 1, "sent": 1, "completed": 0, "errors": 0,
    }  # fmt: skip
    assert (first["message"], first["sequences_processed"], first["outreach_sent"]) == (
        "Steps moved: 1, mails sent: 1.",
        1,
        1,
    )
    assert (second["processed"], second["sent"]) == (0, 0)
    assert where(person).state == "waiting"


def test_time_passes_in_a_demo(client, organization, settings, secret, two_steps, enroll, person, where):
    settings.EVENTOPS_DEMO = True
    enroll(person)
    client.get("/api/cron/sequences", headers=secret)
    out = StringIO()

    call_command("demo_clock", days=3, hours=1, organization=organization.slug, stdout=out)
    answer = client.get("/api/cron/sequences", headers=secret).json()

    assert f"3 days, 1:00:00 have passed in {organization.name}." in out.getvalue()
    assert (answer["sent"], where(person).state) == (1, "completed")


@pytest.mark.parametrize(
    ("demo", "values", "complaint"),
    [
        (False, {"days": 1}, "for demos only"),
        (True, {}, "how much time"),
        (True, {"days": 1, "organization": "nobody"}, "no organization"),
    ],
)
def test_the_clock_refuses_what_makes_no_sense(settings, organization, demo: bool, values: dict, complaint: str):
    settings.EVENTOPS_DEMO, settings.DEBUG = demo, False

    with pytest.raises(CommandError, match=complaint):
        call_command("demo_clock", **{"organization": organization.slug, **values})


def test_programs_rehearse_enroll_look_and_take_out(organization, sequence, two_steps, rep, client_for):
    people = [PersonFactory.create(account=AccountFactory.create(organization=organization)) for _ in range(2)]
    mute = PersonFactory.create(account=people[0].account, email="")
    ids = [str(person.pk) for person in (*people, mute)]
    client = client_for(rep)
    address = f"/api/sequences/{sequence.pk}"
    left_out = {"There is no e-mail address.": 1}

    def post(path: str, **body: object) -> dict:
        return client.post(path, body, content_type="application/json").json()["data"]

    rehearsed = post(f"{address}/enroll", personIds=ids, rehearse=True)
    begun = post(f"{address}/enroll", personIds=ids)
    page = client.get(f"{address}/enrollments?limit=1").json()
    rest = client.get(f"{address}/enrollments?limit=1&cursor={page['nextCursor']}").json()
    one = client.get(f"/api/sequences/enrollments/{page['items'][0]['id']}").json()["data"]
    stopped = post(f"/api/sequences/enrollments/{one['id']}/stop")

    assert rehearsed == {"begun": 2, "leftOut": left_out, "rehearsed": True}
    assert begun == {"begun": 2, "leftOut": left_out, "rehearsed": False}
    assert {page["items"][0]["personId"], rest["items"][0]["personId"]} == {str(person.pk) for person in people}
    assert (one["state"], one["cause"], one["step"], one["history"]) == ("waiting", "mail", "1", [])
    assert (stopped["state"], stopped["reason"]) == ("stopped", f"Taken out by {rep.name}.")
    with org_scope(organization.pk):
        assert Enrollment.objects.live().count() == 1


def test_a_draft_takes_nobody(sequence, person, rep, client_for):
    answer = client_for(rep).post(
        f"/api/sequences/{sequence.pk}/enroll", {"personIds": [str(person.pk)]}, content_type="application/json"
    )

    assert answer.status_code == 409
    assert answer.json()["error"] == "Publish the sequence first."
