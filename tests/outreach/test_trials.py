"""A test of a template to oneself: as a person would get it, counted nowhere."""

import pytest
from allauth.account.models import EmailAddress

from identity.scope import org_scope
from outreach import proofreading, switches, trials
from outreach.models import Mailbox, Message
from tests.factories import AccountFactory, MailboxFactory, PersonFactory, TemplateFactory


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def verified(rep):
    return EmailAddress.objects.create(user=rep, email=rep.email, verified=True, primary=True)


@pytest.fixture
def template(organization):
    return TemplateFactory.create(
        organization=organization, subject="For {{ company }}", body="Hello {{ first_name }}."
    )


@pytest.fixture
def person(organization):
    """Somebody who must not be written to."""
    account = AccountFactory.create(organization=organization, name="Acme GmbH")
    return PersonFactory.create(account=account, first_name="Ada", contact_basis="objected")


@pytest.fixture
def ask(browser, template, person):
    def run(**data):
        return browser.post(f"/outreach/templates/{template.pk}/test/", {"person": person.pk} | data, follow=True)

    return run


@pytest.fixture
def send(organization, template, person, mailbox, rep):
    """What the background does after somebody asked."""

    def run():
        trials.send(
            organization.pk, template=template.pk, mailbox=mailbox.pk, person=person.pk, event=None, user=rep.pk
        )

    return run


def test_the_member_gets_what_the_person_would_and_nothing_is_counted(ask, send, verified, rep, organization, sandbox):
    page = ask().content.decode()
    send()

    assert f"is on its way to {rep.email}" in page

    [mail] = sandbox.world.mails.values()
    assert (mail.to, mail.subject) == (rep.email, "[Test] For Acme GmbH")
    assert "Hello Ada." in mail.text
    assert "/u/" not in mail.text
    with org_scope(organization.pk):
        assert not Message.objects.exists()
        assert Mailbox.objects.get().problem == ""


def test_without_a_confirmed_address_nothing_leaves(ask, mailbox, sandbox):
    page = ask().content.decode()

    assert "Confirm your own e-mail address first" in page
    assert len(sandbox.world.mails) == 0


def test_a_stop_of_sending_stops_tests_too(ask, send, verified, organization, rep, sandbox):
    with org_scope(organization.pk):
        switches.stop(organization, reason="Something is wrong.", actor=rep)

    page = ask().content.decode()
    send()

    assert "Something is wrong." in page
    assert len(sandbox.world.mails) == 0


def test_a_value_that_is_missing_is_said(ask, verified, organization, person, mailbox, sandbox):
    with org_scope(organization.pk):
        type(person).objects.filter(pk=person.pk).update(first_name="")

    assert "The first name is missing." in ask().content.decode()
    assert len(sandbox.world.mails) == 0


def test_rows_of_others_are_not_taken(ask, verified, mailbox, sandbox):
    stranger = PersonFactory.create(account=AccountFactory.create())

    pages = [ask(person=stranger.pk), ask(mailbox=MailboxFactory.create().pk)]

    assert ["Nothing was sent." in page.content.decode() for page in pages] == [True, True]
    assert len(sandbox.world.mails) == 0


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("See https://example.com/x", "is a placeholder"),
        ("See https://www.your-company.com", "is a placeholder"),
        ("See http://localhost:8000/a", "is no complete link"),
        ("See [here](#)", "leads nowhere"),
        ("See https://expo.berlin/todo", "is a placeholder"),
    ],
)
def test_links_that_lead_nowhere_are_pointed_out(body, hint):
    assert any(hint in one for one in proofreading.hints("Hello", body))


def test_a_real_link_is_not_pointed_out():
    assert proofreading.hints("Hello", "See https://nordlicht.example/carts and [ours](https://a.berlin/b).") == []
