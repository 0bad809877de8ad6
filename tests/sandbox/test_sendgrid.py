"""The played SendGrid, asked by the real SDK: it accepts and refuses what the real one does."""

import base64
import json
import time
from http.client import RemoteDisconnected

import pytest
import sendgrid
from python_http_client.exceptions import BadRequestsError, TooManyRequestsError, UnauthorizedError
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import Content, CustomArg, From, Mail, To

from sandbox.server import RunningSandbox
from sandbox.web import Request
from sandbox.world import Fault

KEY = "SG.test-key-of-the-sandbox"


@pytest.fixture
def api(sandbox):
    return sendgrid.SendGridAPIClient(api_key=KEY, host=sandbox.url)


def mail(**changes):
    body = {
        "personalizations": [{"to": [{"email": "ada@acme.example"}], "custom_args": {"eo_id": "1"}}],
        "from": {"email": "nora@nordlicht.example", "name": "Nora"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "Hi"}, {"type": "text/html", "value": "<p>Hi</p>"}],
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def test_the_real_sdk_sends(api, sandbox):
    message = Mail(From("nora@nordlicht.example", "Nora"), To("ada@acme.example"), "Hello", Content("text/plain", "Hi"))
    message.add_custom_arg(CustomArg("eo_id", "1"))

    response = api.send(message)

    [accepted] = sandbox.world.mails.values()
    assert (response.status_code, response.headers["X-Message-Id"]) == (202, accepted.id)
    assert (accepted.to, accepted.custom_args) == ("ada@acme.example", {"eo_id": "1"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": None}, "personalizations"),
        ({"personalizations": [{}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "nobody"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": "a@b.c"}, {"email": "A@b.c"}]}]}, "personalizations.0"),
        ({"personalizations": [{"to": [{"email": "a@b.cd"}], "extra": 1}]}, "personalizations.0.extra"),
        ({"from": None}, "from.email"),
        ({"from": {"email": "x"}}, "from.email"),
        ({"subject": None}, "personalizations.0.subject"),
        ({"subject": ""}, "personalizations.0.subject"),
        ({"content": None}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"headers": {"Subject": "x"}}, "headers.Subject"),
        ({"headers": {"X-A": 1}}, "headers.X-A"),
        ({"headers": {"X-A": "a\nb"}}, "headers.X-A"),
        ({"custom_args": {"a": 1}}, "custom_args"),
        ({"custom_args": {"a": "x" * 10_001}}, "custom_args"),
        ({"categories": ["a", "a"]}, "categories"),
        ({"categories": ["x" * 256]}, "categories"),
        ({"unknown": 1}, "unknown"),
        ({"reply_to": {"email": "x"}}, "reply_to.email"),
    ],
)
def test_what_the_specification_forbids_is_a_400_with_the_field(api, sandbox, changes, field):
    with pytest.raises(BadRequestsError) as refused:
        api.client.mail.send.post(request_body=mail(**changes))

    assert field in [error["field"] for error in refused.value.to_dict["errors"]]
    assert sandbox.world.mails == {}


@pytest.mark.parametrize("key", ["", "nonsense", "SG.", "Bearer x"])
def test_a_wrong_key_is_a_401(sandbox, key):
    with pytest.raises(UnauthorizedError):
        sendgrid.SendGridAPIClient(api_key=key, host=sandbox.url).send(mail())


def test_too_fast_is_a_429_that_says_when(api, sandbox):
    sandbox.world.faults.append(Fault("429", 1, 30))

    with pytest.raises(TooManyRequestsError) as refused:
        api.send(mail())

    assert 0 < int(refused.value.headers["X-RateLimit-Reset"]) - time.time() <= 31


def test_a_lost_answer_has_been_applied(api, sandbox):
    sandbox.world.faults.append(Fault("lost", 1))

    with pytest.raises(RemoteDisconnected):
        api.send(mail())

    assert len(sandbox.world.mails) == 1


def test_the_sdk_verifies_a_signed_delivery(api, sandbox):
    hook = json.loads(api.client.user.webhooks.event.settings.post(
        request_body={"url": "http://testserver/hook", "enabled": True, "processed": True, "delivered": True}
    ).body)  # fmt: skip
    signed = json.loads(
        api.client.user.webhooks.event.settings.signed._(hook["id"]).patch(request_body={"enabled": True}).body
    )
    posted = []
    sandbox.courier.deliver = lambda url, headers, body: posted.append((url, headers, body)) or 200

    api.send(mail())
    sandbox.courier.flush()

    [(url, headers, body)] = posted
    genuine = EventWebhook(signed["public_key"]).verify_signature(
        body.decode(),
        headers["X-Twilio-Email-Event-Webhook-Signature"],
        headers["X-Twilio-Email-Event-Webhook-Timestamp"],
    )
    assert (url, genuine) == ("http://testserver/hook", True)
    assert [event["event"] for event in json.loads(body)] == ["processed", "delivered"]
    assert base64.b64decode(signed["public_key"])


def test_what_was_refused_is_delivered_again(api, sandbox):
    api.client.user.webhooks.event.settings.post(request_body={"url": "http://testserver/hook", "processed": True})
    answers = iter([503, 0, 204])
    sandbox.courier.deliver = lambda url, headers, body: next(answers)

    api.send(mail())

    assert [sandbox.courier.flush() for _ in range(4)] == [0, 0, 1, 0]


def test_a_bounced_address_is_dropped_the_next_time(api, sandbox):
    bounces = [{"to": [{"email": "bounce@acme.example"}]}]

    api.send(mail(personalizations=bounces))
    api.send(mail(personalizations=bounces))

    first, second = sandbox.world.mails.values()
    assert [event["event"] for event in first.events] == ["processed", "bounce"]
    assert [event["event"] for event in second.events] == ["dropped"]


def test_mails_and_settings_survive_a_restart(tmp_path):
    running = RunningSandbox(tmp_path)
    api = sendgrid.SendGridAPIClient(api_key=KEY, host=running.url)
    api.client.user.webhooks.event.settings.post(request_body={"url": "http://testserver/hook"})
    api.send(mail())
    key = running.world.public_key
    running.stop()

    again = RunningSandbox(tmp_path)
    again.stop()

    [kept] = again.world.mails.values()
    assert (kept.to, [event["event"] for event in kept.events]) == ("ada@acme.example", ["processed", "delivered"])
    assert (again.world.public_key, len(again.world.account(KEY).hooks)) == (key, 1)


def ask(sandbox, method, path, body=b"", host="127.0.0.1:1", **headers):
    return sandbox.answer(Request(method, path, {}, {"host": host, **headers}, body))


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"host": "127.0.0.1.evil.example:80"}, {"origin": "https://evil.example"}]
)
def test_no_other_site_can_play(sandbox, headers):
    assert ask(sandbox, "POST", "/forget", **headers).status == 403


def test_a_person_plays_on_the_page(api, sandbox):
    tracking = {"open_tracking": {"enable": True}, "click_tracking": {"enable": True}}
    for number in range(6):
        to = [{"to": [{"email": f"ada{number}@acme.example"}]}]
        html = [{"type": "text/html", "value": '<a href="https://x.example/?a=1&amp;b=2">x</a>'}]
        api.send(mail(personalizations=to, content=html, tracking_settings=tracking))

    played = ask(sandbox, "POST", "/play", b"open=4&click=2&complain=1&bounce=1&reply=1")

    mails = sandbox.world.newest()
    assert played.status == 303
    assert sum(mail.has("spamreport") for mail in mails) == 1
    assert sum(mail.has("click") for mail in mails) == 2
    assert {event["url"] for mail in mails for event in mail.events if event["event"] == "click"} == {
        "https://x.example/?a=1&b=2"
    }
    assert b"ada0@acme.example" in ask(sandbox, "GET", "/").body
    for shown in mails:
        assert ask(sandbox, "GET", f"/mails/{shown.id}").status == 200


def test_nothing_in_a_mail_can_run_on_the_page(api, sandbox):
    api.send(mail(subject="<script>x</script>", content=[{"type": "text/html", "value": "<script>y</script>"}]))
    [sent] = sandbox.world.mails.values()

    page, body = ask(sandbox, "GET", f"/mails/{sent.id}"), ask(sandbox, "GET", f"/mails/{sent.id}/body")

    assert b"<script>" not in page.body
    assert body.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
