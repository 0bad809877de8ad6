"""The ledger and the pages that say why: front doors, for members of the right role."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity.scope import org_scope
from outreach import guard, switches
from outreach.models import AccountHold, Mailbox, Message, SendStop
from tests.factories import AccountFactory, CampaignFactory, MailboxFactory, MessageFactory, PersonFactory


@pytest.fixture
def waiting(organization, mailbox):
    """A message of a campaign that a gate has put off."""
    person = PersonFactory.create(account=AccountFactory.create(organization=organization, name="Acme GmbH"))
    return MessageFactory.create(
        person=person, mailbox=mailbox, campaign=CampaignFactory.create(mailbox=mailbox, status="sending"),
        due_at=timezone.now() + timedelta(days=1), cause="window", reason="Outside the sending hours.",
    )  # fmt: skip


def page(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_ledger_says_why_each_mail_has_not_left(client_for, viewer, waiting):
    html = page(client_for(viewer), "/outreach/ledger/")

    assert waiting.person.name in html
    assert "Outside the sending hours." in html


def test_a_stopped_organization_and_a_paused_mailbox_are_the_reason(client_for, viewer, waiting, mailbox, organization):
    with org_scope(organization.pk):
        Mailbox.objects.get(pk=mailbox.pk).pause(reason="Holidays.", now=timezone.now())
    paused = page(client_for(viewer), "/outreach/ledger/")
    with org_scope(organization.pk):
        SendStop.objects.create(organization=organization, stopped_at=timezone.now(), reason="Wrong list")
    stopped = page(client_for(viewer), "/outreach/ledger/")

    assert "is paused. Holidays." in paused
    assert "Sending is stopped: Wrong list" in stopped


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cause=window", True),
        ("cause=unread", False),
        ("state=queued", True),
        ("state=held", False),
        ("cause=%00", True),
    ],
)
def test_the_ledger_is_filtered(client_for, viewer, waiting, query, found):
    html = page(client_for(viewer), f"/outreach/ledger/?{query}")

    assert (waiting.person.name in html) is found


def test_the_ledger_costs_the_same_for_one_and_for_many(
    client_for, viewer, waiting, mailbox, organization, django_assert_num_queries
):
    client = client_for(viewer)
    client.get("/outreach/ledger/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/outreach/ledger/")
    for _ in range(3):
        MessageFactory.create(person=PersonFactory.create(account=waiting.account), mailbox=mailbox)

    with django_assert_num_queries(len(one)):
        client.get("/outreach/ledger/")


def test_strangers_see_nothing_of_the_ledger(client_for, stranger, waiting):
    assert waiting.person.name not in page(client_for(stranger), "/outreach/ledger/")


def test_person_and_account_show_the_next_mail_and_why_it_waits(client_for, viewer, waiting):
    client = client_for(viewer)

    for path in (f"/people/{waiting.person_id}/", f"/accounts/{waiting.account_id}/"):
        assert "Outside the sending hours." in page(client, path)


def test_a_rep_holds_and_releases_an_account(client_for, rep, waiting, organization):
    client = client_for(rep)

    client.post(f"/outreach/accounts/{waiting.account_id}/hold/", {"reason": "Talks with the board"})
    held = page(client, f"/people/{waiting.person_id}/")
    with org_scope(organization.pk):
        hold = AccountHold.objects.get()
        cause = Message.objects.get(pk=waiting.pk).cause
    response = client.post(
        f"/outreach/holds/{hold.pk}/decide/", {"decision": "release", "next": f"/people/{waiting.person_id}/"}
    )

    assert "Talks with the board" in held
    assert cause == "account_held"
    assert response.url == f"/people/{waiting.person_id}/"
    with org_scope(organization.pk):
        hold.refresh_from_db()
        assert (hold.lifted_by_id, Message.objects.get(pk=waiting.pk).cause) == (rep.pk, "")


def test_a_hold_needs_a_reason(client_for, rep, waiting, organization):
    client_for(rep).post(f"/outreach/accounts/{waiting.account_id}/hold/", {"reason": ""})

    with org_scope(organization.pk):
        assert not AccountHold.objects.exists()


def test_release_never_leads_off_the_site(client_for, rep, waiting, organization):
    with org_scope(organization.pk):
        hold = guard.hold_account(organization.pk, waiting.account_id, cause="manual", reason="Talks.")

    response = client_for(rep).post(
        f"/outreach/holds/{hold.pk}/decide/", {"decision": "release", "next": "https://evil.example/"}
    )

    assert response.url == f"/accounts/{waiting.account_id}/"


def test_an_admin_stops_everything_and_starts_it_again(client_for, admin_member, waiting, organization):
    client = client_for(admin_member)

    client.post("/outreach/mailboxes/stop/", {"reason": "Wrong list"})
    stopped = page(client, "/outreach/mailboxes/")
    client.post("/outreach/mailboxes/start/")
    started = page(client, "/outreach/mailboxes/")

    assert "Wrong list" in stopped
    assert "Wrong list" not in started
    with org_scope(organization.pk):
        [stop] = SendStop.objects.all()
    assert (stop.stopped_by_id, stop.ended_by_id) == (admin_member.pk, admin_member.pk)


def test_reading_a_mailbox_lets_its_follow_ups_leave(client_for, rep, waiting, mailbox, organization):
    with org_scope(organization.pk):
        Message.objects.filter(pk=waiting.pk).update(cause="unread", due_at=timezone.now() + timedelta(hours=1))

    client_for(rep).post(f"/outreach/mailboxes/{mailbox.pk}/read/")

    with org_scope(organization.pk):
        after = Message.objects.get(pk=waiting.pk)
        assert (after.cause, after.due_at <= timezone.now()) == ("", True)
        assert Mailbox.objects.get(pk=mailbox.pk).read_until is not None


def test_the_mailbox_form_keeps_window_and_pace(client_for, admin_member, mailbox, organization):
    data = {
        "name": "Sales", "kind": "sendgrid", "from_name": "Nora", "from_address": "nora@nordlicht.example",
        "daily_cap": "60", "hourly_cap": "9", "spacing_seconds": "45", "warm_up_from": "2026-11-02", "smtp_port": "587",
        "smtp_security": "starttls", "window_days": ["0", "2"], "window_opens": "09:00", "window_closes": "16:30",
    }  # fmt: skip
    client = client_for(admin_member)

    wrong = client.post(f"/outreach/mailboxes/{mailbox.pk}/", data | {"window_closes": "08:00"})
    right = client.post(f"/outreach/mailboxes/{mailbox.pk}/", data)

    assert (wrong.status_code, right.status_code) == (422, 302)
    with org_scope(organization.pk):
        after = Mailbox.objects.get(pk=mailbox.pk)
    assert (after.window_days, after.hourly_cap, after.spacing_seconds) == ([0, 2], 9, 45)
    assert after.window_in_words == "Mon, Wed, 09:00 to 16:30 there"


# --- The command -----------------------------------------------------------------------------------------------------


def said(capsys, *arguments):
    call_command("sends", *arguments)
    return capsys.readouterr().out


def test_the_command_stops_and_starts_each_level(capsys, mailbox, message, organization, send, sandbox):
    other = MailboxFactory.create()
    for level in ([], ["--organization", "nordlicht"], ["--mailbox", str(mailbox.pk)]):
        said(capsys, "stop", "--reason", "Wrong list", *level)
        send(mailbox)
        assert len(sandbox.world.mails) == 0
        assert "Wrong list" in said(capsys, "status")
        said(capsys, "start", *level)

    send(mailbox)
    assert len(sandbox.world.mails) == 1
    assert other.paused_at is None


@pytest.mark.parametrize(
    "arguments", [["stop"], ["stop", "--reason", "x", "--organization", "nobody"], ["accept", "--last-sent-at", "x"]]
)
def test_the_command_says_what_is_wrong(db, arguments):
    with pytest.raises(CommandError):
        call_command("sends", *arguments)


def test_accept_lets_what_cannot_have_left_leave(capsys, mailbox, message, organization, settings, stored):
    settings.EVENTOPS_SEND_EPOCH = ""
    switches.stop_everything(reason="x")
    switches.start_everything()
    settings.EVENTOPS_SEND_EPOCH = "restored"
    switches.fence()
    differs = said(capsys, "status")

    words = said(capsys, "accept", "--last-sent-at", (timezone.now() - timedelta(hours=1)).isoformat())

    assert "They differ" in differs
    assert "1 held mails cannot have left" in words
    assert stored(message).state == "queued"
