"""The event webhook: only SendGrid's own words, each once, in any order."""

import base64
import json
import random
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from identity.scope import org_scope
from outreach import reports, tokens
from outreach.models import Message, ProviderEvent, Suppression
from sandbox.server import RunningSandbox
from tests.factories import AccountFactory, MailboxFactory, MessageFactory, PersonFactory

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"


@pytest.fixture
def mailbox(organization, sandbox):
    return MailboxFactory.create(organization=organization, webhook_key=sandbox.world.public_key)


@pytest.fixture
def message(organization, mailbox):
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    sent = timezone.now() - timedelta(minutes=10)
    return MessageFactory.create(person=person, mailbox=mailbox, state="accepted", sent_at=sent)


def event_of(message, kind, *, seconds=60, **more):
    at = message.sent_at + timedelta(seconds=seconds)
    return {
        "email": message.to_address,
        "event": kind,
        "timestamp": int(at.timestamp()),
        "sg_event_id": f"{kind}-{message.pk}",
        "sg_message_id": "abc.recvd-1",
        "smtp-id": "<x@sendgrid.example>",
        "eo_id": str(message.pk),
        "eo_n": "1",
        **more,
    }


def post(sandbox: RunningSandbox, events, *, mailbox=None, body=None, headers=None, path=None):
    body = json.dumps(events).encode() if body is None else body
    timestamp = str(int(time.time()))
    sent = {TIMESTAMP: timestamp, SIGNATURE: sandbox.world.sign(timestamp, body)} | (headers or {})
    where = path or f"/api/webhooks/sendgrid/{tokens.mailbox_token(mailbox.pk)}"
    return Client().post(where, data=body, content_type="application/json", headers=sent)


def work(message):
    reports.process(message.organization_id)
    with org_scope(message.organization_id):
        return Message.objects.get(pk=message.pk)


def test_delivered_opened_and_clicked_arrive_at_the_message(message, mailbox, sandbox):
    events = [
        event_of(message, "delivered"),
        event_of(message, "open", seconds=90),
        event_of(message, "click", seconds=95),
    ]

    response = post(sandbox, events, mailbox=mailbox)

    after = work(message)
    assert response.status_code == 204
    assert [after.delivered_at, after.opened_at, after.clicked_at] == [
        message.sent_at.replace(microsecond=0) + timedelta(seconds=s) for s in (60, 90, 95)
    ]


def test_what_machines_do_does_not_count(message, mailbox, sandbox):
    events = [
        event_of(message, "open", sg_machine_open=True),
        event_of(message, "click", seconds=1),
        event_of(message, "click", seconds=60, sg_event_id="scanner", useragent="Barracuda Sentinel (EE)"),
    ]

    post(sandbox, events, mailbox=mailbox)

    after = work(message)
    assert (after.opened_at, after.clicked_at) == (None, None)
    assert (after.machine_opened_at is not None, after.machine_clicked_at is not None) == (True, True)


def test_a_hard_bounce_closes_the_address(message, mailbox, sandbox):
    post(
        sandbox,
        [event_of(message, "bounce", type="bounce", reason="550 no such user bob@acme.example")],
        mailbox=mailbox,
    )

    after = work(message)
    assert (after.status, after.bounce_reason) == ("BOUNCED", "550 no such user")
    assert suppressions(message) == ["hard_bounce"]


def test_a_block_is_no_reason_to_close_the_address(message, mailbox, sandbox):
    post(sandbox, [event_of(message, "bounce", type="blocked", reason="full")], mailbox=mailbox)

    assert work(message).status == "BOUNCED"
    assert suppressions(message) == []


@pytest.mark.parametrize(
    ("kind", "column", "reason"),
    [
        ("spamreport", "complained_at", "complaint"),
        ("unsubscribe", "unsubscribed_at", "unsubscribed"),
        ("group_unsubscribe", "unsubscribed_at", "unsubscribed"),
    ],
)
def test_refusals_close_the_address_and_cancel_what_waits(message, mailbox, sandbox, kind, column, reason):
    waiting = MessageFactory.create(person=message.person, mailbox=mailbox)

    post(sandbox, [event_of(message, kind)], mailbox=mailbox)

    assert getattr(work(message), column) is not None
    assert suppressions(message) == [reason]
    with org_scope(message.organization_id):
        assert Message.objects.get(pk=waiting.pk).state == "cancelled"


def test_a_drop_is_mirrored(message, mailbox, sandbox):
    post(sandbox, [event_of(message, "dropped", reason="Spam Reporting Address")], mailbox=mailbox)

    assert work(message).bounce_reason == "Spam Reporting Address"
    assert suppressions(message) == ["complaint"]


def test_any_order_and_any_number_of_copies_end_the_same(message, mailbox, sandbox):
    events = [
        event_of(message, "processed", seconds=1),
        event_of(message, "deferred", seconds=10),
        event_of(message, "delivered", seconds=20),
        event_of(message, "open", seconds=30),
        event_of(message, "open", seconds=25, sg_event_id="earlier"),
        event_of(message, "click", seconds=40),
        event_of(message, "spamreport", seconds=50),
    ]
    columns = ("deferred_at", "delivered_at", "opened_at", "clicked_at", "status")
    post(sandbox, events, mailbox=mailbox)
    ordered = [getattr(work(message), column) for column in columns]

    for seed in range(5):
        with org_scope(message.organization_id):
            ProviderEvent.objects.all().delete()
            Message.objects.filter(pk=message.pk).update(
                deferred_at=None, delivered_at=None, opened_at=None, clicked_at=None, complained_at=None
            )
        shuffled = events * random.Random(seed).randint(1, 8)
        random.Random(seed).shuffle(shuffled)
        for start in range(0, len(shuffled), 5):
            post(sandbox, shuffled[start : start + 5], mailbox=mailbox)
            if seed % 2:
                reports.process(message.organization_id)

        assert [getattr(work(message), column) for column in columns] == ordered
        with org_scope(message.organization_id):
            assert ProviderEvent.objects.count() == len(events)


def test_a_report_proves_that_an_unknown_mail_left(mailbox, organization, sandbox):
    from outreach import delivery
    from sandbox.world import Fault

    message = MessageFactory.create(
        person=PersonFactory.create(account=AccountFactory.create(organization=organization)), mailbox=mailbox
    )
    sandbox.world.faults.append(Fault("lost", 1))
    delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
    [mail] = sandbox.world.mails.values()

    post(sandbox, mail.events, mailbox=mailbox)

    after = work(message)
    assert (after.state, after.status, after.delivered_at is not None) == ("accepted", "SENT", True)


def test_forged_deliveries_are_refused(message, mailbox, sandbox):
    events = [event_of(message, "spamreport")]
    good = json.dumps(events).encode()
    now = str(int(time.time()))
    other = RunningSandbox()
    forgeries = [
        {"headers": {SIGNATURE: ""}},
        {"headers": {TIMESTAMP: ""}},
        {"headers": {SIGNATURE: "AAAA"}},
        {"headers": {SIGNATURE: "not base64 ü"}},
        {"headers": {TIMESTAMP: str(int(now) - 40)}},
        {"headers": {TIMESTAMP: "-1"}},
        {"headers": {TIMESTAMP: now, SIGNATURE: other.world.sign(now, good)}},
        {"body": good + b" ", "headers": {TIMESTAMP: now, SIGNATURE: sandbox.world.sign(now, good)}},
        {"body": b"[]", "headers": {TIMESTAMP: now, SIGNATURE: sandbox.world.sign(now, good)}},
        {"path": "/api/webhooks/sendgrid/aaaaaaaa"},
        {"path": "/api/webhooks/sendgrid"},
    ]
    other.stop()

    statuses = [post(sandbox, events, mailbox=mailbox, **forgery).status_code for forgery in forgeries]

    assert statuses == [401] * len(forgeries)
    with org_scope(message.organization_id):
        assert ProviderEvent.objects.count() == 0


def test_every_flipped_bit_of_a_signature_is_noticed(message, mailbox, sandbox):
    body = json.dumps([event_of(message, "open")]).encode()
    now = str(int(time.time()))
    signature = base64.b64decode(sandbox.world.sign(now, body))
    accepted = 0
    for position in range(0, len(signature) * 8, 5):
        flipped = bytearray(signature)
        flipped[position // 8] ^= 1 << (position % 8)
        headers = {TIMESTAMP: now, SIGNATURE: base64.b64encode(bytes(flipped)).decode()}
        accepted += post(sandbox, None, mailbox=mailbox, body=body, headers=headers).status_code != 401

    assert accepted == 0


def test_a_replay_after_a_day_is_refused_and_before_does_nothing(message, mailbox, sandbox):
    body = json.dumps([event_of(message, "open")]).encode()

    def replay(age):
        at = str(int(time.time() - age))
        return post(
            sandbox, None, mailbox=mailbox, body=body, headers={TIMESTAMP: at, SIGNATURE: sandbox.world.sign(at, body)}
        )

    assert replay(60).status_code == 204
    assert replay(23 * 3600).status_code == 204
    assert replay(25 * 3600).status_code == 401
    assert replay(-3600).status_code == 401
    with org_scope(message.organization_id):
        assert ProviderEvent.objects.count() == 1


def test_an_account_cannot_speak_about_another_organizations_mail(message, sandbox):
    theirs = MailboxFactory.create(webhook_key=sandbox.world.public_key)

    response = post(sandbox, [event_of(message, "spamreport")], mailbox=theirs)

    assert response.status_code == 204
    assert work(message).complained_at is None


def test_the_key_of_the_installation_serves_the_plain_address(message, sandbox, settings):
    settings.SENDGRID_WEBHOOK_KEY = sandbox.world.public_key

    assert post(sandbox, [event_of(message, "open")], path="/api/webhooks/sendgrid").status_code == 204
    assert work(message).opened_at is not None


def test_one_bad_event_does_not_stop_the_others(message, mailbox, sandbox):
    bad = [
        None, 7, "x", [], {}, {"event": "open"}, event_of(message, "open", timestamp="soon"), event_of(message, "nonsense"),
        event_of(message, "open", eo_id="1 OR 1=1"), event_of(message, "open", sg_event_id={"a": 1}),
        event_of(message, "open", sg_event_id="gone", eo_id=str(uuid4())), event_of(message, "open", timestamp=10**18),
        event_of(message, "delivered", sg_event_id="nul\x00byte", reason="\x00", eo_n="x" * 100),
    ]  # fmt: skip

    response = post(sandbox, [*bad, event_of(message, "click", seconds=70)], mailbox=mailbox)

    assert response.status_code == 204
    assert work(message).clicked_at is not None


@pytest.mark.parametrize("body", [b"", b"{}", b"nope", b"\xff\xfe", b"[" * 200_000, b"[" + b"{}," * 6_000 + b"{}]"])
def test_a_signed_body_that_is_no_list_of_events_is_refused(message, mailbox, sandbox, body):
    assert post(sandbox, None, mailbox=mailbox, body=body).status_code == 400


def test_a_body_over_five_megabytes_is_refused(mailbox, sandbox):
    assert post(sandbox, None, mailbox=mailbox, body=b" " * (5 * 2**20 + 1)).status_code == 413


def test_only_post_is_answered(mailbox):
    assert Client().get("/api/webhooks/sendgrid").status_code == 405


def suppressions(message):
    with org_scope(message.organization_id):
        found = Suppression.objects.filter(address_hash=message.address_hash)
        return list(found.values_list("reason", flat=True))
