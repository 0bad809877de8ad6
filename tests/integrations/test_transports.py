"""One contract for everything that carries mail, and what is special about each."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from uuid import uuid4

import pytest

from integrations.sendgrid.transport import SendGridTransport
from integrations.smtp.transport import SmtpTransport
from outreach.ports import (
    Accepted,
    NeedsAttention,
    NotSent,
    OutgoingMail,
    Rejected,
    Throttled,
    TransportSettings,
    UnknownOutcome,
    open_transport,
)
from sandbox.smtp import MailServer
from sandbox.world import Fault


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()


def mail(**changes) -> OutgoingMail:
    usual = {
        "intent_id": uuid4(), "attempt": 1, "from_name": "Nora Nørd, Sales", "from_address": "nora@nordlicht.example",
        "to_address": "ada@acme.example", "reply_to": "eo.x@replies.nordlicht.example", "subject": "Grüße aus Köln 東京",
        "text": "Hello\n\n.\nfrom us", "html": "<p>Hello</p>", "headers": {"Message-ID": "<eo.a.b@nordlicht.example>"},
    }  # fmt: skip
    return OutgoingMail(**usual | changes)


@pytest.fixture(params=["sendgrid", "smtp"])
def transport(request, sandbox, smtp):
    account = TransportSettings(
        mailbox_id=uuid4(), credentials={"api_key": "SG.test-key-of-the-sandbox"}, host="127.0.0.1", port=smtp.port
    )
    opened = open_transport(request.param, account)
    yield opened
    opened.close()


def test_a_good_mail_is_accepted(transport):
    assert isinstance(transport.send(mail()), Accepted)


def test_many_mails_go_over_one_transport(transport, sandbox, smtp):
    for _ in range(5):
        transport.send(mail())

    assert len(sandbox.world.mails) + len(smtp.taken) == 5


def test_a_good_account_passes_the_check(transport):
    transport.check()


def test_an_address_that_is_none_is_rejected_or_taken(transport, smtp):
    smtp.script["RCPT"] = "550 no such user"

    with pytest.raises(Rejected):
        transport.send(mail(to_address="not-an-address"))


def test_a_server_that_is_away_is_not_sent(transport, sandbox, smtp):
    sandbox.stop()
    smtp.stop()

    with pytest.raises(NotSent):
        transport.send(mail())


def test_nothing_secret_shows_in_a_repr(transport):
    settings = TransportSettings(mailbox_id=uuid4(), credentials={"api_key": "SG.canary"})

    assert "canary" not in repr(settings)


@pytest.fixture
def over_sendgrid(sandbox):
    account = TransportSettings(mailbox_id=uuid4(), credentials={"api_key": "SG.test-key-of-the-sandbox"})
    opened = SendGridTransport(account)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("429", Throttled),
        ("500", UnknownOutcome),
        ("503", UnknownOutcome),
        ("hangup", UnknownOutcome),
        ("lost", UnknownOutcome),
    ],
)
def test_every_answer_of_sendgrid_has_its_class(over_sendgrid, sandbox, fault, expected):
    sandbox.world.faults.append(Fault(fault, 1, 7))

    with pytest.raises(expected) as caught:
        over_sendgrid.send(mail())

    assert type(caught.value) is expected
    assert sandbox.world.requests == 1


def test_a_request_is_never_repeated_by_the_adapter(over_sendgrid, sandbox):
    over_sendgrid.send(mail())
    sandbox.world.faults.append(Fault("lost", 1))

    with pytest.raises(UnknownOutcome):
        over_sendgrid.send(mail())

    assert sandbox.world.requests == 2


def test_after_a_lost_answer_the_next_mail_goes_over_a_new_connection(over_sendgrid, sandbox):
    sandbox.world.faults.append(Fault("lost", 1))
    with pytest.raises(UnknownOutcome):
        over_sendgrid.send(mail())

    assert over_sendgrid.send(mail()).http_status == 202


def test_a_wrong_key_needs_a_person(sandbox):
    opened = SendGridTransport(TransportSettings(mailbox_id=uuid4(), credentials={"api_key": "nonsense"}))

    with pytest.raises(NeedsAttention):
        opened.send(mail())
    opened.close()


def test_the_event_channel_is_registered_once_and_signed(over_sendgrid, sandbox):
    addresses = {
        "events_url": "http://testserver/events", "inbound_url": "http://testserver/inbound", "inbound_domain": "r.example",
    }  # fmt: skip

    keys = {over_sendgrid.open_event_channel(**addresses).verification_key for _ in range(3)}

    account = sandbox.world.account("SG.test-key-of-the-sandbox")
    assert keys == {sandbox.world.public_key}
    assert [hook.url for hook in account.hooks.values()] == ["http://testserver/events"]
    assert account.parse["r.example"]["send_raw"] is True


@pytest.fixture
def over_smtp(smtp):
    opened = SmtpTransport(TransportSettings(mailbox_id=uuid4(), credentials={}, host="127.0.0.1", port=smtp.port))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("step", "answer", "expected"),
    [
        ("MAIL", "451 later", Throttled), ("RCPT", "452 full", Throttled), ("RCPT", "550 nobody", Rejected),
        ("MAIL", "530 log in", NeedsAttention), ("DATA", "554 no", Rejected), ("END", "554 spam", Rejected),
        ("END", "451 later", Throttled), ("MAIL", "hang up", NotSent), ("RCPT", "hang up", NotSent),
        ("END", "hang up", UnknownOutcome), ("connect", "hang up", NotSent), ("connect", "554 go away", NotSent),
    ],
)  # fmt: skip
def test_every_answer_of_a_mail_server_has_its_class(over_smtp, smtp, step, answer, expected):
    smtp.script[step] = answer

    with pytest.raises(expected) as caught:
        over_smtp.send(mail())

    assert type(caught.value) is expected


def test_the_mail_arrives_whole(over_smtp, smtp):
    over_smtp.send(mail())

    [raw] = smtp.taken
    parsed = message_from_bytes(raw.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert parsed["Subject"] == "Grüße aus Köln 東京"
    assert parsed["From"].addresses[0].display_name == "Nora Nørd, Sales"
    assert (parsed["Message-ID"], parsed["Date"] is not None) == ("<eo.a.b@nordlicht.example>", True)
    assert parsed.get_body(("plain",)).get_content().replace("\r\n", "\n") == "Hello\n\n.\nfrom us\n"
    assert "<p>Hello</p>" in parsed.get_body(("html",)).get_content()


@pytest.mark.parametrize("field", ["subject", "from_name", "to_address", "reply_to"])
def test_a_header_that_spans_lines_never_leaves(over_smtp, smtp, field):
    with pytest.raises(Rejected):
        over_smtp.send(mail(**{field: "a@b.example\r\nBcc: all@x.example"}))

    assert smtp.taken == []
