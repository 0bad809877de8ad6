"""Campaigns: choose people, write drafts, approve them, stop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from common.doorbell import ring
from events.models import Event
from identity.models import Organization, User
from outreach import comparing, drafting, merging, pacing, signals, tasks
from outreach.models import Campaign, Comparison, Mailbox, Message, Template
from people.models import Person

AT_ONCE = 300
"""Up to so many drafts are written while the person waits; more in the background."""
SOON = timedelta(minutes=2)
"""A page that shows mails leaving looks again and again when the next one is this near."""
State, Cause = Message.State, Message.Cause


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
    comparison: Comparison | None = None,
    test_share: int = 100,
) -> Campaign:
    """Plan one message for each of ``people`` and begin to write the drafts. Raises InvalidTemplate.

    With a ``comparison`` each person gets one of its wordings; when ``test_share`` is below 100, only so many percent do,
    and the others wait for the one that wins.
    """
    merging.fields_in(template.subject, template.body)
    campaign = Campaign.objects.create(
        organization=organization, name=name, event=event, template=template, mailbox=mailbox, owner=actor,
        comparison=comparison, test_share=test_share if comparison else 100,
    )  # fmt: skip
    planned = plan(campaign, people.values_list("pk", flat=True))
    if planned <= AT_ONCE:
        _write_now(campaign)
    else:
        ring(tasks.write_drafts, str(organization.pk), str(campaign.pk))
    return campaign


def plan(campaign: Campaign, person_ids: Iterable[UUID]) -> int:
    """One planned message per person, once. Returns how many were added."""
    before = campaign.messages.count()
    deal = comparing.deals(campaign.organization_id, [campaign.comparison_id]) if campaign.comparison_id else {}
    ids = iter(person_ids.iterator() if isinstance(person_ids, QuerySet) else person_ids)
    while chunk := list(islice(ids, 2_000)):
        Message.objects.bulk_create(
            (
                Message(
                    organization_id=campaign.organization_id, campaign=campaign, person_id=person_id,
                    event_id=campaign.event_id, mailbox_id=campaign.mailbox_id, owner_id=campaign.owner_id,
                    state=State.PLANNED, **_wording(campaign, deal, person_id),
                )
                for person_id in chunk
            ),
            ignore_conflicts=True,
        )  # fmt: skip
    signals.messages_changed.send(sender=Message, organization_id=campaign.organization_id)
    return campaign.messages.count() - before


def _wording(campaign: Campaign, deals: Mapping[UUID, comparing.Deal], person_id: UUID) -> dict[str, Any]:
    """Which wording a person of the campaign gets, or that they wait until the best is known."""
    if campaign.comparison_id is None:
        return {"template_id": campaign.template_id}
    if comparing.share_of(campaign.comparison_id, person_id, salt="test") * 100 >= campaign.test_share:
        waits = {"cause": Cause.COMPARED, "reason": "Waits until it is known which wording is the better one."}
        return {"comparison_id": campaign.comparison_id, **waits}
    letter, template_id = deals[campaign.comparison_id].draw(person_id)
    return {"comparison_id": campaign.comparison_id, "variant": letter, "template_id": template_id}


def _write_now(campaign: Campaign) -> None:
    drafting.fill_drafts(campaign, list(campaign.messages.filter(state=State.PLANNED).exclude(cause=Cause.COMPARED)))
    campaign.status = Campaign.Status.REVIEW
    campaign.save(update_fields=["status", "updated_at"])


@transaction.atomic
def write_left_out_again(campaign: Campaign) -> int:
    """Try once more for whoever was left out, after somebody added what was missing. Returns how many are drafts now."""
    again = list(campaign.messages.filter(state=State.SKIPPED, attempts=0).select_for_update())
    drafting.fill_drafts(campaign, again)
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


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """From when on the mails leave (at once without), whether by the recipients' hours, and how many an hour at most."""

    send_at: datetime | None = None
    keeps_window: bool = False
    per_hour: int | None = None


SCHEDULE = ["send_at", "keeps_window", "per_hour"]


@transaction.atomic
def approve_campaign(campaign: Campaign, *, actor: User, schedule: Schedule | None = None) -> int:
    """Queue every draft of the campaign, by the schedule. Returns how many. Raises CannotSend."""
    campaign = _locked(campaign)
    check_can_send(campaign.organization, campaign.mailbox)
    now = timezone.now()
    _set(campaign, schedule or Schedule())
    campaign.approved_at, campaign.approved_by = now, actor
    queued = pacing.spread(campaign, Q(state=State.DRAFT))
    if queued:
        campaign.status = Campaign.Status.SENDING
        campaign.save(update_fields=["status", "approved_at", "approved_by", "updated_at", *SCHEDULE])
        _date_those_who_wait(campaign)
        ring_for(queued)
    return queued


@transaction.atomic
def reschedule_campaign(campaign: Campaign, *, schedule: Schedule) -> int:
    """Give everything that has not left another time. Returns how many mails. Raises CannotSend."""
    campaign = _locked(campaign)
    if campaign.status not in {Campaign.Status.SENDING, Campaign.Status.PAUSED}:
        raise CannotSend("There is nothing to schedule: approve the drafts first.")
    _set(campaign, schedule)
    campaign.save(update_fields=["updated_at", *SCHEDULE])
    if campaign.status == Campaign.Status.PAUSED:
        return campaign.messages.filter(state=State.PLANNED, cause=Cause.PAUSED).count()
    moved = pacing.spread(campaign, Q(state=State.QUEUED))
    _date_those_who_wait(campaign)
    ring_for(moved)
    return moved


@transaction.atomic
def pause_campaign(campaign: Campaign, *, actor: User) -> int:
    """Hold back what has not left. Returns how many mails wait. Raises CannotSend."""
    campaign = _locked(campaign)
    if campaign.status != Campaign.Status.SENDING:
        raise CannotSend("Only a campaign that is sending can be paused.")
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.PAUSED, updated_at=timezone.now())
    waiting = campaign.messages.filter(state__in=[State.QUEUED, State.SENDING])
    return pacing.take_back(
        waiting, state=State.PLANNED, cause=Cause.PAUSED, reason=f"The campaign was paused by {actor}."[:300]
    )


@transaction.atomic
def resume_campaign(campaign: Campaign) -> int:
    """Let a paused campaign go on by its schedule. Returns how many mails are queued again. Raises CannotSend."""
    campaign = _locked(campaign)
    if campaign.status != Campaign.Status.PAUSED:
        raise CannotSend("The campaign is not paused.")
    check_can_send(campaign.organization, campaign.mailbox)
    campaign.status = Campaign.Status.SENDING
    campaign.save(update_fields=["status", "updated_at"])
    queued = pacing.spread(campaign, Q(state=State.PLANNED, cause=Cause.PAUSED))
    _date_those_who_wait(campaign)
    ring_for(queued)
    return queued


def _locked(campaign: Campaign) -> Campaign:
    rows = Campaign.objects.select_related("mailbox", "organization").select_for_update(of=("self",))
    return rows.get(pk=campaign.pk)


def _set(campaign: Campaign, schedule: Schedule) -> None:
    for name in SCHEDULE:
        setattr(campaign, name, getattr(schedule, name))


def _date_those_who_wait(campaign: Campaign) -> None:
    """From the approval on, whoever waits for the better wording stands in the ledger too."""
    campaign.messages.filter(state=State.PLANNED, cause=Cause.COMPARED).update(
        due_at=pacing.first_moment(campaign), updated_at=timezone.now()
    )


def ring_for(messages: int) -> None:
    """Wake a worker, and a second one for many messages."""
    for _ in range(2 if messages > 20 else 1):
        ring(tasks.send_due)


@transaction.atomic
def cancel_campaign(campaign: Campaign) -> int:
    """Stop what has not left yet. Returns how many mails will not be sent."""
    campaign = _locked(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.CANCELLED, updated_at=timezone.now())
    return pacing.take_back(
        campaign.messages.filter(state__in=[State.PLANNED, State.DRAFT, State.QUEUED, State.SENDING]),
        state=State.CANCELLED, cause="", reason="The campaign was stopped.",
    )  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """Where the messages of a campaign stand. ``total`` counts everybody who was chosen."""

    total: int
    drafts: int
    left_out: int
    planned: int
    waiting: int
    queued: int
    leaving: int
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
        return self.queued + self.waiting + self.gone

    @property
    def is_moving(self) -> bool:
        return bool(self.planned or self.leaving)


def progress(messages: QuerySet[Message]) -> Progress:
    """One query over the given messages."""
    counts: dict[str, Any] = messages.aggregate(
        total=Count("id"),
        drafts=Count("id", filter=Q(state=State.DRAFT)),
        left_out=Count("id", filter=Q(state=State.SKIPPED)),
        planned=Count("id", filter=Q(state=State.PLANNED, cause="")),
        waiting=Count("id", filter=Q(state=State.PLANNED) & ~Q(cause="")),
        queued=Count("id", filter=Q(state__in=[State.QUEUED, State.SENDING])),
        leaving=Count("id", filter=Q(state=State.SENDING) | Q(state=State.QUEUED, due_at__lte=timezone.now() + SOON)),
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
