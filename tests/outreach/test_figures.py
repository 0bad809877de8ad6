"""What mails have come to: counts, answers by class, lateness; machines apart; and the list behind each figure."""

from datetime import timedelta

import pytest
from django.utils import timezone

from identity.scope import org_scope
from outreach.figures import figures_by, figures_for
from outreach.models import Message
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    InboundMailFactory,
    MessageFactory,
    PersonFactory,
    TemplateCopyFactory,
    TemplateFactory,
)


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def template(organization):
    return TemplateFactory.create(organization=organization)


@pytest.fixture
def sent(organization, mailbox, template):
    """A mail of the template that left so many minutes late, with what became of it."""

    def make(*, late=0, label="", **fields):
        due = timezone.now() - timedelta(days=1)
        message = MessageFactory.create(
            person=PersonFactory.create(account=AccountFactory.create(organization=organization)), mailbox=mailbox,
            campaign=CampaignFactory.create(mailbox=mailbox), template=template, state="accepted", due_at=due,
            sent_at=due + timedelta(minutes=late), **fields,
        )  # fmt: skip
        if label:
            InboundMailFactory.create(mailbox=mailbox, message=message, kind="reply", label=label)
        return message

    return make


def test_figures_count_people_and_keep_machines_apart(organization, sent):
    now = timezone.now()
    sent(late=1, delivered_at=now, clicked_at=now, replied_at=now, label="interested")
    sent(late=2, delivered_at=now, machine_opened_at=now, machine_clicked_at=now, met_at=now)
    sent(late=60, bounced_at=now, unsubscribed_at=now)

    with org_scope(organization.pk):
        found = figures_for(Message.objects.for_org(organization))

    counts = {name: number for name, number in found.counts.items() if number}
    assert counts == {
        "sent": 3, "delivered": 2, "clicked": 1, "replied": 1, "met": 1, "unsubscribed": 1, "bounced": 1,
        "machine_opened": 1, "machine_clicked": 1,
    }  # fmt: skip
    assert (found.total, found.positive, found.classes) == (3, 1, {"interested": 1})
    assert (found.late, round(found.late_p95)) == (120.0, 3252)
    assert found.late_words == "2 min / 54 min"


def test_figures_are_grouped_and_an_answer_counts_once(organization, sent):
    now = timezone.now()
    first = sent(replied_at=now, label="question", variant="A")
    InboundMailFactory.create(mailbox=first.mailbox, message=first, kind="reply", label="question")
    sent(replied_at=now, label="not_now", variant="B")

    with org_scope(organization.pk):
        found = figures_by(Message.objects.for_org(organization), "variant")

    assert {key: value.classes for key, value in found.items()} == {("A",): {"question": 1}, ("B",): {"not_now": 1}}


def test_the_page_of_a_template_shows_its_figures_with_the_lists_behind_them(browser, template, sent):
    mail = sent(replied_at=timezone.now(), label="interested", subject="With an answer")
    sent(subject="Without one")

    page = browser.get(f"/outreach/templates/{template.pk}/").content.decode()
    listed = browser.get(f"/outreach/?all=1&template={template.pk}&show=replied").content.decode()

    assert "What became of it" in page
    assert f"/outreach/?all=1&amp;template={template.pk}&amp;show=replied" in page
    assert (mail.subject in listed, "Without one" in listed) == (True, False)


def test_the_page_of_a_template_says_which_version_the_provider_has(browser, template, mailbox):
    TemplateCopyFactory.create(template=template, mailbox=mailbox, version=1)

    assert "has version 1" in browser.get(f"/outreach/templates/{template.pk}/").content.decode()
    browser.post(f"/outreach/templates/{template.pk}/copy/")
    assert "version 1 is on its way" in browser.get(f"/outreach/templates/{template.pk}/").content.decode()


def test_a_campaign_shows_answers_by_class(browser, sent):
    mail = sent(replied_at=timezone.now(), label="referral")

    page = browser.get(f"/outreach/campaigns/{mail.campaign_id}/").content.decode()

    assert "Referral 1" in page


@pytest.mark.parametrize("query", ["template=x", "step=", "variant=Z", "comparison=1"])
def test_nonsense_in_the_address_of_the_list_is_left_out(browser, sent, query):
    sent(subject="Still here")

    assert "Still here" in browser.get(f"/outreach/?all=1&{query}").content.decode()
