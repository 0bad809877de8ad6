"""Claim, send, record: a message leaves once, or its row says why not."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from activities.models import Activity
from eventops.demo.clock import let_pass
from identity.scope import org_scope, system_scope
from outreach import delivery, reconciling
from outreach.models import Mailbox, MailboxDay, Message, ProviderEvent, SendAttempt, SendingDomain, Suppression
from outreach.ports import Accepted
from outreach.suppressing import suppress_addresses
from sandbox.world import Fault
from tests.factories import AccountFactory, MailboxFactory, MessageFactory, PersonFactory


def claim_next(desk):
    return next(iter(delivery.claim_batch(desk, size=1)), None)


def outcomes(message):
    with org_scope(message.organization_id):
        return list(SendAttempt.objects.filter(message=message).order_by("number").values_list("outcome", flat=True))


def test_a_due_message_reaches_the_provider_and_counts_as_sent(mailbox, message, send, stored, sandbox):
    send(mailbox)

    [mail] = sandbox.world.mails.values()
    after = stored(message)
    assert (mail.to, mail.subject) == (message.to_address, "Meet us at the show")
    assert (after.state, after.status, after.provider_message_id) == ("accepted", "SENT", mail.id)
    assert after.sent_at is not None
    assert outcomes(message) == ["accepted"]


def test_sending_twice_sends_once(mailbox, message, send, sandbox):
    send(mailbox)
    send(mailbox)

    assert len(sandbox.world.mails) == 1


def test_the_timeline_says_so_once(mailbox, message, send, organization):
    send(mailbox)

    with org_scope(organization.pk):
        [entry] = Activity.objects.filter(kind="OUTREACH_SENT")
    assert (entry.person_id, entry.summary) == (message.person_id, "Mail sent: Meet us at the show")


def test_the_provider_learns_an_opaque_id_and_nothing_else(mailbox, message, send, sandbox):
    send(mailbox)

    [mail] = sandbox.world.mails.values()
    assert mail.custom_args == {"eo_id": str(message.pk), "eo_n": "1"}
    assert mail.categories == ["eventops"]


def test_the_mail_carries_both_parts_the_postal_address_and_one_click(mailbox, message, send, stored, sandbox):
    send(mailbox)

    [mail] = sandbox.world.mails.values()
    assert "may we show you our robots?" in mail.text
    assert "<p" in mail.html
    for part in (mail.text, mail.html):
        assert "1 Harbour Street, 20095 Hamburg, Germany" in part
        assert "http://testserver/u/" in part
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.headers["List-Unsubscribe"].startswith("<http://testserver/u/")
    assert "<mailto:" in mail.headers["List-Unsubscribe"]
    assert mail.headers["Message-ID"] == stored(message).mail_message_id


def test_a_suppressed_address_is_left_out(mailbox, message, send, stored, sandbox, organization):
    with org_scope(organization.pk):
        suppress_addresses(organization, addresses=[message.to_address.upper()], reason="manual", source="test")
        Message.objects.filter(pk=message.pk).update(state="queued")

    send(mailbox)

    assert len(sandbox.world.mails) == 0
    assert (stored(message).state, stored(message).reason) == ("skipped", "The address is on the suppression list.")


def test_a_suppression_between_claim_and_request_is_seen(mailbox, message, stored, sandbox, organization):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claim = claim_next(desk)
        with org_scope(organization.pk):
            suppress_addresses(organization, addresses=[message.to_address], reason="unsubscribed", source="test")
        delivery.deliver(desk, claim)

    assert len(sandbox.world.mails) == 0
    assert stored(message).state == "skipped"
    assert outcomes(message) == []


def test_a_person_who_answered_since_is_left_out(mailbox, message, send, stored, sandbox, organization):
    other = MessageFactory.create(
        person=message.person, mailbox=mailbox, event=message.event, state="accepted", sent_at=timezone.now()
    )
    with org_scope(organization.pk):
        Message.objects.filter(pk=other.pk).update(replied_at=timezone.now() + timedelta(seconds=1))

    send(mailbox)

    assert stored(message).reason == "The person has answered since this was written."
    assert len(sandbox.world.mails) == 0


def test_a_mail_past_its_time_waits_for_a_person(mailbox, message, send, stored, organization):
    with org_scope(organization.pk):
        Message.objects.filter(pk=message.pk).update(not_after=timezone.now() - timedelta(minutes=1))

    send(mailbox)

    assert stored(message).state == "held"


def test_nothing_leaves_a_paused_mailbox(mailbox, message, send, stored, sandbox, organization):
    with org_scope(organization.pk):
        mailbox.pause(reason="Holidays", now=timezone.now())

    send(mailbox)

    assert (stored(message).state, len(sandbox.world.mails)) == ("queued", 0)


def test_pausing_between_claim_and_request_puts_the_mail_back(mailbox, message, stored, sandbox, organization):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claim = claim_next(desk)
        with org_scope(organization.pk):
            Mailbox.objects.get(pk=mailbox.pk).pause(reason="Stop", now=timezone.now())
        delivery.deliver(desk, claim)

    assert (stored(message).state, len(sandbox.world.mails)) == ("queued", 0)


def test_the_daily_cap_holds(mailbox, message, send, sandbox, organization):
    for _ in range(4):
        MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(daily_cap=3)

    send(mailbox)
    send(mailbox)

    assert len(sandbox.world.mails) == 3
    with org_scope(organization.pk):
        assert Message.objects.filter(state="queued").count() == 2


def test_a_refused_mail_is_rejected_with_the_reason(mailbox, message, send, stored, organization, sandbox):
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(from_address="nora@nordlicht")
        SendingDomain.objects.filter(domain=mailbox.domain).update(domain="nordlicht")

    send(mailbox)

    assert stored(message).state == "rejected"
    assert stored(message).reason.startswith(
        "SendGrid refuses this mail: The from email does not contain a valid address."
    )
    assert outcomes(message) == ["rejected"]


def test_too_fast_means_back_to_the_queue_and_a_pause_of_the_mailbox(mailbox, message, send, stored, sandbox):
    sandbox.world.faults.append(Fault("429", 1, 30))

    send(mailbox)
    send(mailbox)

    mailbox = _fresh(mailbox)
    assert (stored(message).state, len(sandbox.world.mails), sandbox.world.requests) == ("queued", 0, 1)
    assert timedelta(0) < mailbox.throttled_until - timezone.now() <= timedelta(seconds=31)
    assert outcomes(message) == ["not_sent"]


def test_after_the_pause_it_is_sent(mailbox, message, send, stored, sandbox, organization):
    sandbox.world.faults.append(Fault("429", 1, 30))
    send(mailbox)

    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(throttled_until=timezone.now())
    send(mailbox)

    assert (stored(message).state, outcomes(message)) == ("accepted", ["not_sent", "accepted"])


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_refusals_costs_few_requests_and_no_mail(organization, sandbox):
    account = AccountFactory.create(organization=organization)
    mailboxes = [MailboxFactory.create(organization=organization, daily_cap=10) for _ in range(3)]
    for mailbox in mailboxes:
        for _ in range(10):
            MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)
    sandbox.world.faults.append(Fault("429", 12, wait=5))

    def work():
        try:
            delivery.deliver_due(seconds=20)
        finally:
            connection.close()

    for _ in range(12):
        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        let_pass(organization.pk, timedelta(seconds=6))

    with org_scope(organization.pk):
        assert Message.objects.filter(state="accepted").count() == 30
        assert sorted(MailboxDay.objects.values_list("used", flat=True)) == [10, 10, 10]
    recipients = [mail.to for mail in sandbox.world.mails.values()]
    assert len(recipients) == len(set(recipients)) == 30
    assert sandbox.world.requests == 30 + 12


def test_a_revoked_key_stops_the_mailbox_after_one_request(mailbox, message, send, stored, sandbox):
    MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)
    sandbox.world.account("SG.test-key-of-the-sandbox").revoked = True

    send(mailbox)
    send(mailbox)

    assert _fresh(mailbox).paused_at is not None
    assert stored(message).state == "queued"


@pytest.mark.parametrize("fault", ["500", "503", "hangup", "lost"])
def test_what_may_have_left_is_unknown_and_never_sent_again(mailbox, message, send, stored, sandbox, fault):
    sandbox.world.faults.append(Fault(fault, 1))

    send(mailbox)
    send(mailbox)
    reconciling.reconcile()
    send(mailbox)

    assert stored(message).state == "unknown"
    assert outcomes(message) == ["unknown"]
    assert sandbox.world.requests == 1


def test_nonsense_with_a_2xx_is_an_acceptance(mailbox, message, send, stored, sandbox):
    sandbox.world.faults.append(Fault("garbage", 1))

    send(mailbox)

    assert stored(message).state == "accepted"


def test_a_provider_that_cannot_be_reached_costs_only_time(mailbox, message, send, stored, sandbox):
    sandbox.stop()

    send(mailbox)

    assert (stored(message).state, outcomes(message)) == ("queued", ["not_sent"])
    assert _fresh(mailbox).throttled_until is not None


def expire(message):
    with org_scope(message.organization_id):
        Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    reconciling.reconcile()


def test_a_worker_killed_before_the_request_leaves_a_mail_that_is_sent_later(
    mailbox, message, send, stored, organization, sandbox
):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claim_next(desk)
    expire(message)

    send(mailbox)

    assert (stored(message).state, outcomes(message), len(sandbox.world.mails)) == ("accepted", ["accepted"], 1)


def test_a_worker_killed_between_request_and_record_leaves_an_unknown_outcome(
    mailbox, message, send, stored, organization, sandbox
):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        delivery.prepare(desk, claim_next(desk))
    expire(message)

    send(mailbox)

    assert (stored(message).state, outcomes(message)) == ("unknown", ["unknown"])
    assert len(sandbox.world.mails) == 0


def test_a_late_worker_cannot_overwrite_what_was_decided(mailbox, message, stored, organization):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        late = claim_next(desk)
        delivery.prepare(desk, late)
        with org_scope(organization.pk):
            Message.objects.filter(pk=message.pk).update(state="queued", token=None, lease_until=None)
            SendAttempt.objects.filter(message=message).update(outcome="not_sent")
        current = claim_next(desk)
        delivery.prepare(desk, current)
        delivery.record_accepted(desk, late, Accepted("late"))

        assert (stored(message).state, stored(message).token) == ("sending", current.token)
        delivery.record_accepted(desk, current, Accepted("current"))

    assert (stored(message).state, stored(message).provider_message_id) == ("accepted", "current")
    assert outcomes(message) == ["not_sent", "accepted"]


def test_an_answer_after_the_lease_is_evidence(mailbox, message, stored, organization):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claim = claim_next(desk)
        delivery.prepare(desk, claim)
        expire(message)
        assert stored(message).state == "unknown"
        delivery.record_accepted(desk, claim, Accepted("abc"))

    assert (stored(message).state, outcomes(message)) == ("accepted", ["accepted"])


def test_a_worker_that_stops_early_gives_back_what_it_has_not_begun(mailbox, message, organization, sandbox):
    for _ in range(4):
        MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)
    calls = iter([False, True, True])

    delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: next(calls))

    with org_scope(organization.pk):
        assert Message.objects.filter(state="queued", token=None).count() == 4
        assert Message.objects.filter(state="accepted").count() == 1
        assert MailboxDay.objects.get().used == 1


def test_what_was_accepted_and_not_announced_is_announced_by_the_sweep(mailbox, message, organization):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        delivery.deliver(desk, claim_next(desk))

    reconciling.reconcile()
    reconciling.reconcile()

    with org_scope(organization.pk):
        assert Activity.objects.filter(kind="OUTREACH_SENT").count() == 1


def test_a_slow_worker_does_not_begin_a_request(mailbox, message, stored, organization, sandbox):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claim = claim_next(desk)
        with org_scope(organization.pk):
            Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() + timedelta(seconds=20))
        delivery.deliver(desk, claim)

    assert (stored(message).state, len(sandbox.world.mails)) == ("queued", 0)


def test_a_further_try_is_the_same_mail(mailbox, message, send, stored, sandbox, organization):
    sandbox.world.faults.append(Fault("429", 1, 1))
    send(mailbox)
    first = stored(message)
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(throttled_until=None, signature="Changed meanwhile")
        Message.objects.filter(pk=message.pk).update(body="Changed meanwhile")

    send(mailbox)

    [mail] = sandbox.world.mails.values()
    assert (mail.text, mail.html) == (first.text, first.html)
    assert mail.headers["Message-ID"] == first.mail_message_id


def test_a_mail_with_an_unfilled_field_never_leaves(mailbox, message, send, stored, sandbox, organization):
    with org_scope(organization.pk):
        Message.objects.filter(pk=message.pk).update(body="Hello {{ nobody }}")

    send(mailbox)

    assert (stored(message).state, len(sandbox.world.mails)) == ("held", 0)
    assert stored(message).reason == "There is no field “nobody”."


def test_without_a_postal_address_nothing_leaves(mailbox, message, send, stored, sandbox, organization):
    with system_scope():
        organization.postal_address = ""
        organization.save()

    send(mailbox)

    assert (stored(message).state, len(sandbox.world.mails)) == ("held", 0)


def test_every_due_mailbox_is_found_over_all_organizations(mailbox, message):
    other = MessageFactory.create(person=PersonFactory.create(account=AccountFactory.create()))
    idle = MessageFactory.create(
        person=PersonFactory.create(account=AccountFactory.create()), due_at=timezone.now() + timedelta(hours=1)
    )

    found = delivery.due_mailboxes(timezone.now())

    assert set(found) == {(message.organization_id, mailbox.pk), (other.organization_id, other.mailbox_id)}
    assert (idle.organization_id, idle.mailbox_id) not in found


@pytest.mark.django_db(transaction=True)
def test_six_workers_at_once_send_each_message_once_and_keep_the_cap(organization, mailbox, sandbox):
    account = AccountFactory.create(organization=organization)
    for _ in range(30):
        MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(daily_cap=25)

    def work():
        try:
            delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    ids = [mail.custom_args["eo_id"] for mail in sandbox.world.mails.values()]
    assert len(ids) == len(set(ids)) == 25
    with org_scope(organization.pk):
        assert Message.objects.filter(state="accepted").count() == 25
        assert Message.objects.filter(state="queued").count() == 5


def test_another_organizations_suppression_does_not_count(mailbox, message, send, stored):
    stranger = AccountFactory.create().organization
    with org_scope(stranger.pk):
        suppress_addresses(stranger, addresses=[message.to_address], reason="manual", source="test")
        assert Suppression.objects.for_org(stranger).count() == 1

    send(mailbox)

    assert stored(message).state == "accepted"


def _fresh(mailbox):
    with org_scope(mailbox.organization_id):
        return Mailbox.objects.get(pk=mailbox.pk)


@pytest.mark.parametrize(("allowed", "state", "sent"), [(False, "held", 1), (True, "accepted", 2)])
def test_after_proven_silence_only_what_its_author_allowed_is_sent_again(
    mailbox, message, send, stored, sandbox, organization, allowed, state, sent
):
    sandbox.world.faults.append(Fault("500", 1))
    send(mailbox)
    later = MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)
    send(mailbox)
    with org_scope(organization.pk):
        Message.objects.filter(pk=message.pk).update(
            unknown_since=timezone.now() - timedelta(hours=27), resend_on_silence=allowed
        )
        ProviderEvent.objects.create(
            organization=organization, provider="sendgrid", event_id="e1", message=later, kind="processed",
            occurred_at=timezone.now(),
        )  # fmt: skip

    reconciling.reconcile()
    send(mailbox)

    assert (stored(message).state, len(sandbox.world.mails)) == (state, sent)


def test_the_last_mail_of_the_providers_window_lets_the_mailbox_rest(mailbox, message, send, stored, sandbox):
    later = MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)
    sandbox.world.faults.append(Fault("last", 1, 30))

    send(mailbox)

    assert (stored(message).state, stored(later).state, sandbox.world.requests) == ("accepted", "queued", 1)
    assert timedelta(0) < _fresh(mailbox).throttled_until - timezone.now() <= timedelta(seconds=31)
