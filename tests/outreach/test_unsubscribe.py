"""The link in every mail: GET never acts, POST always does, and both outlive the person."""

import pytest
from django.test import Client

from identity.scope import org_scope, system_scope
from outreach import tokens
from outreach.models import Message, Suppression
from tests.factories import AccountFactory, MessageFactory, PersonFactory


@pytest.fixture
def link(message):
    token = tokens.unsubscribe_token(tokens.Unsubscribe(message.organization_id, message.address_hash, message.pk))
    return f"/u/{token}/"


def active(organization):
    with org_scope(organization.pk):
        return Suppression.objects.for_org(organization).active().count()


def test_get_and_head_change_nothing(link, organization, message, stored):
    client = Client()

    answers = {client.get(link).status_code for _ in range(5)} | {client.head(link).status_code for _ in range(5)}

    assert (answers, active(organization), stored(message).state) == ({200}, 0, "queued")


def test_one_click_works_without_cookies_and_without_a_redirect(link, organization, message, stored):
    client = Client(enforce_csrf_checks=True)

    answers = [client.post(link, {"List-Unsubscribe": "One-Click"}).status_code for _ in range(3)]

    assert (answers, active(organization)) == ([200, 200, 200], 1)
    assert (stored(message).state, stored(message).reason) == ("cancelled", "Unsubscribed.")
    assert stored(message).unsubscribed_at is not None


def test_the_button_of_the_page_works_without_a_token_of_ours(link, organization):
    client = Client(enforce_csrf_checks=True)

    assert "csrfmiddlewaretoken" not in client.get(link).content.decode()
    assert "will not write to this address" in client.post(link).content.decode()


def test_everything_that_waits_for_the_address_is_cancelled(link, message, mailbox, stored):
    draft = MessageFactory.create(person=message.person, mailbox=mailbox, state="draft")
    other = MessageFactory.create(person=PersonFactory.create(account=message.account), mailbox=mailbox)

    Client().post(link)

    assert (stored(draft).state, stored(other).state) == ("cancelled", "queued")


def test_the_link_works_after_the_person_was_deleted(link, message, organization, mailbox, send, sandbox):
    with org_scope(organization.pk):
        message.person.delete()
        assert not Message.objects.filter(pk=message.pk).exists()

    assert Client().post(link).status_code == 200

    person = PersonFactory.create(account=message.account, email=message.to_address)
    MessageFactory.create(person=person, mailbox=mailbox)
    send(mailbox)
    assert len(sandbox.world.mails) == 0


def test_a_changed_link_is_nobodys(link):
    token = link.split("/")[2]
    changed = [
        token[:-1],
        token + "A",
        "Z" + token[1:],
        token[:40] + ("B" if token[40] != "B" else "C") + token[41:],
        "x",
        "%00",
        "ü",
    ]

    answers = [Client().post(f"/u/{forged}/").status_code for forged in changed]

    assert set(answers) == {404}


def test_a_link_of_an_organization_that_is_gone_answers_politely(link, message):
    stranger = AccountFactory.create().organization
    token = tokens.unsubscribe_token(tokens.Unsubscribe(stranger.pk, message.address_hash, message.pk))
    with system_scope():
        stranger.delete()

    assert Client().get(f"/u/{token}/").status_code == 404


def test_nothing_else_answers(link):
    assert Client().put(link).status_code == 405
