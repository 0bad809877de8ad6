"""Refusals by level, the list of them, and what they survive."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.ids import uuid7
from identity.scope import org_scope
from outreach import delivery, tokens
from outreach.models import AccountHold, Message, Suppression
from outreach.scopes import EVERYTHING, event_scope, sequence_scope
from outreach.suppressing import suppress_addresses
from tests.factories import AccountFactory, EventFactory, MessageFactory, PersonFactory

SPELLINGS = [
    "ada@müller.example",
    "Ada@müller.example",
    "ADA@MÜLLER.EXAMPLE",
    " ada@müller.example",
    "ada@müller.example\t",
    "\u00a0ada@müller.example\n",
    "ada@mu\u0308ller.example",
    "ADA@MU\u0308LLER.example",
    "ada@xn--mller-kva.example",
    "Ada@XN--MLLER-KVA.example",
]


def link_in(message):
    token = tokens.unsubscribe_token(tokens.Unsubscribe(message.organization_id, message.address_hash, message.pk))
    return f"/u/{token}/"


def scopes(organization):
    with org_scope(organization.pk):
        return sorted(Suppression.objects.for_org(organization).active().values_list("scope", flat=True))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_an_address_is_the_same_address(spelling, organization, mailbox, send, sandbox, stored):
    with org_scope(organization.pk):
        suppress_addresses(organization, addresses=[spelling], reason="manual", source="test")
    person = PersonFactory.create(
        account=AccountFactory.create(organization=organization), email="ada@xn--mller-kva.example"
    )

    message = MessageFactory.create(person=person, mailbox=mailbox)
    send(mailbox)

    assert (stored(message).state, len(sandbox.world.mails)) == ("skipped", 0)


def test_a_refusal_of_one_show_stops_its_mails_only(organization, message, mailbox, send, sandbox, stored):
    other = MessageFactory.create(
        person=message.person, mailbox=mailbox, event=EventFactory.create(organization=organization, name="Other show")
    )

    answer = Client().post(link_in(message), {"level": "event"})
    later = MessageFactory.create(person=message.person, mailbox=mailbox, event=message.event)
    send(mailbox)

    assert "will not write to this address about TechExpo 2026" in answer.content.decode()
    assert scopes(organization) == [event_scope(message.event_id)]
    assert [stored(one).state for one in (message, later, other)] == ["cancelled", "skipped", "accepted"]


def test_a_refusal_of_one_sequence_stops_its_mails_only(organization, message, mailbox, send, stored):
    sequence_id = uuid7()
    mine = MessageFactory.create(person=message.person, mailbox=mailbox, sequence_id=sequence_id)

    answer = Client().post(link_in(mine), {"level": "sequence"})
    later = MessageFactory.create(person=message.person, mailbox=mailbox, sequence_id=sequence_id)
    send(mailbox)

    assert "no more mails of this series" in answer.content.decode()
    assert scopes(organization) == [sequence_scope(sequence_id)]
    assert [stored(one).state for one in (mine, later, message)] == ["cancelled", "skipped", "accepted"]


def test_after_a_narrow_refusal_everything_can_still_be_refused(organization, message):
    url = link_in(message)
    Client().post(url, {"level": "event"})

    page = Client().get(url).content.decode()
    Client().post(url, {"level": "everything"})

    assert ("Stop all mails" in page, "Only stop mails about" in page) == (True, False)
    assert scopes(organization) == sorted([event_scope(message.event_id), EVERYTHING])


@pytest.mark.parametrize("posted", [{}, {"List-Unsubscribe": "One-Click"}, {"level": "x"}, {"level": "sequence"}])
def test_a_post_that_names_no_level_of_this_mail_stops_everything(posted, organization, message):
    Client().post(link_in(message), posted)

    assert scopes(organization) == [EVERYTHING]


def test_a_narrow_refusal_that_comes_after_the_claim_still_counts(organization, message, mailbox, sandbox, stored):
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        claims = delivery.claim_batch(desk, size=1)
        Client().post(link_in(message), {"level": "event"})
        delivery.deliver_batch(desk, claims, until=lambda: False)

    assert (stored(message).state, len(sandbox.world.mails)) == ("skipped", 0)


def test_a_list_of_addresses_is_imported_once(organization, message, stored, client_for, rep):
    browser = client_for(rep)
    rows = f"Name,E-Mail\nAda,{message.to_address.upper()}\nBob,<bob@acme.example>\nBob,bob@acme.example\n,\n"

    def upload():
        file = SimpleUploadedFile("stop.csv", rows.encode("utf-8-sig"))
        return browser.post("/outreach/suppression/", {"file": file, "note": "asked at the booth"}, follow=True)

    first, second = upload().content.decode(), upload().content.decode()

    assert "2 addresses will get no more mails." in first
    assert "0 addresses will get no more mails. 2 were on the list." in second
    assert (scopes(organization), stored(message).state) == ([EVERYTHING, EVERYTHING], "cancelled")


def test_an_address_can_be_kept_from_one_show(organization, event, client_for, rep):
    answer = client_for(rep).post(
        "/outreach/suppression/", {"addresses": "ada@acme.example", "event": event.pk}, follow=True
    )

    assert scopes(organization) == [event_scope(event.pk)]
    assert f"mail about {event.name}" in answer.content.decode()


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({}, "Write an address or choose a file."),
        ({"addresses": "nobody"}, "is no e-mail address"),
        ({"file": SimpleUploadedFile("x.csv", b"PK\x03\x04")}, "There is no e-mail address in the file."),
    ],
)
def test_what_cannot_be_read_adds_nothing_and_says_so(posted, words, organization, client_for, rep):
    answer = client_for(rep).post("/outreach/suppression/", posted)

    assert (answer.status_code, scopes(organization)) == (422, [])
    assert words in answer.content.decode()


def test_the_list_is_filtered_and_searched_by_the_whole_address(organization, client_for, rep):
    with org_scope(organization.pk):
        suppress_addresses(organization, addresses=["ada@acme.example"], reason="complaint", source="test")
        suppress_addresses(organization, addresses=["bob@beta.example"], reason="manual", source="test")
    browser = client_for(rep)

    def hints(query):
        text = browser.get(f"/outreach/suppression/{query}").content.decode()
        return [hint for hint in ("a…@acme.example", "b…@beta.example") if hint in text]

    assert hints("") == ["a…@acme.example", "b…@beta.example"]
    assert hints("?show=complaint") == ["a…@acme.example"]
    assert hints("?show=lifted") == []
    assert hints("?q=BOB@beta.example") == ["b…@beta.example"]
    assert hints("?q=beta.example") == []


def test_a_person_who_is_deleted_and_imported_again_is_still_refused(organization, message, mailbox, send, sandbox):
    Client().post(link_in(message), {"level": "event"})
    with org_scope(organization.pk):
        message.person.delete()
        assert not Message.objects.exists()

    person = PersonFactory.create(account=message.account, email=message.to_address.upper())
    MessageFactory.create(person=person, mailbox=mailbox, event=message.event)
    send(mailbox)

    assert len(sandbox.world.mails) == 0


@pytest.mark.parametrize(("level", "is_held"), [("event", False), ("everything", True)])
def test_only_who_refuses_all_mail_holds_the_account(organization, message, level, is_held):
    Client().post(link_in(message), {"level": level})

    with org_scope(organization.pk):
        assert AccountHold.objects.filter(account=message.account_id, cause="opt_out").exists() is is_held
