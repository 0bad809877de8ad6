"""Campaigns: choose people, write drafts, approve them, stop them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from common.doorbell import ring
from events.models import Event
from identity.models import Organization, User
from outreach import drafting, merging, signals, tasks
from outreach.models import Campaign, Mailbox, Message, Template
from people.models import Person

AT_ONCE = 300
"""Up to so many drafts are written while the person waits; more in the background."""
State = Message.State


class CannotSend(Exception):
    """Something keeps the mails from leaving; its text says what to do."""


@transaction.atomic
def start_campaign(
    organization: Organization,
    *,
    name: str,
    event: Event | None,
    template: Template,
    mailbox: Mailbox,
    people: QuerySet[Person],
    actor: User,
) -> Campaign:
    """Plan one message for each of ``people`` and begin to write the drafts. Raises InvalidTemplate."""
    merging.fields_in(template.subject, template.body)
    campaign = Campaign.objects.create(
        organization=organization, name=name, event=event, template=template, mailbox=mailbox, owner=actor
    )
    planned = plan(campaign, people.values_list("pk", flat=True))
    if planned <= AT_ONCE:
        _write_now(campaign)
    else:
        ring(tasks.write_drafts, str(organization.pk), str(campaign.pk))
    return campaign


def plan(campaign: Campaign, person_ids: Iterable[UUID]) -> int:
    """One planned message per person, once. Returns how many were added."""
    before = campaign.messages.count()
    ids = iter(person_ids.iterator() if isinstance(person_ids, QuerySet) else person_ids)
    while chunk := list(islice(ids, 2_000)):
        Message.objects.bulk_create(
            (
                Message(
                    organization_id=campaign.organization_id,
                    campaign=campaign,
                    person_id=person_id,
                    event_id=campaign.event_id,
                    mailbox_id=campaign.mailbox_id,
                    template_id=campaign.template_id,
                    owner_id=campaign.owner_id,
                    state=State.PLANNED,
                )
                for person_id in chunk
            ),
            ignore_conflicts=True,
        )
    signals.messages_changed.send(sender=Message, organization_id=campaign.organization_id)
    return campaign.messages.count() - before


def _write_now(campaign: Campaign) -> None:
    messages = list(campaign.messages.filter(state=State.PLANNED))
    drafting.fill_drafts(messages, drafting.writer_for(campaign), campaign.template)
    campaign.status = Campaign.Status.REVIEW
    campaign.save(update_fields=["status", "updated_at"])


@transaction.atomic
def write_left_out_again(campaign: Campaign) -> int:
    """Try once more for whoever was left out, after somebody added what was missing. Returns how many are drafts now."""
    again = list(campaign.messages.filter(state=State.SKIPPED, attempts=0).select_for_update())
    drafting.fill_drafts(again, drafting.writer_for(campaign), campaign.template)
    written = sum(message.state == State.DRAFT for message in again)
    if written and campaign.status in {Campaign.Status.DONE, Campaign.Status.SENDING}:
        Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.REVIEW)
    return written


def check_can_send(organization: Organization, mailbox: Mailbox | None) -> None:
    """Raises CannotSend."""
    if not organization.postal_address.strip():
        raise CannotSend("The law asks for a postal address in every mail. Add it in the organization's settings.")
    if mailbox is None or mailbox.archived_at:
        raise CannotSend("The mailbox is gone. Choose another one.")
    if not mailbox.credentials and mailbox.kind == Mailbox.Kind.SENDGRID:
        raise CannotSend(f"The mailbox “{mailbox.name}” has no API key. Add it in the settings of the mailbox.")


@transaction.atomic
def approve_campaign(campaign: Campaign, *, actor: User, due_at: datetime | None = None) -> int:
    """Queue every draft of the campaign. Returns how many. Raises CannotSend."""
    campaign = (
        Campaign.objects.select_related("mailbox", "organization").select_for_update(of=("self",)).get(pk=campaign.pk)
    )
    check_can_send(campaign.organization, campaign.mailbox)
    now = timezone.now()
    queued = campaign.messages.filter(state=State.DRAFT).update(
        state=State.QUEUED, reason="", due_at=due_at or now, approved_at=now, approved_by=actor, updated_at=now
    )
    if queued:
        campaign.status, campaign.approved_at, campaign.approved_by = Campaign.Status.SENDING, now, actor
        campaign.save(update_fields=["status", "approved_at", "approved_by", "updated_at"])
        ring_for(queued)
    return queued


def ring_for(messages: int) -> None:
    """Wake a worker, and a second one for many messages."""
    for _ in range(2 if messages > 20 else 1):
        ring(tasks.send_due)


@transaction.atomic
def cancel_campaign(campaign: Campaign) -> int:
    """Stop what has not left yet. Returns how many mails will not be sent."""
    now = timezone.now()
    cancelled = campaign.messages.filter(state__in=[State.PLANNED, State.DRAFT, State.QUEUED]).update(
        state=State.CANCELLED, reason="The campaign was stopped.", updated_at=now
    )
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.CANCELLED, updated_at=now)
    return cancelled


@dataclass(frozen=True)
class Progress:
    """Where the messages of a campaign stand. ``total`` counts everybody who was chosen."""

    total: int
    drafts: int
    left_out: int
    planned: int
    queued: int
    sent: int
    failed: int
    unresolved: int
    cancelled: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int

    @property
    def written(self) -> int:
        return self.total - self.planned

    @property
    def gone(self) -> int:
        return self.sent + self.failed + self.unresolved

    @property
    def to_send(self) -> int:
        return self.queued + self.gone

    @property
    def is_moving(self) -> bool:
        return bool(self.planned or self.queued)


def progress(messages: QuerySet[Message]) -> Progress:
    """One query over the given messages."""
    counts: dict[str, Any] = messages.aggregate(
        total=Count("id"),
        drafts=Count("id", filter=Q(state=State.DRAFT)),
        left_out=Count("id", filter=Q(state=State.SKIPPED)),
        planned=Count("id", filter=Q(state=State.PLANNED)),
        queued=Count("id", filter=Q(state__in=[State.QUEUED, State.SENDING])),
        sent=Count("id", filter=Q(sent_at__isnull=False)),
        failed=Count("id", filter=Q(state=State.REJECTED)),
        unresolved=Count("id", filter=Q(state__in=[State.UNKNOWN, State.HELD])),
        cancelled=Count("id", filter=Q(state=State.CANCELLED)),
        delivered=Count("id", filter=Q(delivered_at__isnull=False)),
        opened=Count("id", filter=Q(opened_at__isnull=False)),
        clicked=Count("id", filter=Q(clicked_at__isnull=False)),
        replied=Count("id", filter=Q(replied_at__isnull=False)),
        bounced=Count("id", filter=Q(bounced_at__isnull=False)),
    )
    return Progress(**counts)
