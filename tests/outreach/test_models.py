import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.crypto import CannotDecrypt
from identity.models import Organization
from identity.scope import org_scope
from outreach.models import Mailbox, Message, SendAttempt
from tests.factories import CampaignFactory, MailboxFactory, MessageFactory, PersonFactory


@pytest.fixture
def message(organization: Organization) -> Message:
    return MessageFactory.create(person=PersonFactory.create(account__organization=organization))


def attempt(message: Message, number: int, outcome: str) -> SendAttempt:
    return SendAttempt.objects.create(
        organization_id=message.organization_id,
        message=message,
        number=number,
        token=message.pk,
        provider="sendgrid",
        outcome=outcome,
        started_at=timezone.now(),
    )


def test_a_second_accepted_attempt_is_refused_by_the_database(organization, message):
    with org_scope(organization.pk):
        attempt(message, 1, "accepted")

        with pytest.raises(IntegrityError, match="sendattempt_one_accepted"), transaction.atomic():
            attempt(message, 2, "accepted")


@pytest.mark.parametrize("outcome", ["open", "unknown"])
def test_nothing_is_tried_while_a_try_is_open_or_unknown(organization, message, outcome):
    with org_scope(organization.pk):
        attempt(message, 1, outcome)

        with pytest.raises(IntegrityError, match="sendattempt_one_open"), transaction.atomic():
            attempt(message, 2, "open")


def test_a_campaign_writes_to_a_person_once(organization, message):
    campaign = CampaignFactory.create(mailbox=message.mailbox)
    MessageFactory.create(person=message.person, campaign=campaign, mailbox=message.mailbox)

    with pytest.raises(IntegrityError, match="message_once_per_campaign_and_person"):
        MessageFactory.create(person=message.person, campaign=campaign, mailbox=message.mailbox)


def test_sent_without_a_time_is_refused(organization, message):
    with org_scope(organization.pk), pytest.raises(IntegrityError, match="message_sent_has_timestamp"):
        Message.objects.filter(pk=message.pk).update(state="accepted")


def test_the_database_computes_the_status_of_the_api(organization, message):
    now = timezone.now()

    with org_scope(organization.pk):
        rows = Message.objects.filter(pk=message.pk)
        seen = [rows.get().status]
        rows.update(state="accepted", sent_at=now)
        seen.append(rows.get().status)
        rows.update(bounced_at=now)
        seen.append(rows.get().status)
        rows.update(replied_at=now)
        seen.append(rows.get().status)

    assert seen == ["DRAFT", "SENT", "BOUNCED", "RESPONDED"]


def test_credentials_are_encrypted_and_open_only_in_their_row(organization):
    mine = MailboxFactory.create(organization=organization, api_key="SG.very-secret")
    other = MailboxFactory.create(organization=organization, api_key="SG.other")

    assert "very-secret" not in mine.credentials
    assert mine.open_credentials() == {"api_key": "SG.very-secret"}
    other.credentials = mine.credentials
    with pytest.raises(CannotDecrypt):
        other.open_credentials()


def test_plain_credentials_are_refused_by_the_database(organization):
    mailbox = MailboxFactory.create(organization=organization)

    with org_scope(organization.pk), pytest.raises(IntegrityError, match="mailbox_credentials_encrypted"):
        Mailbox.objects.filter(pk=mailbox.pk).update(credentials="SG.plain")
