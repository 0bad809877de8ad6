"""What tests of running sequences need: a mailbox that may always send, steps, people, and time that passes."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from eventops.demo.clock import let_pass
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from outreach import delivery
from outreach.models import Mailbox, Message, Template
from people.models import Person
from sandbox.server import RunningSandbox
from sequences import runner
from sequences.models import Enrollment, Sequence, SequenceVersion
from sequences.services import enrollments, plans
from tests.factories import AccountFactory, MailboxFactory, PersonFactory, SequenceFactory, TemplateFactory


@pytest.fixture
def mailbox(organization: Organization, sandbox: RunningSandbox) -> Mailbox:
    return MailboxFactory.create(
        organization=organization, window_days=list(range(7)), window_opens=time(0), window_closes=time.max,
        keeps_holidays=False, reply_domain="replies.nordlicht.example",
    )  # fmt: skip


@pytest.fixture
def template(organization: Organization) -> Template:
    return TemplateFactory.create(
        organization=organization,
        subject="{{ company }} at the show",
        body='Hello {{ first_name | "there" }}, see you.',
    )


@pytest.fixture
def sequence(organization: Organization, event: Event, mailbox: Mailbox) -> Sequence:
    return SequenceFactory.create(organization=organization, event=event, mailbox=mailbox)


@pytest.fixture
def person(organization: Organization) -> Person:
    return PersonFactory.create(account=AccountFactory.create(organization=organization, name="Acme GmbH"))


@pytest.fixture
def publish(sequence: Sequence, template: Template, rep: User) -> Callable[..., SequenceVersion]:
    """Give the sequence these steps, one mapping each, and publish it."""

    def run(*steps: dict[str, Any]) -> SequenceVersion:
        with org_scope(sequence.organization_id):
            for values in steps:
                mail = {"template": template} if values["kind"] == "email" else {}
                plans.add_step(sequence, fields=mail | values)
            return plans.publish(sequence, actor=rep)

    return run


@pytest.fixture
def enroll(sequence: Sequence, rep: User) -> Callable[..., enrollments.Enrolled]:
    def run(*people: Person, **options: Any) -> enrollments.Enrolled:
        with org_scope(sequence.organization_id):
            ids = [person.pk for person in people]
            return enrollments.enroll(sequence, ids, actor=rep, source="test", **options)

    return run


@pytest.fixture
def turn(organization: Organization, mailbox: Mailbox) -> Callable[..., None]:
    """Let time pass, then let the runner and the sender do what is due, as the beat would."""

    def run(**passed: float) -> None:
        if passed:
            let_pass(organization.pk, timedelta(**passed))
        for _ in range(2):
            runner.sweep(seconds=30)
            delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)
            delivery.announce_ended(organization.pk)

    return run


@pytest.fixture
def where(organization: Organization) -> Callable[[Person], Enrollment]:
    """The enrollment of a person as the database has it now."""

    def read(person: Person) -> Enrollment:
        with org_scope(organization.pk):
            return Enrollment.objects.for_org(organization).get(person=person)

    return read


@pytest.fixture
def mails_to(organization: Organization) -> Callable[[Person], list[Message]]:
    def read(person: Person) -> list[Message]:
        with org_scope(organization.pk):
            return list(Message.objects.for_org(organization).filter(person=person).order_by("created_at", "id"))

    return read
