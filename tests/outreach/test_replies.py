"""The reply inbox: what is listed, what can be done with a mail, and what may not be done by whom."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.models import Task
from identity.scope import org_scope, system_scope
from outreach import inbound
from outreach.models import InboundMail, Mailbox, Message, Suppression
from outreach.ports import ReaderFailed, SecondLook
from tests.factories import InboundMailFactory, TemplateFactory

INBOX = "/outreach/replies/"
HTMX = {"HX-Request": "true", "HX-Boosted": "true"}


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def sent(message, mailbox, send, stored, organization):
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(reply_domain="replies.nordlicht.example")
    send(mailbox)
    return stored(message)


@pytest.fixture
def mail(sent, mailbox):
    return reply(sent, mailbox)


def reply(message, mailbox, **fields):
    fields = {"from_address": message.to_address, "message_id_header": "<theirs@acme.example>", **fields}
    return InboundMailFactory.create(mailbox=mailbox, message=message, person_id=message.person_id, **fields)


def now(mail):
    with system_scope():
        return InboundMail.objects.get(pk=mail.pk)


def words(response):
    return response.content.decode()


def test_the_thread_of_one_person_stands_in_order(browser, mail, sent, mailbox):
    reply(sent, mailbox, text="One more thing.", received_at=timezone.now() + timedelta(minutes=1))

    page = words(browser.get(f"{INBOX}?mail={mail.pk}"))

    thread = page[page.index("inbox-thread") :]
    assert thread.index("may we show you our robots") < thread.index("Tuesday suits us.") < thread.index("One more")


def test_classes_are_counted_and_filter_the_list(browser, sent, mailbox):
    reply(sent, mailbox, label="interested", text="Gladly, on Tuesday.")
    reply(sent, mailbox, label="bounce_hard", kind="bounce", text="User unknown.")

    people, bounces = words(browser.get(INBOX)), words(browser.get(f"{INBOX}?class=bounce"))
    rows = [page[page.index("inbox-list") : page.index("inbox-mail")] for page in (people, bounces)]

    assert ["Gladly" in rows[0], "User unknown" in rows[0]] == [True, False]
    assert ["Gladly" in rows[1], "User unknown" in rows[1]] == [False, True]
    assert '<span>Not delivered</span> <span class="inbox-number">1</span>' in people


def test_mine_and_nobodys(browser, mail, rep):
    browser.post(f"{INBOX}{mail.pk}/assign/", {"assignee": rep.pk})

    assert "Tuesday suits us." in words(browser.get(f"{INBOX}?whose=mine"))
    assert "Tuesday suits us." not in words(browser.get(f"{INBOX}?whose=nobody"))


def test_done_takes_what_came_before_off_the_list_too(browser, mail, sent, mailbox):
    later = reply(sent, mailbox, text="And again.", received_at=timezone.now() + timedelta(minutes=1))

    response = browser.post(f"{INBOX}{later.pk}/handle/", {"query": "whose=mine&cursor=x", "then": ""})

    assert response.headers["Location"] == f"{INBOX}?whose=mine"
    assert now(mail).handled_at == now(later).handled_at is not None
    browser.post(f"{INBOX}{mail.pk}/handle/")
    assert now(mail).handled_at is None


@pytest.mark.parametrize("choice", ["tomorrow", "week", "date"])
def test_a_snoozed_mail_comes_back(browser, mail, choice):
    day = timezone.localdate() + timedelta(days=9)

    browser.post(f"{INBOX}{mail.pk}/snooze/", {"until_choice": choice, "on": day.isoformat()})

    assert timezone.now() < now(mail).snoozed_until < timezone.now() + timedelta(days=10)
    assert "Tuesday suits us." not in words(browser.get(INBOX))
    assert "Tuesday suits us." in words(browser.get(f"{INBOX}?state=snoozed"))
    browser.post(f"{INBOX}{mail.pk}/snooze/", {"until_choice": "wake"})
    assert "Tuesday suits us." in words(browser.get(INBOX))


def test_a_person_overrules_the_class_and_what_it_asks_for_is_done(browser, mail, rep, organization):
    browser.post(f"{INBOX}{mail.pk}/class/", {"label": "not_now"})

    assert (now(mail).label, now(mail).labelled_by_id) == ("not_now", rep.pk)
    with org_scope(organization.pk):
        assert Task.objects.get().person_id == mail.person_id


def test_the_day_of_a_reminder_can_be_moved(browser, mail, organization):
    browser.post(f"{INBOX}{mail.pk}/class/", {"label": "not_now"})
    day = timezone.localdate() + timedelta(days=40)

    browser.post(f"{INBOX}{mail.pk}/remind/", {"on": day.isoformat()})

    with org_scope(organization.pk):
        assert Task.objects.get().due_on == day
    assert day.isoformat() in words(browser.get(f"{INBOX}?mail={mail.pk}"))


def test_asking_to_stop_by_a_persons_judgement_stops(browser, mail, organization):
    browser.post(f"{INBOX}{mail.pk}/class/", {"label": "opt_out"})

    with org_scope(organization.pk):
        assert Suppression.objects.active().count() == 1
    assert "is on the suppression list" in words(browser.get(f"{INBOX}?mail={mail.pk}&class=opt_out"))
    refused = browser.post(f"{INBOX}{mail.pk}/answer/", {"body": "A last word"})
    assert refused.status_code == 422


def test_what_turns_out_automatic_no_longer_counts_as_an_answer(browser, mail, sent, stored, organization):
    with org_scope(organization.pk):
        Message.objects.filter(pk=sent.pk).update(replied_at=mail.received_at)

    browser.post(f"{INBOX}{mail.pk}/class/", {"label": "auto_reply"})

    assert (now(mail).kind, stored(sent).replied_at) == ("auto_reply", None)


def test_an_answer_leaves_at_once_in_the_same_thread(browser, mail, sent, send, mailbox, sandbox, organization):
    response = browser.post(f"{INBOX}{mail.pk}/answer/", {"body": "See you on Tuesday.", "after": "done"})
    send(mailbox)

    assert response.status_code == 302
    [answer] = [found for found in sandbox.world.newest() if "See you on Tuesday" in found.text]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["in-reply-to"] == "<theirs@acme.example>"
    assert headers["references"] == f"{sent.mail_message_id} <theirs@acme.example>"
    assert (answer.subject, answer.to) == (f"Re: {sent.subject}", sent.to_address)
    assert now(mail).handled_at is not None


def test_an_answer_from_a_template_is_filled(browser, mail, organization):
    template = TemplateFactory.create(organization=organization, body="Hello {{ first_name }}, gladly.")

    page = words(browser.get(f"{INBOX}?mail={mail.pk}&template={template.pk}"))
    browser.post(f"{INBOX}{mail.pk}/answer/", {"body": "Hello {{ first_name }}.", "template": template.pk})

    assert "Hello Ada, gladly." in page
    with org_scope(organization.pk):
        found = Message.objects.get(template=template)
    assert (found.body, found.state, found.keeps_window) == ("Hello Ada.", "queued", False)


def test_a_mail_nobody_knows_is_tied_to_a_person(browser, sent, mailbox, stored, organization):
    stray = InboundMailFactory.create(mailbox=mailbox, kind="unmatched", from_address="private@home.example")
    assert "Who wrote this?" in words(browser.get(f"{INBOX}?class=unmatched"))

    browser.post(f"{INBOX}{stray.pk}/tie/", {"person": sent.person_id})

    assert (now(stray).kind, now(stray).message_id, now(stray).person_id) == ("reply", sent.pk, sent.person_id)
    assert stored(sent).status == "RESPONDED"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("class", {"label": "nonsense"}),
        ("assign", {"assignee": "999999"}),
        ("snooze", {"until_choice": "date", "on": "2001-01-01"}),
        ("remind", {"on": "never"}),
        ("tie", {"person": "00000000-0000-0000-0000-000000000000"}),
        ("answer", {"body": ""}),
        ("answer", {"body": "Hello {{ nonsense }}"}),
    ],
)
def test_bad_input_is_refused_with_the_page(browser, mail, action, data):
    response = browser.post(f"{INBOX}{mail.pk}/{action}/", data, headers=HTMX)

    assert response.status_code == 422
    assert 'id="inbox"' in words(response)


@pytest.mark.parametrize("action", ["class", "assign", "snooze", "remind", "tie", "answer"])
def test_who_may_not(client_for, viewer, stranger, browser, mail, action):
    address = f"{INBOX}{mail.pk}/{action}/"

    statuses = [client_for(viewer).post(address).status_code, client_for(stranger).post(address).status_code]

    assert (statuses, browser.get(address).status_code) == ([403, 404], 405)
    assert client_for(stranger).get(f"{INBOX}?mail={mail.pk}").status_code == 404


def test_the_inbox_asks_the_same_number_of_questions(browser, mail, sent, mailbox):
    def questions():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(f"{INBOX}?mail={mail.pk}").status_code == 200
        return len(found)

    questions()
    one = questions()
    for _ in range(3):
        reply(sent, mailbox)
    assert questions() == one


def test_the_frame_of_a_mail_loads_and_runs_nothing(browser, mailbox, sent):
    html = '<img src="https://spy.example/x.gif"><script>x</script><a href="https://a.example">go</a>'
    hostile = reply(sent, mailbox, html=html)

    page = words(browser.get(f"{INBOX}{hostile.pk}/"))

    assert "spy.example" not in page
    assert "1 picture blocked" in page
    assert 'referrerpolicy="no-referrer"' in page


RAW = b"From: ada@acme.example\r\nSubject: Re: Meet us\r\n\r\nPlease unsubscribe me.\r\n"


def test_rules_run_again_over_kept_mail_but_not_over_a_person(mail, sent, mailbox, rep, organization, capsys):
    again = reply(sent, mailbox, raw=RAW, text="Please unsubscribe me.", label="other")
    decided = reply(sent, mailbox, raw=RAW + b" ", text="Please unsubscribe me.", label="question", labelled_by=rep)

    call_command("sort_replies", organization=organization.slug, since=3)

    assert (now(again).label, now(decided).label) == ("opt_out", "question")
    assert capsys.readouterr().out == f"{again.pk}  other -> opt_out\n1 mail has another class now.\n"
    with org_scope(organization.pk):
        assert Suppression.objects.active().count() == 1


class Reader:
    """Says what the subject tells it to, as a model behind the port would."""

    def read(self, *, subject, words):
        if subject == "fail":
            raise ReaderFailed("busy")
        return SecondLook(label=subject, evidence=words[:20])


@pytest.mark.parametrize(
    ("said", "becomes"),
    [("interested", "interested"), ("nonsense", "other"), ("bounce_hard", "other"), ("fail", "other")],
)
def test_a_second_look_is_asked_only_where_the_rules_are_silent(sent, mailbox, organization, settings, said, becomes):
    settings.EVENTOPS_REPLY_READER = f"{__name__}.Reader"
    silent = reply(sent, mailbox, subject=said, label="other", text="Hm.")
    told = reply(sent, mailbox, subject="interested", label="question")

    inbound.look_again(organization.pk, silent.pk)
    inbound.look_again(organization.pk, told.pk)

    assert (now(silent).label, now(told).label) == (becomes, "question")


def test_a_referral_offers_to_add_the_other_person(browser, sent, mailbox):
    found = reply(sent, mailbox, label="referral", other_address="bob.miller@acme.example")

    page = words(browser.get(f"{INBOX}?mail={found.pk}"))
    form = words(browser.get("/people/new/?email=bob.miller@acme.example&name=Bob+Miller"))

    assert "email=bob.miller%40acme.example&amp;name=Bob%20Miller" in page
    assert 'value="Bob Miller"' in form


def test_somebody_interested_is_offered_free_slots(browser, sent, mailbox, event):
    found = reply(sent, mailbox, label="interested")

    page = words(browser.get(f"{INBOX}?mail={found.pk}"))

    assert page.count(f"/meetings/new/?person={sent.person_id}&amp;start=") == 6
