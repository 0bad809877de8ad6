"""The gates of the claim: what stops a mail keeps it in the ledger, with the reason and the next try."""

import threading
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from identity.scope import org_scope, system_scope
from outreach import delivery, guard, reconciling, switches
from outreach.gates import Gates
from outreach.models import AccountHold, Installation, Mailbox, Message
from people.models import Person
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    EventFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
)

ALWAYS = {"window_days": list(range(7)), "window_opens": time(0), "window_closes": time.max, "keeps_holidays": False}
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def change(organization):
    """Set columns of a row."""

    def run(row, **values):
        with org_scope(organization.pk):
            type(row).objects.filter(pk=row.pk).update(**values)

    return run


@pytest.fixture
def automatic(organization, mailbox):
    """A message of a campaign, due now."""
    campaign = CampaignFactory.create(mailbox=mailbox, status="sending")

    def make(person=None, **fields):
        person = person or PersonFactory.create(account=AccountFactory.create(organization=organization))
        return MessageFactory.create(person=person, **({"mailbox": mailbox, "campaign": campaign} | fields))

    return make


def closed_now(mailbox, change):
    """A window of the mailbox that is shut for the rest of the week."""
    today = timezone.now().astimezone(UTC).weekday()
    change(mailbox, window_days=[(today + 3) % 7], keeps_holidays=False)


def test_outside_the_window_of_the_recipient_it_waits_for_the_first_open_moment(
    mailbox, message, send, stored, change, sandbox
):
    closed_now(mailbox, change)
    change(message, keeps_window=True, time_zone="Asia/Tokyo")

    send(mailbox)

    after = stored(message)
    there = after.due_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert (after.state, after.cause, len(sandbox.world.mails)) == ("queued", "window", 0)
    assert (there.time(), after.due_at > timezone.now()) == (time(8, 30), True)
    assert "Asia/Tokyo" in after.reason


def test_holidays_of_the_recipient_are_kept(mailbox, message, change):
    christmas = datetime(2026, 12, 25, 10, 0, tzinfo=BERLIN)
    change(message.person, country="Germany")
    change(message, keeps_window=True, time_zone="Europe/Berlin", due_at=christmas)
    with org_scope(message.organization_id):
        [row] = Message.objects.for_org(message.organization_id).with_suppression()
        row.has_replied_since = False
        verdict = Gates(mailbox.organization, mailbox, [row], now=christmas).verdict(row)

    assert verdict.next_try == datetime(2026, 12, 28, 8, 30, tzinfo=BERLIN)


def test_a_mail_written_by_hand_does_not_keep_the_window(mailbox, message, send, stored, change):
    closed_now(mailbox, change)

    send(mailbox)

    assert stored(message).state == "accepted"


def test_one_person_gets_one_automatic_mail_a_day_from_the_whole_organization(
    mailbox, automatic, send, stored, change, organization, sandbox
):
    other = MailboxFactory.create(organization=organization, **ALWAYS)
    change(mailbox, **ALWAYS)
    first = automatic()
    second = automatic(person=first.person, mailbox=other, campaign=CampaignFactory.create(mailbox=other))

    send(mailbox)
    send(other)

    after = stored(second)
    assert (len(sandbox.world.mails), after.state, after.cause) == (1, "queued", "contacted")
    assert after.due_at > timezone.now()
    assert "had a mail" in after.reason


def test_two_people_who_share_an_address_count_as_one(mailbox, automatic, send, change, organization, sandbox):
    change(mailbox, **ALWAYS)
    first = automatic()
    twin = PersonFactory.create(account=first.account)
    automatic(person=twin, to_address=first.to_address, address_hash=first.address_hash)

    send(mailbox)

    assert len(sandbox.world.mails) == 1


def test_a_mail_by_hand_goes_out_on_the_same_day(mailbox, automatic, send, change, sandbox):
    change(mailbox, **ALWAYS)
    first = automatic()
    MessageFactory.create(person=first.person, mailbox=mailbox)

    send(mailbox)

    assert len(sandbox.world.mails) == 2


def test_a_warming_mailbox_sends_ten_then_fifteen_then_twenty(mailbox):
    day = timezone.localdate()
    mailbox.daily_cap, mailbox.warm_up_from = 22, day

    allowed = [mailbox.allowance(day + timedelta(days=number)) for number in range(4)]

    assert allowed == [10, 15, 20, 22]


def test_above_the_days_mails_the_rest_waits_for_the_next_morning(mailbox, send, change, organization, sandbox):
    account = AccountFactory.create(organization=organization)
    for _ in range(13):
        MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)
    change(mailbox, warm_up_from=timezone.localdate(), **ALWAYS | {"window_opens": time(8, 30)})

    send(mailbox)

    with org_scope(organization.pk):
        left = list(Message.objects.filter(state="queued"))
    assert (len(sandbox.world.mails), {row.cause for row in left}) == (10, {"daily_cap"})
    assert {row.due_at.strftime("%H:%M") for row in left} == {"08:30"}
    assert "10 mails of the day" in left[0].reason


def test_above_the_hours_mails_the_rest_waits_for_the_next_hour(mailbox, send, change, organization, sandbox):
    account = AccountFactory.create(organization=organization)
    for _ in range(5):
        MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)
    change(mailbox, hourly_cap=2)

    send(mailbox)
    send(mailbox)

    with org_scope(organization.pk):
        left = list(Message.objects.filter(state="queued"))
    assert (len(sandbox.world.mails), {row.cause for row in left}) == (2, {"hourly_cap"})
    assert all(row.due_at.minute == 0 for row in left)


def test_spacing_gives_every_mail_its_slot(mailbox, send, change, organization, sandbox):
    account = AccountFactory.create(organization=organization)
    for _ in range(4):
        MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)
    change(mailbox, spacing_seconds=60)

    send(mailbox)
    send(mailbox)

    with org_scope(organization.pk):
        slots = list(Message.objects.filter(state="queued").order_by("due_at").values_list("due_at", flat=True))
        following = Mailbox.objects.get(pk=mailbox.pk).next_slot_at
    assert len(sandbox.world.mails) == 1
    assert [slot - slots[0] for slot in slots] == [timedelta(0), timedelta(seconds=60), timedelta(seconds=120)]
    assert slots[0] == following
    assert timedelta(seconds=50) < following - timezone.now() <= timedelta(seconds=75)


def test_a_follow_up_waits_until_the_mailbox_was_read(mailbox, message, send, stored, change, sandbox):
    first = MessageFactory.create(
        person=message.person, mailbox=mailbox, state="accepted", sent_at=timezone.now() - timedelta(days=2)
    )
    change(message, follows=first.pk)

    send(mailbox)
    waiting = stored(message)
    change(mailbox, read_until=timezone.now())
    change(message, due_at=timezone.now())
    send(mailbox)

    assert (waiting.state, waiting.cause) == ("queued", "unread")
    assert stored(message).state == "accepted"


def test_what_inbound_parse_brings_counts_as_read(mailbox, message, send, stored, change):
    first = MessageFactory.create(
        person=message.person, mailbox=mailbox, state="accepted", sent_at=timezone.now() - timedelta(days=2)
    )
    change(message, follows=first.pk)
    change(mailbox, reply_domain="replies.nordlicht.example")

    send(mailbox)

    assert stored(message).state == "accepted"


@pytest.mark.parametrize("basis", ["objected", "restricted"])
def test_nobody_writes_to_a_person_who_objected(mailbox, message, send, stored, change, sandbox, basis):
    change(message.person, contact_basis=basis)

    send(mailbox)

    assert (stored(message).state, stored(message).cause, len(sandbox.world.mails)) == ("skipped", "objected", 0)


def test_an_objection_between_claim_and_request_is_seen(mailbox, message, stored, change, organization, sandbox):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        [claim] = delivery.claim_batch(desk, size=1)
        change(message.person, contact_basis="objected")
        delivery.deliver(desk, claim)

    assert (stored(message).state, len(sandbox.world.mails)) == ("skipped", 0)


def test_this_installation_writes_only_to_its_domains(mailbox, message, send, stored, settings, sandbox):
    settings.EVENTOPS_RECIPIENT_DOMAINS = ["ours.example"]

    send(mailbox)

    assert (stored(message).state, stored(message).cause, len(sandbox.world.mails)) == ("held", "fenced", 0)


# --- The guard of an account -----------------------------------------------------------------------------------------


def hold(account, **fields):
    with org_scope(account.organization_id):
        return guard.hold_account(account.organization_id, account.pk, cause="manual", reason="Talks.", **fields)


def test_a_held_account_gets_no_automatic_mail_and_mails_by_hand_go_out(
    mailbox, automatic, send, stored, change, sandbox
):
    change(mailbox, **ALWAYS)
    planned = automatic()
    by_hand = MessageFactory.create(person=PersonFactory.create(account=planned.account), mailbox=mailbox)
    hold(planned.account)

    send(mailbox)

    after = stored(planned)
    assert (after.state, after.cause, after.reason) == ("queued", "account_held", "The account is held: Talks.")
    assert after.due_at > timezone.now()
    assert stored(by_hand).state == "accepted"


def test_a_released_account_goes_on(mailbox, automatic, send, stored, change, rep):
    change(mailbox, **ALWAYS)
    planned = automatic()
    held = hold(planned.account)
    with org_scope(planned.organization_id):
        guard.release_account(held, actor=rep, reason="We may.")

    send(mailbox)

    assert stored(planned).state == "accepted"


def test_a_hold_ends_with_its_time(mailbox, automatic, send, stored, change):
    change(mailbox, **ALWAYS)
    planned = automatic()
    held = hold(planned.account, until=timezone.now() + timedelta(days=1))
    change(held, since=timezone.now() - timedelta(days=2), until=timezone.now() - timedelta(seconds=1))

    guard.release_expired()
    send(mailbox)

    assert stored(planned).state == "accepted"


def test_a_booked_meeting_holds_the_account(organization):
    account = AccountFactory.create(organization=organization)
    person = PersonFactory.create(account=account)

    with org_scope(organization.pk):
        announce(
            Happening(
                kind=Kind.MEETING_SCHEDULED, organization_id=organization.pk, account_id=account.pk, person_id=person.pk
            )
        )
        found = AccountHold.objects.for_org(organization).get()

    assert (found.account_id, found.cause, found.person_id) == (account.pk, "meeting", person.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before the claim", "after the claim", "while the text is written"])
def test_a_colleague_who_answers_wins_against_a_mail_that_is_due(
    organization, mailbox, automatic, change, sandbox, moment, stored
):
    change(mailbox, **ALWAYS)
    planned = automatic(body="Hello {{ first_name }}")
    reached, answered = threading.Barrier(2, timeout=20), threading.Barrier(2, timeout=20)

    def meet():
        reached.wait()
        answered.wait()

    def work():
        try:
            if moment == "before the claim":
                meet()
            with delivery.open_desk(organization.pk, mailbox.pk) as desk:
                claims = delivery.claim_batch(desk, size=1)
                if moment != "before the claim":
                    meet()
                delivery.deliver_batch(desk, claims, until=lambda: False)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    reached.wait()
    if moment == "while the text is written":
        with transaction.atomic(), connection.cursor() as cursor:
            # Whoever fills in a text reads its template: they wait here until the hold is committed.
            cursor.execute("LOCK TABLE outreach_template")
            answered.wait()
            wait_for_somebody_behind("outreach_template")
            hold(planned.account)
    else:
        hold(planned.account)
        answered.wait()
    worker.join()

    assert (len(sandbox.world.mails), stored(planned).state, stored(planned).cause) == (0, "queued", "account_held")


def wait_for_somebody_behind(table):
    deadline = monotonic() + 20
    with connection.cursor() as cursor:
        while monotonic() < deadline:
            cursor.execute("SELECT FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table])
            if cursor.fetchone() is not None:
                return
    raise AssertionError(f"Nobody waits for {table}.")


# --- Switches --------------------------------------------------------------------------------------------------------


def test_a_stopped_organization_sends_nothing_and_loses_nothing(
    mailbox, message, send, stored, organization, admin_member
):
    with org_scope(organization.pk):
        switches.stop(organization, reason="Wrong list", actor=admin_member)
    send(mailbox)
    stopped = stored(message).state
    with org_scope(organization.pk):
        switches.start(organization, actor=admin_member)
    send(mailbox)

    assert (stopped, stored(message).state) == ("queued", "accepted")


def test_a_stop_of_another_organization_changes_nothing_here(mailbox, message, send, stored):
    other = EventFactory.create().organization
    with org_scope(other.pk):
        switches.stop(other, reason="Wrong list", actor=None)

    send(mailbox)

    assert stored(message).state == "accepted"


@pytest.mark.parametrize("switch", ["organization", "installation", "mailbox", "epoch"])
def test_a_switch_between_claim_and_request_is_seen(
    mailbox, message, stored, organization, sandbox, settings, change, switch
):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        [claim] = delivery.claim_batch(desk, size=1)
        if switch == "organization":
            with org_scope(organization.pk):
                switches.stop(organization, reason="Wrong list", actor=None)
        elif switch == "installation":
            switches.stop_everything(reason="Wrong list")
        elif switch == "mailbox":
            change(mailbox, paused_at=timezone.now(), pause_reason="Wrong list")
        else:
            Installation.objects.create(epoch="another")
        delivery.deliver(desk, claim)

    assert (stored(message).state, stored(message).cause, len(sandbox.world.mails)) == ("queued", "paused", 0)


@pytest.mark.django_db(transaction=True)
def test_the_kill_switch_works_in_the_middle_of_sending(organization, mailbox, sandbox):
    account = AccountFactory.create(organization=organization)
    for _ in range(60):
        MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)

    def work():
        try:
            delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    while len(sandbox.world.mails) < 5 and any(worker.is_alive() for worker in workers):
        pass
    with org_scope(organization.pk):
        switches.stop(organization, reason="Wrong list", actor=None)
    at_the_stop = len(sandbox.world.mails)
    for worker in workers:
        worker.join()

    # One mail of each worker may be past its last gate.
    assert len(sandbox.world.mails) <= at_the_stop + 2 < 60
    with org_scope(organization.pk):
        states = list(Message.objects.for_org(organization).values_list("state", flat=True))
    assert states.count("accepted") == len(sandbox.world.mails)
    assert states.count("queued") == 60 - len(sandbox.world.mails)


def test_a_restored_database_sends_nothing_until_a_person_accepts_it(mailbox, message, send, stored, settings, change):
    send(mailbox)
    later = MessageFactory.create(person=message.person, mailbox=mailbox, due_at=timezone.now() + timedelta(hours=2))
    earlier = MessageFactory.create(person=message.person, mailbox=mailbox, due_at=timezone.now() - timedelta(hours=2))
    settings.EVENTOPS_SEND_EPOCH = "after the restore"

    send(mailbox)
    switches.fence()
    held = {stored(row).cause for row in (later, earlier)}
    switches.accept_epoch(last_sent_at=timezone.now())

    assert held == {"restored"}
    assert (stored(later).state, stored(earlier).state) == ("queued", "held")
    assert switches.fence() == 0


def test_a_report_proves_what_left_after_the_backup(message, stored, settings, organization):
    switches.stop_everything(reason="x")
    switches.start_everything()
    settings.EVENTOPS_SEND_EPOCH = "after the restore"
    switches.fence()
    held = stored(message)

    with org_scope(organization.pk):
        proved = reconciling.accept_on_evidence(held, attempt=1, at=timezone.now())

    assert (proved, stored(message).state) == (True, "accepted")


def test_a_new_database_belongs_to_whoever_runs_it_first(db, settings):
    settings.EVENTOPS_SEND_EPOCH = "prod-1"

    switches.fence()

    assert (switches.is_fenced(), Installation.objects.get().epoch) == (False, "prod-1")


# --- Pace under pressure ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_keep_the_caps_of_every_mailbox(organization, sandbox):
    account = AccountFactory.create(organization=organization)
    mailboxes = [
        MailboxFactory.create(organization=organization, daily_cap=7, hourly_cap=5 if number % 2 else None)
        for number in range(4)
    ]
    for mailbox in mailboxes:
        for _ in range(12):
            MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)

    def work():
        try:
            for mailbox in mailboxes:
                delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with org_scope(organization.pk):
        sent = [Message.objects.filter(mailbox=mailbox, state="accepted").count() for mailbox in mailboxes]
        assert sent == [7, 5, 7, 5]
        assert Message.objects.filter(state="sending").count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_mailboxes_at_once_write_to_one_person_once(organization, sandbox):
    account = AccountFactory.create(organization=organization)
    people = [PersonFactory.create(account=account) for _ in range(10)]
    mailboxes = [MailboxFactory.create(organization=organization, **ALWAYS) for _ in range(4)]
    for mailbox in mailboxes:
        campaign = CampaignFactory.create(mailbox=mailbox, status="sending")
        for person in people:
            MessageFactory.create(person=person, mailbox=mailbox, campaign=campaign)
    together = threading.Barrier(4, timeout=20)

    def work(mailbox):
        try:
            together.wait()
            delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=[mailbox]) for mailbox in mailboxes]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(mail.to for mail in sandbox.world.mails.values()) == sorted(person.email for person in people)
    with system_scope():
        assert Message.objects.filter(state="queued", cause="contacted").count() == 30
        assert Person.objects.count() == 10
