"""Replies: tied to their message by what we signed, sorted, and shown without harm."""

from email.message import EmailMessage

import pytest
from django.test import Client

from activities.models import Activity
from identity.scope import org_scope
from outreach import inbound, reading, signals, tokens
from outreach.models import InboundMail, Mailbox, Message, Suppression
from sandbox.answers import KINDS
from tests.factories import AccountFactory, MessageFactory, PersonFactory


@pytest.fixture
def sent(message, mailbox, send, stored, organization):
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(reply_domain="replies.nordlicht.example")
    send(mailbox)
    return stored(message)


def answer(sent, *, text="Tuesday suits us.", sender=None, references=None, html="", **headers):
    mail = EmailMessage()
    mail["From"] = sender or sent.to_address
    mail["To"] = "somebody@nordlicht.example"
    mail["Subject"] = headers.pop("subject", f"Re: {sent.subject}")
    if references is None:
        references = sent.mail_message_id
    if references:
        mail["In-Reply-To"] = references
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


def arrive(mailbox, raw):
    form = {"email": raw.decode("utf-8", "surrogateescape"), "envelope": '{"to": [], "from": "x"}'}
    response = Client().post(f"/api/webhooks/sendgrid/inbound/{tokens.mailbox_token(mailbox.pk)}", form)
    for organization_id, mail_id in inbound.unsorted():
        inbound.sort(organization_id, mail_id)
    return response.status_code


def mails(organization):
    with org_scope(organization.pk):
        return list(InboundMail.objects.for_org(organization).order_by("created_at"))


def test_a_reply_is_recorded_and_the_message_has_responded(sent, mailbox, stored, organization):
    heard = []
    signals.reply_received.connect(receiver := lambda message, mail, **_: heard.append((message.pk, mail.kind)))

    status = arrive(mailbox, answer(sent))

    signals.reply_received.disconnect(receiver)
    [mail] = mails(organization)
    assert (status, mail.kind, mail.message_id, mail.person_id) == (200, "reply", sent.pk, sent.person_id)
    assert stored(sent).status == "RESPONDED"
    assert heard == [(sent.pk, "reply")]
    with org_scope(organization.pk):
        [entry] = Activity.objects.filter(kind="email_replied")
    assert entry.data["personName"].startswith("Ada Lovelace")


def test_the_same_mail_twice_is_one_reply(sent, mailbox, organization):
    arrive(mailbox, answer(sent))
    arrive(mailbox, answer(sent))

    assert len(mails(organization)) == 1


def test_the_signed_reply_address_is_enough(sent, mailbox, organization):
    mail = answer(sent, references="", X_To=f"{tokens.signed_local_part(sent.pk)}@x").replace(b"X-To:", b"Cc:")

    arrive(mailbox, mail)

    assert [found.kind for found in mails(organization)] == ["reply"]


@pytest.mark.parametrize(
    "references",
    [
        "",
        "<someone-else@nordlicht.example>",
        "<eo.aaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaa@nordlicht.example>",
    ],
)
def test_an_address_alone_is_no_proof(sent, mailbox, stored, organization, references):
    arrive(mailbox, answer(sent, references=references))

    [mail] = mails(organization)
    assert (mail.kind, mail.message_id, stored(sent).status) == ("unmatched", None, "SENT")


def test_a_forged_identifier_is_no_proof(sent, mailbox, stored):
    good = sent.mail_message_id
    for position in range(4, good.index("@")):
        if good[position] == ".":
            continue
        changed = good[:position] + ("a" if good[position] != "a" else "b") + good[position + 1 :]
        assert tokens.messages_named_in(changed) == []
    assert tokens.messages_named_in(f"<x{good[1:]}") == []
    assert tokens.messages_named_in(good) == [sent.pk]


def test_another_organizations_message_is_not_ours(sent, mailbox, organization):
    theirs = MessageFactory.create(person=PersonFactory.create(account=AccountFactory.create()))
    arrive(mailbox, answer(sent, references=f"<{tokens.signed_local_part(theirs.pk)}@x.example>"))

    assert [mail.kind for mail in mails(organization)] == ["unmatched"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"subject": "Automatic reply: Meet us"},
        {"subject": "Abwesenheitsnotiz: Meet us"},
        {"subject": "Out of Office"},
    ],
)
def test_an_automatic_reply_is_no_reply(sent, mailbox, stored, organization, headers):
    arrive(mailbox, answer(sent, **headers))

    assert ([mail.kind for mail in mails(organization)], stored(sent).status) == (["auto_reply"], "SENT")


def test_an_explicit_no_to_automatic_is_a_reply(sent, mailbox, organization):
    arrive(mailbox, answer(sent, Auto_Submitted="no"))

    assert [mail.kind for mail in mails(organization)] == ["reply"]


def test_our_own_mail_is_no_reply(sent, mailbox, stored, organization):
    arrive(mailbox, answer(sent, sender=mailbox.from_address.upper()))

    assert ([mail.kind for mail in mails(organization)], stored(sent).status) == (["own"], "SENT")


DSN = """From: MAILER-DAEMON@mx.acme.example
To: bounces@nordlicht.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b
MIME-Version: 1.0

--b
Content-Type: text/plain

The mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; ada@acme.example
Action: failed
Status: {status}
--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
--b--
"""


@pytest.mark.parametrize(("code", "ends"), [("5.1.1", "BOUNCED"), ("4.4.1", "SENT")])
def test_a_delivery_report_is_a_bounce_and_no_reply(sent, mailbox, stored, organization, code, ends):
    raw = DSN.format(status=code, message_id=sent.mail_message_id).encode()
    raw = raw.replace(b"To: bounces", f"In-Reply-To: {sent.mail_message_id}\nTo: bounces".encode())

    arrive(mailbox, raw)

    assert ([mail.kind for mail in mails(organization)], stored(sent).status) == (["bounce"], ends)


@pytest.mark.parametrize(
    "text",
    ["unsubscribe", "Please remove me from your list.", "STOP", "Abmelden", "Stop!\n\n> may we show you our robots?"],
)
def test_asking_to_stop_is_honoured(sent, mailbox, stored, organization, text):
    arrive(mailbox, answer(sent, text=text))

    assert [mail.kind for mail in mails(organization)] == ["opt_out"]
    with org_scope(organization.pk):
        assert Suppression.objects.get().reason == "asked"


def test_a_mail_that_mentions_stopping_is_still_a_reply(sent, mailbox, organization):
    arrive(mailbox, answer(sent, text="Please stop by at our booth on Tuesday and remove the sample."))

    assert [mail.kind for mail in mails(organization)] == ["reply"]


def test_hostile_html_is_shown_without_its_teeth():
    shown = reading.clean_html(
        '<script>alert(1)</script><img src="https://track.example/x"><a href="javascript:x()" onclick="y()">a</a>'
        '<form action="/x"><input></form><style>@import url(x)</style><base href="//evil"><svg onload=x><iframe src=x>'
        '<p style="background:url(https://x)">kept</p><meta http-equiv=refresh content="0;url=//x">'
    )

    assert shown == '<a target="_blank" rel="noopener noreferrer nofollow">a</a><p>kept</p>'


def test_quoted_text_is_not_the_persons_own():
    text = "Yes.\n\nOn Mon, 1 Dec 2026 Nora wrote:\n> Hello"

    assert reading.own_words(text) == "Yes."


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00" * 100, b"\xff\xfe\xfa", b"From: \xff\n\n", b"Content-Type: multipart/mixed; boundary=\n\n--\n",
        b"Content-Type: text/plain; charset=nonsense\n\nhi", b"Content-Type: text/html; charset==?\n\n<b>x",
        b"Content-Transfer-Encoding: base64\n\n!!!!", b"Subject: =?utf-8?b?////?=\n\n", b"From: <>\nTo: ,,,\n\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\nx\n" * 1_000,
        b"Content-Type: text/plain; name*0*=utf-8''%00; name*1=x; charset*=utf-8'x'%ff\n\nx", b"A: " + b"x" * 100_000 + b"\n\n",
    ],
)  # fmt: skip
def test_a_mail_of_any_quality_is_kept_and_read(mailbox, organization, raw):
    reading.read(raw)
    with org_scope(organization.pk):
        mail = inbound.keep(mailbox, raw)
    inbound.sort(organization.pk, mail.pk)

    assert [found.kind for found in mails(organization)] in (["unmatched"], ["bounce"])


def test_a_wrong_address_is_refused(mailbox):
    assert Client().post("/api/webhooks/sendgrid/inbound/nope", {"email": "x"}).status_code == 404


def test_a_form_without_the_raw_mail_says_what_to_switch_on(mailbox):
    response = Client().post(f"/api/webhooks/sendgrid/inbound/{tokens.mailbox_token(mailbox.pk)}", {"text": "x"})

    assert response.status_code == 400
    assert b"raw, full MIME" in response.content


def test_the_sandbox_answers_through_the_real_door(sent, mailbox, organization, sandbox):
    with org_scope(organization.pk):
        fresh = Message.objects.get(pk=sent.pk)
    sandbox.world.account("SG.test-key-of-the-sandbox").parse["nordlicht.example"] = {
        "url": f"http://testserver/api/webhooks/sendgrid/inbound/{tokens.mailbox_token(mailbox.pk)}"
    }
    sandbox.courier.deliver = through_the_client
    [mail] = sandbox.world.mails.values()
    mail.reply_to = mailbox.from_address

    status = sandbox.recipients.reply(mail, "Grüße aus Köln — 東京")

    for organization_id, mail_id in inbound.unsorted():
        inbound.sort(organization_id, mail_id)
    [found] = mails(organization)
    assert (status, found.kind, found.message_id) == (200, "reply", fresh.pk)
    assert reading.own_words(found.text) == "Grüße aus Köln — 東京"


@pytest.mark.parametrize("kind", KINDS)
def test_a_typical_mail_of_every_class_is_told_apart(sent, mailbox, organization, sandbox, kind):
    sandbox.world.account("SG.test-key-of-the-sandbox").parse["nordlicht.example"] = {
        "url": f"http://testserver/api/webhooks/sendgrid/inbound/{tokens.mailbox_token(mailbox.pk)}"
    }
    sandbox.courier.deliver = through_the_client
    [mail] = sandbox.world.mails.values()
    mail.reply_to = mailbox.from_address

    status = sandbox.recipients.answer_as(mail, kind)

    for organization_id, mail_id in inbound.unsorted():
        inbound.sort(organization_id, mail_id)
    [found] = mails(organization)
    assert (status, found.label, found.message_id) == (200, kind, sent.pk)


def through_the_client(url, headers, body):
    path = url.removeprefix("http://testserver")
    response = Client().post(path, data=body, content_type=headers["Content-Type"])
    return response.status_code
