"""Bounces and complaints of mailboxes and domains, and the pause before harm is done."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from activities.models import Task
from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach import health, reports
from outreach.health import FEWEST, RECENT, Health
from outreach.models import HealthPause, Mailbox, MailboxDay, Message
from outreach.ports import Report, ReportKind
from tests.factories import AccountFactory, MailboxFactory, PersonFactory


def mails(mailbox: Mailbox, number: int, *, minutes_ago: int = 60, **fields: object) -> None:
    """Mails of the mailbox that were accepted a second apart."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    person = PersonFactory.create(account=AccountFactory.create(organization=mailbox.organization))
    with system_scope():
        Message.objects.bulk_create(
            Message(
                organization=mailbox.organization, person=person, mailbox=mailbox, to_address=person.email,
                state="accepted", sent_at=at + timedelta(seconds=n), **fields,
            )
            for n in range(number)
        )  # fmt: skip


def counted(mailbox: Mailbox, number: int, *, days_ago: int = 0) -> None:
    with system_scope():
        day = (timezone.now() - timedelta(days=days_ago)).date()
        MailboxDay.objects.create(organization=mailbox.organization, mailbox=mailbox, day=day, used=number)


def figures(mailbox: Mailbox) -> Health:
    with org_scope(mailbox.organization_id):
        return health.of_mailboxes(mailbox.organization_id, [mailbox.pk])[mailbox.pk]


# --- The figures -----------------------------------------------------------------------------------------------------


def test_bounces_are_counted_in_the_last_mails_only(mailbox: Mailbox) -> None:
    mails(mailbox, 50, minutes_ago=120, bounced_at=timezone.now(), bounced_for_good=True)
    mails(mailbox, 195)
    mails(mailbox, 2, minutes_ago=30, bounced_at=timezone.now(), bounce_reason="550 5.7.1 Blocked by policy")
    mails(mailbox, 1, minutes_ago=20, bounced_at=timezone.now(), bounce_reason="550 15.7.1 is no policy")
    mails(mailbox, 1, minutes_ago=10, bounced_at=timezone.now(), bounce_reason="421 too much")

    assert figures(mailbox) == Health(recent=200, bounced=1, blocked=3)


def test_complaints_are_counted_over_seven_days_and_one(mailbox: Mailbox) -> None:
    now = timezone.now()
    mails(mailbox, 1, complained_at=now - timedelta(hours=1))
    mails(mailbox, 2, complained_at=now - timedelta(days=3))
    mails(mailbox, 4, complained_at=now - timedelta(days=8))
    counted(mailbox, 400)
    counted(mailbox, 300, days_ago=6)
    counted(mailbox, 900, days_ago=8)

    assert figures(mailbox) == Health(recent=7, sent=700, complaints=3, complaints_today=1)


def test_the_figures_of_a_domain_are_those_of_all_its_mailboxes(organization: Organization, mailbox: Mailbox) -> None:
    second = MailboxFactory.create(organization=organization)
    stranger = MailboxFactory.create(organization=organization, from_address="a@elsewhere.example")
    mails(mailbox, 150, minutes_ago=120, bounced_at=timezone.now(), bounced_for_good=True)
    mails(second, 180, minutes_ago=60)
    mails(stranger, 10, bounced_for_good=True)
    counted(mailbox, 150)
    counted(second, 180)

    with org_scope(organization.pk):
        found = health.of_domains(organization.pk, ["nordlicht.example"])

    assert found == {"nordlicht.example": Health(recent=200, bounced=20, sent=330)}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Health(recent=200, bounced=9), "warn"),
        (Health(recent=200, bounced=10), "stop"),
        (Health(recent=20, bounced=9), "warn"),
        (Health(recent=20, bounced=2), "ok"),
        (Health(recent=200, bounced=3), "ok"),
        (Health(recent=200, blocked=10), "stop"),
        (Health(sent=999, complaints=3, complaints_today=1), "warn"),
        (Health(sent=999, complaints=3, complaints_today=2), "stop"),
        (Health(sent=1_000, complaints=2, complaints_today=2), "warn"),
        (Health(sent=1_000, complaints=3, complaints_today=0), "stop"),
        (Health(sent=10_000, complaints=9), "ok"),
        (Health(sent=10_000, complaints=10), "warn"),
        (Health(sent=10_000, complaints=30), "stop"),
    ],
)
def test_thresholds(found: Health, verdict: str) -> None:
    assert found.verdict == verdict


def test_a_good_mailbox_is_not_paused_and_a_bad_list_is_soon() -> None:
    """A million mails at one bounce in a hundred, judged after each bounce; then lists of which every fourth bounces."""
    dice = random.Random(7)
    window, false_pauses = [False] * RECENT, 0
    bounced = 0
    for n in range(1_000_000):
        now = dice.random() < 0.01
        bounced += now - window[n % RECENT]
        window[n % RECENT] = now
        false_pauses += now and Health(recent=RECENT, bounced=bounced).verdict == "stop"
    needed = []
    for _ in range(1_000):
        bounces = sent = 0
        while Health(recent=RECENT, bounced=bounces).verdict != "stop":
            sent += 1
            bounces += dice.random() < 0.25
        needed.append(sent)

    assert false_pauses / 1_000_000 < 0.01
    assert sum(needed) / len(needed) < 50
    assert min(needed) >= FEWEST


# --- Pausing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def harmed(mailbox: Mailbox, rep: User) -> Mailbox:
    """A mailbox that has just done too much harm."""
    with system_scope():
        Mailbox.objects.update(owner=rep)
    mails(mailbox, 30)
    mails(mailbox, 10, minutes_ago=30, bounced_at=timezone.now(), bounced_for_good=True)
    with org_scope(mailbox.organization_id):
        health.judge(mailbox.organization_id, [mailbox.pk])
        mailbox.refresh_from_db()
    return mailbox


def test_harm_pauses_the_mailbox_once_and_tells_its_owner(harmed: Mailbox, rep: User) -> None:
    with org_scope(harmed.organization_id):
        again = health.judge(harmed.organization_id, [harmed.pk])
        [task] = Task.objects.all()
        [pause] = HealthPause.objects.all()

    reason = "10 of the last 40 mails went to addresses that do not exist"
    assert harmed.pause_reason == f"Paused to protect its reputation: {reason}."
    assert (again, pause.reason, task.assignee) == (0, reason, rep)
    assert task.title == f"Look into the mailbox “{harmed.name}”: {reason}"


def test_reports_of_bounces_pause_the_mailbox_that_sent(
    organization: Organization, mailbox: Mailbox, message: Message, sandbox: object
) -> None:
    mails(mailbox, 9, bounced_at=timezone.now(), bounced_for_good=True)
    with system_scope():
        Message.objects.filter(pk=message.pk).update(state="accepted", sent_at=timezone.now())
    reports.store(
        [
            Report(
                provider="sendgrid", event_id="one", intent_id=message.pk, attempt=None, kind=ReportKind.BOUNCED,
                occurred_at=timezone.now(), reason="550 5.1.1 unknown",
            )
        ]
    )  # fmt: skip

    reports.process(organization.pk)

    with system_scope():
        mailbox.refresh_from_db()
    assert mailbox.pause_reason.startswith("Paused to protect its reputation: 10 of the last")


def test_a_harmful_domain_pauses_all_its_mailboxes(organization: Organization, mailbox: Mailbox) -> None:
    """Neither has done enough alone."""
    second = MailboxFactory.create(organization=organization)
    third = MailboxFactory.create(organization=organization, from_address="a@elsewhere.example")
    for box in (mailbox, second):
        mails(box, 6, bounced_at=timezone.now(), bounced_for_good=True)

    with org_scope(organization.pk):
        paused = health.judge(organization.pk, [mailbox.pk])
        second.refresh_from_db()
        third.refresh_from_db()

    assert (paused, third.paused_at) == (2, None)
    assert second.pause_reason.endswith("mails went to addresses that do not exist, all from nordlicht.example.")


def test_resuming_needs_a_reason_and_begins_the_figures_anew(
    harmed: Mailbox, admin_member: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(admin_member)
    address = f"/outreach/mailboxes/{harmed.pk}/resume/"

    client.post(address)
    with system_scope():
        harmed.refresh_from_db()
    still = harmed.paused_at
    client.post(address, {"reason": "An old list was imported; it is gone."})

    with org_scope(harmed.organization_id):
        harmed.refresh_from_db()
        [pause] = HealthPause.objects.all()
        assert health.judge(harmed.organization_id, [harmed.pk]) == 0
    assert still is not None
    assert (harmed.paused_at, pause.resumed_by) == (None, admin_member)
    assert pause.resume_reason == "An old list was imported; it is gone."
    assert figures(harmed) == Health()


def test_the_pages_show_the_figures_and_what_a_person_has_to_say(
    harmed: Mailbox, admin_member: User, event: object, client_for: Callable[[User], Client]
) -> None:
    client = client_for(admin_member)

    listed = client.get("/outreach/mailboxes/").content.decode()
    today = client.get("/").content.decode()

    assert "10 of the last 40 bounced" in listed
    assert "What was wrong, and what did you do?" in listed
    assert "mailboxes paused to protect their reputation" in today


def test_the_command_asks_for_the_reason_too(harmed: Mailbox) -> None:
    with pytest.raises(CommandError, match="--reason"):
        call_command("sends", "start", mailbox=harmed.pk)
    call_command("sends", "start", mailbox=harmed.pk, reason="The list is mended.")

    with system_scope():
        harmed.refresh_from_db()
    assert harmed.paused_at is None


def test_the_clock_judges_every_mailbox_of_every_organization(harmed: Mailbox) -> None:
    theirs = MailboxFactory.create(from_address="a@elsewhere.example")
    mails(theirs, 12, bounced_for_good=True)

    health.judge_all()

    with system_scope():
        theirs.refresh_from_db()
    assert theirs.paused_at is not None
