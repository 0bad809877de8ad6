"""Opens are noticed only where that needs no consent."""

import pytest

from identity.scope import org_scope
from tests.factories import AccountFactory, MessageFactory, PersonFactory


@pytest.mark.parametrize(
    ("person", "account", "address", "noticed"),
    [
        ("Germany", "USA", "ada@acme.example", False),
        ("", "United Kingdom", "ada@acme.example", False),
        ("", "Schweiz", "ada@acme.example", False),
        ("", "", "ada@acme.fr", False),
        ("", "", "ada@acme.uk", False),
        ("USA", "Germany", "ada@acme.de", True),
        ("", "", "ada@acme.example", True),
        ("Atlantis", "", "ada@acme.com", True),
    ],
)
def test_opens_are_noticed_where_no_consent_is_needed(
    person, account, address, noticed, organization, mailbox, send, sandbox
):
    company = AccountFactory.create(organization=organization, country=account)
    MessageFactory.create(person=PersonFactory.create(account=company, country=person, email=address), mailbox=mailbox)

    send(mailbox)

    assert [mail.tracks_opens for mail in sandbox.world.mails.values()] == [noticed]


def test_members_who_have_consent_say_so_on_the_mailbox(organization, mailbox, send, sandbox):
    with org_scope(organization.pk):
        mailbox.track_opens_in_europe = True
        mailbox.save()
    account = AccountFactory.create(organization=organization, country="Germany")
    MessageFactory.create(person=PersonFactory.create(account=account), mailbox=mailbox)

    send(mailbox)

    assert [mail.tracks_opens for mail in sandbox.world.mails.values()] == [True]
