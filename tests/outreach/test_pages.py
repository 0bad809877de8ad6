"""The pages: choose, review, send; each with its invalid input, fragment and query count."""

from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity.scope import org_scope, system_scope
from outreach.models import Campaign, Mailbox, Message, Suppression, Template
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    InboundMailFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    SuppressionFactory,
    TargetAccountFactory,
    TemplateFactory,
)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def people(organization, event):
    account = AccountFactory.create(organization=organization, name="Acme GmbH")
    TargetAccountFactory.create(account=account, event=event, tier="A")
    return [
        PersonFactory.create(account=account),
        PersonFactory.create(account=account),
        PersonFactory.create(account=account, email=""),
        PersonFactory.create(account=account, first_name=""),
    ]


def messages(organization):
    with org_scope(organization.pk):
        return list(Message.objects.for_org(organization).order_by("created_at", "id"))


def test_a_list_becomes_mails(browser, organization, people, mailbox, sandbox, send):
    template = TemplateFactory.create(organization=organization)
    form = {"name": "Invitations", "template": template.pk, "mailbox": mailbox.pk}

    page = browser.get("/outreach/new/?tier=A").content.decode()
    created = browser.post("/outreach/new/?tier=A", form)

    assert "Write 4 drafts" in page
    review = browser.get(created.url).content.decode()
    assert "Send 2 messages" in review
    left_out = browser.get(f"{created.url}?show=left_out").content.decode()
    assert "There is no e-mail address." in left_out
    assert "The first name is missing." in left_out
    assert browser.post(f"{created.url}approve/").status_code == 302
    send(mailbox)
    assert sorted(mail.to for mail in sandbox.world.mails.values()) == sorted(person.email for person in people[:2])
    assert {mail.subject for mail in sandbox.world.mails.values()} == {"Acme GmbH at TechExpo 2026"}
    with org_scope(organization.pk):
        assert Campaign.objects.get().status == "done"


def test_approving_twice_sends_once(browser, organization, people, mailbox, sandbox, send):
    form = {"name": "x", "template": TemplateFactory.create(organization=organization).pk, "mailbox": mailbox.pk}
    url = browser.post("/outreach/new/?tier=A", form).url

    browser.post(f"{url}approve/")
    browser.post(f"{url}approve/")
    send(mailbox)

    assert len(sandbox.world.mails) == 2


def test_after_adding_what_was_missing_they_get_a_draft(browser, organization, people, mailbox):
    form = {"name": "x", "template": TemplateFactory.create(organization=organization).pk, "mailbox": mailbox.pk}
    url = browser.post("/outreach/new/?tier=A", form).url
    with org_scope(organization.pk):
        people[3].first_name = "Grace"
        people[3].save()

    browser.post(f"{url}retry/")

    assert sorted(message.state for message in messages(organization)) == ["draft", "draft", "draft", "skipped"]


def test_what_was_ticked_on_a_list_is_written_to(browser, organization, people, mailbox):
    session = browser.session
    session["outreach_picked"] = {"people": [str(people[0].pk)]}
    session.save()
    form = {"name": "x", "template": TemplateFactory.create(organization=organization).pk, "mailbox": mailbox.pk}

    browser.post("/outreach/new/?picked=1", form)

    assert [message.person_id for message in messages(organization)] == [people[0].pk]


def test_another_organizations_template_cannot_be_chosen(browser, people, mailbox):
    form = {"name": "x", "template": TemplateFactory.create().pk, "mailbox": mailbox.pk}

    assert browser.post("/outreach/new/?tier=A", form).status_code == 422


def test_without_a_postal_address_nothing_is_approved_and_the_page_says_what_to_do(
    browser, organization, message, stored
):
    with system_scope():
        organization.postal_address = ""
        organization.save()
    with org_scope(organization.pk):
        Message.objects.update(state="draft")

    browser.post(f"/outreach/messages/{message.pk}/approve/")

    assert stored(message).state == "draft"
    assert "Add the address of your organization" in browser.get("/outreach/").content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {"subject": "", "body": "x"},
        {"subject": "x", "body": ""},
        {"subject": "a\nBcc: all@x.example", "body": "x"},
        {"subject": "{{ nobody }}", "body": "x"},
        {"subject": "x", "body": "{% debug %}"},
        {"subject": "x", "body": "Hello {{ first_name }}"},
    ],
)
def test_a_draft_with_bad_words_is_a_422_and_unchanged(browser, message, stored, organization, data):
    with org_scope(organization.pk):
        Message.objects.update(state="draft")

    assert browser.post(f"/outreach/messages/{message.pk}/edit/", data).status_code == 422
    assert stored(message).subject == "Meet us at the show"


def test_a_sent_mail_cannot_be_edited_or_taken_back(browser, mailbox, message, send, stored):
    send(mailbox)

    assert browser.post(f"/outreach/messages/{message.pk}/edit/", {"subject": "New", "body": "x"}).status_code == 422
    browser.post(f"/outreach/messages/{message.pk}/drop/")
    assert (stored(message).state, stored(message).subject) == ("accepted", "Meet us at the show")


@pytest.mark.parametrize(("decision", "state"), [("sent", "accepted"), ("again", "queued"), ("drop", "cancelled")])
def test_a_person_decides_what_nobody_knows(browser, mailbox, message, send, stored, sandbox, decision, state):
    from sandbox.world import Fault

    sandbox.world.faults.append(Fault("500", 1))
    send(mailbox)

    browser.post(f"/outreach/messages/{message.pk}/decide/", {"decision": decision})

    assert stored(message).state == state


def test_a_template_is_saved_reworded_and_previewed(browser, organization, people):
    browser.post("/outreach/templates/new/", {"name": "Hi", "subject": "Hi {{ company }}", "body": "Hello"})
    with org_scope(organization.pk):
        template = Template.objects.get()
    browser.post(f"/outreach/templates/{template.pk}/", {"name": "Hi", "subject": "Hey {{ company }}", "body": "Hello"})

    with org_scope(organization.pk):
        template.refresh_from_db()
        assert (template.version, template.versions.count()) == (2, 2)
    data = {"subject": "Hi {{ company }}", "body": "**Hello** <b>", "person": str(people[0].pk)}
    preview = browser.post("/outreach/templates/preview/", data, headers=HTMX).content.decode()
    assert "Hi Acme GmbH" in preview
    assert "<strong>Hello</strong> &lt;b&gt;" in unescape(preview)
    broken = browser.post("/outreach/templates/preview/", {"subject": "{{ x }}", "body": "y"}, headers=HTMX)
    assert "There is no field" in broken.content.decode()


def test_an_unknown_field_is_a_422(browser):
    response = browser.post("/outreach/templates/new/", {"name": "Hi", "subject": "Hi", "body": "{{ password }}"})

    assert response.status_code == 422
    assert "There is no field “password”." in response.content.decode()


def test_a_mailbox_keeps_its_secret_to_itself(client_for, admin_member, organization, sandbox):
    admin = client_for(admin_member)
    data = {
        "name": "Sales", "kind": "sendgrid", "from_name": "Nora", "from_address": "nora@nordlicht.example",
        "secret": "SG.canary-secret", "daily_cap": "50", "smtp_port": "587", "smtp_security": "starttls",
        "spacing_seconds": "0", "window_days": ["0", "1"], "window_opens": "08:30", "window_closes": "17:00",
    }  # fmt: skip

    assert admin.post("/outreach/mailboxes/new/", data).status_code == 302

    with org_scope(organization.pk):
        mailbox = Mailbox.objects.get()
    assert mailbox.open_credentials() == {"api_key": "SG.canary-secret"}
    for address in ("/outreach/mailboxes/", f"/outreach/mailboxes/{mailbox.pk}/"):
        assert "canary" not in admin.get(address).content.decode()
    admin.post(f"/outreach/mailboxes/{mailbox.pk}/", data | {"secret": "", "name": "Renamed"})
    with org_scope(organization.pk):
        assert Mailbox.objects.get().open_credentials() == {"api_key": "SG.canary-secret"}
    assert admin.post("/outreach/mailboxes/new/", data | {"name": "Other", "secret": ""}).status_code == 422


def test_addresses_are_added_looked_up_and_lifted_with_a_reason(client_for, manager, organization, message):
    browser = client_for(manager)

    browser.post(
        "/outreach/suppression/", {"addresses": f"{message.to_address}, other@x.example", "note": "Asked by phone"}
    )

    page = browser.get("/outreach/suppression/", {"q": message.to_address.upper()}).content.decode()
    assert "Asked by phone" in page
    with org_scope(organization.pk):
        entry = Suppression.objects.get(address_hash=message.address_hash)
        assert Message.objects.get(pk=message.pk).state == "cancelled"
    browser.post(f"/outreach/suppression/{entry.pk}/lift/", {"reason": ""})
    with org_scope(organization.pk):
        assert Suppression.objects.active().count() == 2
    browser.post(f"/outreach/suppression/{entry.pk}/lift/", {"reason": "She wrote to us"})
    with org_scope(organization.pk):
        assert Suppression.objects.active().count() == 1
    assert browser.post("/outreach/suppression/", {"addresses": "nobody"}).status_code == 422


def test_a_reply_is_done_and_opened_again(browser, organization, mailbox, message):
    mail = InboundMailFactory.create(
        mailbox=mailbox, message=message, person=message.person, html="<script>x</script>hi"
    )

    assert "Tuesday suits us." in browser.get("/outreach/replies/").content.decode()
    frame = browser.get(f"/outreach/replies/{mail.pk}/").content.decode()
    assert "x&lt;/script" not in frame
    assert 'allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" srcdoc="hi"' in frame
    browser.post(f"/outreach/replies/{mail.pk}/handle/")
    assert "Tuesday suits us." not in browser.get("/outreach/replies/").content.decode()


def test_the_list_filters_and_answers_htmx_with_a_part(browser, mailbox, message, send):
    send(mailbox)

    assert message.subject in browser.get("/outreach/?show=sent").content.decode()
    assert message.subject not in browser.get("/outreach/?show=replied").content.decode()
    part = browser.get("/outreach/?show=sent", headers=HTMX).content.decode()
    assert "<html" not in part
    assert browser.get("/outreach/?cursor=nonsense").status_code == 302
    assert browser.get("/outreach/?campaign=nonsense&show=x&q=%00").status_code == 200


@pytest.mark.parametrize(
    ("address", "make"),
    [
        ("/outreach/?all=1", lambda organization, mailbox, account: MessageFactory.create(
            person=PersonFactory.create(account=account), mailbox=mailbox)),
        ("/outreach/campaigns/?all=1", lambda organization, mailbox, account: CampaignFactory.create(mailbox=mailbox)),
        ("/outreach/templates/", lambda organization, mailbox, account: TemplateFactory.create(organization=organization)),
        ("/outreach/suppression/", lambda organization, mailbox, account: SuppressionFactory.create(organization=organization)),
        ("/outreach/replies/", lambda organization, mailbox, account: InboundMailFactory.create(mailbox=mailbox)),
        ("/outreach/mailboxes/", lambda organization, mailbox, account: MailboxFactory.create(organization=organization)),
    ],
)  # fmt: skip
def test_a_list_asks_as_much_for_three_rows_as_for_one(browser, organization, mailbox, address, make):
    account = AccountFactory.create(organization=organization)
    make(organization, mailbox, account)
    browser.get(address)
    with CaptureQueriesContext(connection) as one:
        browser.get(address)
    make(organization, mailbox, account)
    make(organization, mailbox, account)

    with CaptureQueriesContext(connection) as three:
        browser.get(address)

    assert len(three) == len(one)


@pytest.mark.parametrize("address", ["/outreach/?all=1", "/outreach/ledger/?all=1"])
def test_the_exact_count_follows_the_page(browser, organization, address):
    account = AccountFactory.create(organization=organization)
    for _ in range(3):
        MessageFactory.create(person=PersonFactory.create(account=account), due_at=timezone.now())

    count = browser.get(address, headers={"HX-Request": "true", "HX-Trigger": "count"})

    assert (count.status_code, ">3</span>" in count.text, "<table" in count.text) == (200, True, False)
