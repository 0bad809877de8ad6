"""Rows for tests. They are made in the system scope, so a test needs no scope to set its stage."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Account, Stand, Tag, TargetAccount, Tier
from activities.models import Activity, Note, Task
from events.models import Event
from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope
from meetings.models import Attendee, BoothTable, Meeting
from outreach.addresses import address_hash
from outreach.models import (
    Campaign,
    InboundMail,
    Mailbox,
    Message,
    SendingDomain,
    Snippet,
    Suppression,
    Template,
    TemplateCopy,
    TemplateVersion,
)
from people.models import Person, PersonEmail
from sequences.models import Sequence, Step
from sequences.plan import Kind


class ScopedFactory(DjangoModelFactory):
    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type, *args: Any, **kwargs: Any) -> Any:
        with system_scope():
            return super()._create(model_class, *args, **kwargs)


class UserFactory(ScopedFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"member{n}@example.com")
    name = factory.Sequence(lambda n: f"Member {n}")


class OrganizationFactory(ScopedFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    slug = factory.Sequence(lambda n: f"organization-{n}")
    postal_address = "1 Harbour Street, 20095 Hamburg, Germany"


class MembershipFactory(ScopedFactory):
    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.REP


class EventFactory(ScopedFactory):
    class Meta:
        model = Event

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"TechExpo {2026 + n}")
    slug = factory.Sequence(lambda n: f"techexpo-{2026 + n}")
    starts_on = date(2026, 12, 8)
    ends_on = date(2026, 12, 10)
    time_zone = "Europe/Berlin"
    venue = "Messe Berlin"
    booth = "A-123"


class AccountFactory(ScopedFactory):
    class Meta:
        model = Account

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Acme {n} GmbH")
    website = factory.Sequence(lambda n: f"https://www.acme{n}.example")


class TagFactory(ScopedFactory):
    class Meta:
        model = Tag

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"tag {n}")


class TargetAccountFactory(ScopedFactory):
    class Meta:
        model = TargetAccount

    organization = factory.SelfAttribute("account.organization")
    account = factory.SubFactory(AccountFactory)
    event = factory.SubFactory(EventFactory, organization=factory.SelfAttribute("..account.organization"))
    tier = Tier.A


class StandFactory(ScopedFactory):
    class Meta:
        model = Stand

    organization = factory.SelfAttribute("target.organization")
    target = factory.SubFactory(TargetAccountFactory)
    hall = "Hall 4"
    number = factory.Sequence(lambda n: f"B{n}")


class PersonFactory(ScopedFactory):
    class Meta:
        model = Person
        skip_postgeneration_save = True

    organization = factory.SelfAttribute("account.organization")
    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Ada Lovelace {n}")
    first_name = "Ada"
    last_name = factory.Sequence(lambda n: f"Lovelace {n}")
    title = "Head of Operations"
    email = factory.Sequence(lambda n: f"ada{n}@acme.example")

    @factory.post_generation
    def addresses(self: Person, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and self.email:
            with system_scope():
                PersonEmail.objects.create(
                    organization_id=self.organization_id, person=self, email=self.email, is_primary=True
                )


class ActivityFactory(ScopedFactory):
    class Meta:
        model = Activity


class NoteFactory(ScopedFactory):
    class Meta:
        model = Note

    body = "Met at the booth."


class TaskFactory(ScopedFactory):
    class Meta:
        model = Task

    title = "Call back"


class BoothTableFactory(ScopedFactory):
    class Meta:
        model = BoothTable

    organization = factory.SelfAttribute("event.organization")
    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"Table {n}")


class MeetingFactory(ScopedFactory):
    """A confirmed meeting of half an hour on the first day of the default show, at 10:00 in Berlin."""

    class Meta:
        model = Meeting

    organization = factory.SelfAttribute("account.organization")
    account = factory.SubFactory(AccountFactory)
    event = factory.SubFactory(EventFactory, organization=factory.SelfAttribute("..account.organization"))
    title = factory.LazyAttribute(lambda meeting: f"Meeting with {meeting.account.name}")
    starts_at = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
    ends_at = factory.LazyAttribute(lambda meeting: meeting.starts_at + timedelta(minutes=30))
    status = Meeting.Status.CONFIRMED


class AttendeeFactory(ScopedFactory):
    class Meta:
        model = Attendee

    organization = factory.SelfAttribute("meeting.organization")
    meeting = factory.SubFactory(MeetingFactory)
    person = factory.SubFactory(PersonFactory, account=factory.SelfAttribute("..meeting.account"))
    is_primary = True


class MailboxFactory(ScopedFactory):
    """A mailbox whose domain has passed its checks."""

    class Meta:
        model = Mailbox

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Mailbox {n}")
    kind = Mailbox.Kind.SENDGRID
    from_name = "Nora Nord"
    from_address = factory.Sequence(lambda n: f"nora{n}@nordlicht.example")
    daily_cap = 1_000

    @classmethod
    def _create(cls, model_class: type, *args: Any, **kwargs: Any) -> Any:
        key = kwargs.pop("api_key", "SG.test-key-of-the-sandbox")
        mailbox = model_class(*args, **kwargs)
        mailbox.seal_credentials({"api_key": key})
        with system_scope():
            mailbox.save(force_insert=True)
            SendingDomain.objects.get_or_create(
                organization=mailbox.organization, domain=mailbox.domain, defaults={"state": "passed"}
            )
        return mailbox


class SendingDomainFactory(ScopedFactory):
    """A domain that nobody has checked yet."""

    class Meta:
        model = SendingDomain

    organization = factory.SubFactory(OrganizationFactory)
    domain = factory.Sequence(lambda n: f"sender{n}.example")


class TemplateFactory(ScopedFactory):
    class Meta:
        model = Template

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Invitation {n}")
    subject = "{{ company }} at {{ event }}"
    body = "Hello {{ first_name }},\n\nmay we show you our robots at booth {{ booth }}?\n\n{{ my_name }}"


class SnippetFactory(ScopedFactory):
    class Meta:
        model = Snippet

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"snippet_{n}")
    text = "You find us in hall 4."


class TemplateCopyFactory(ScopedFactory):
    class Meta:
        model = TemplateCopy

    template = factory.SubFactory(TemplateFactory)
    organization = factory.SelfAttribute("template.organization")


class TemplateVersionFactory(ScopedFactory):
    class Meta:
        model = TemplateVersion

    organization = factory.SelfAttribute("template.organization")
    template = factory.SubFactory(TemplateFactory)
    number = 1
    subject = "Meet us"
    body = "Hello there"


class CampaignFactory(ScopedFactory):
    class Meta:
        model = Campaign

    organization = factory.SelfAttribute("mailbox.organization")
    mailbox = factory.SubFactory(MailboxFactory)
    name = factory.Sequence(lambda n: f"Campaign {n}")
    status = Campaign.Status.REVIEW


class MessageFactory(ScopedFactory):
    """A queued message, due now, to a person with an address."""

    class Meta:
        model = Message

    organization = factory.SelfAttribute("person.organization")
    person = factory.SubFactory(PersonFactory)
    account = factory.SelfAttribute("person.account")
    mailbox = factory.SubFactory(MailboxFactory, organization=factory.SelfAttribute("..person.organization"))
    to_address = factory.SelfAttribute("person.email")
    address_hash = factory.LazyAttribute(lambda o: address_hash(o.person.organization_id, o.to_address))
    subject = "Meet us at the show"
    body = "Hello Ada,\n\nmay we show you our robots?"
    state = Message.State.QUEUED
    due_at = factory.LazyFunction(timezone.now)


class SequenceFactory(ScopedFactory):
    class Meta:
        model = Sequence

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Before the show {n}")


class StepFactory(ScopedFactory):
    class Meta:
        model = Step

    organization = factory.SelfAttribute("sequence.organization")
    sequence = factory.SubFactory(SequenceFactory)
    position = factory.Sequence(lambda n: n % 30_000)
    kind = Kind.TASK
    subject = "Call back"


class SuppressionFactory(ScopedFactory):
    class Meta:
        model = Suppression

    organization = factory.SubFactory(OrganizationFactory)
    address_hash = factory.LazyFunction(uuid4)
    reason = Suppression.Reason.MANUAL
    hint = "a…@acme.example"


class InboundMailFactory(ScopedFactory):
    class Meta:
        model = InboundMail

    organization = factory.SelfAttribute("mailbox.organization")
    mailbox = factory.SubFactory(MailboxFactory)
    kind = InboundMail.Kind.REPLY
    digest = factory.Sequence(lambda n: f"{n:064x}")
    from_address = "ada@acme.example"
    subject = "Re: Meet us"
    text = "Tuesday suits us."
    received_at = factory.LazyFunction(timezone.now)
    sorted_at = factory.LazyFunction(timezone.now)
