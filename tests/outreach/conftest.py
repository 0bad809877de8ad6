"""What tests of sending need: a mailbox, people, and one worker's turn."""

from collections.abc import Callable

import pytest

from events.models import Event
from identity.models import Organization
from identity.scope import org_scope
from outreach import delivery
from outreach.models import Mailbox, Message
from sandbox.server import RunningSandbox
from tests.factories import AccountFactory, MailboxFactory, MessageFactory, PersonFactory


@pytest.fixture
def mailbox(organization: Organization, sandbox: RunningSandbox) -> Mailbox:
    return MailboxFactory.create(organization=organization)


@pytest.fixture
def message(organization: Organization, event: Event, mailbox: Mailbox) -> Message:
    person = PersonFactory.create(account=AccountFactory.create(organization=organization, name="Acme GmbH"))
    return MessageFactory.create(person=person, mailbox=mailbox, event=event)


@pytest.fixture
def send(organization: Organization) -> Callable[[Mailbox], int]:
    """One worker sends everything that is due from a mailbox."""

    def run(mailbox: Mailbox) -> int:
        return delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)

    return run


@pytest.fixture
def stored(organization: Organization) -> Callable[[Message], Message]:
    """The message as the database has it now."""

    def read(message: Message) -> Message:
        with org_scope(organization.pk):
            return Message.objects.for_org(organization).get(pk=message.pk)

    return read
