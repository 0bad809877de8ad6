"""Write the drafts of a campaign: one text per person, and a reason for everybody who is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import Stand
from common.places import first_zone, zone_of_country
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach import merging, pacing, rendering, signals
from outreach.addresses import address_hash, hashes_of
from outreach.models import Campaign, Message, Suppression, Template
from people.mail_domains import unusable
from people.models import Person

CHUNK = 500
State, Cause = Message.State, Message.Cause
SUPPRESSED = "The address is on the suppression list."


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What one person would get, or why nothing."""

    subject: str = ""
    body: str = ""
    address_hash: UUID | None = None
    left_out: str = ""


@dataclass(frozen=True)
class Writer:
    """Fills one template for many people of one organization. Works inside the scope."""

    organization: Organization
    subject: str
    body: str
    event: Event | None
    sender: User | None

    @cached_property
    def fields(self) -> list[str]:
        return merging.fields_in(self.subject, self.body)

    def write(self, people: Iterable[Person]) -> dict[UUID, Draft]:
        """A draft for each person, by id. Raises InvalidTemplate."""
        people = list(people)
        blocked = unusable(self.organization.pk, (person.email for person in people))
        blocked |= dict.fromkeys(self._suppressed(person.email for person in people), SUPPRESSED)
        stands = self._stands(people) if "stand" in self.fields else {}
        return {
            person.pk: self._write(person, blocked, stands.get(person.account_id or person.pk, "")) for person in people
        }

    def _write(self, person: Person, blocked: dict[str, str], stand: str) -> Draft:
        if not person.email:
            return Draft(left_out="There is no e-mail address.")
        if person.email in blocked:
            return Draft(left_out=blocked[person.email])
        try:
            subject, body = self._fill(person, stand)
        except merging.CannotFill as error:
            return Draft(left_out=str(error))
        if len(subject) > 300:
            return Draft(left_out="The subject would be longer than 300 characters.")
        return Draft(subject=subject, body=body, address_hash=address_hash(self.organization.pk, person.email))

    def fill(self, person: Person) -> tuple[str, str]:
        """Subject and body for one person, whether or not they may be written to. Raises InvalidTemplate, CannotFill."""
        stands = self._stands([person]) if "stand" in self.fields else {}
        return self._fill(person, stands.get(person.account_id or person.pk, ""))

    def _fill(self, person: Person, stand: str) -> tuple[str, str]:
        values = rendering.merge_values(
            person, account=person.account, event=self.event, sender=self.sender, organization=self.organization,
            stand=stand,
        )  # fmt: skip
        return merging.fill(self.subject, values), merging.fill(self.body, values)

    def _suppressed(self, addresses: Iterable[str]) -> set[str]:
        hashes = hashes_of(self.organization.pk, filter(None, addresses))
        entries = Suppression.objects.for_org(self.organization)
        found = entries.of(list(hashes), event_id=self.event.pk if self.event else None)
        return {hashes[entry.address_hash] for entry in found.only("address_hash")}

    def _stands(self, people: Iterable[Person]) -> Mapping[UUID, str]:
        if self.event is None:
            return {}
        stands = Stand.objects.for_org(self.organization).filter(
            target__event=self.event, target__account__in={person.account_id for person in people}
        )
        names: dict[UUID, list[str]] = {}
        for stand in stands.select_related("target"):
            names.setdefault(stand.target.account_id, []).append(str(stand))
        return {account: ", ".join(sorted(own)) for account, own in names.items()}


def writer_for(campaign: Campaign, template: Template | None) -> Writer:
    """The writer of one wording of a campaign. Works inside the scope."""
    subject, body = (template.subject, template.body) if template else ("", "")
    return Writer(campaign.organization, subject, body, campaign.event, campaign.owner)


def write_drafts(organization_id: UUID, campaign_id: UUID) -> None:
    """Write every planned message of the campaign, a chunk per transaction. May be killed and run again at any time."""
    while _write_chunk(organization_id, campaign_id):
        pass


def _write_chunk(organization_id: UUID, campaign_id: UUID) -> bool:
    with org_scope(organization_id):
        campaign = (
            Campaign.objects.for_org(organization_id)
            .select_related("organization", "event", "owner")
            .filter(pk=campaign_id, status=Campaign.Status.DRAFTING)
            .first()
        )
        if campaign is None:
            return False
        to_write = campaign.messages.filter(state=State.PLANNED).exclude(cause=Cause.COMPARED)
        planned = list(to_write.order_by("id").select_for_update(of=("self",), skip_locked=True)[:CHUNK])
        if not planned:
            if not to_write.exists():
                Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.DRAFTING).update(
                    status=Campaign.Status.REVIEW, updated_at=timezone.now()
                )
            return False
        fill_drafts(campaign, planned)
        return True


def fill_drafts(campaign: Campaign, messages: Sequence[Message]) -> None:
    """Write the given messages of the campaign, each from its own template, and save them. Works inside the scope."""
    people = Person.objects.for_org(campaign.organization).filter(pk__in=[m.person_id for m in messages])
    by_id = {person.pk: person for person in people.select_related("account")}
    templates = {
        template.pk: template for template in Template.objects.filter(pk__in={m.template_id for m in messages})
    }
    now, gone = timezone.now(), Draft(left_out="The template is gone.")
    for template_id in {message.template_id for message in messages}:
        template = templates.get(template_id) if template_id else None
        own = [message for message in messages if message.template_id == template_id]
        drafts = writer_for(campaign, template).write(by_id[one.person_id] for one in own) if template else {}
        for message in own:
            _fill(message, by_id[message.person_id], drafts.get(message.person_id, gone), campaign, now)
            message.template_version = template.version if template else None
    Message.objects.bulk_update(
        messages,
        [
            "account", "to_address", "address_hash", "subject", "body", "state", "cause", "reason", "template_version",
            "time_zone", "updated_at",
        ],
        batch_size=250,
    )  # fmt: skip
    signals.messages_changed.send(sender=Message, organization_id=campaign.organization_id)


def _fill(message: Message, person: Person, draft: Draft, campaign: Campaign, now: datetime) -> None:
    message.account_id = person.account_id
    message.to_address = person.email
    message.address_hash = draft.address_hash
    message.time_zone = str(zone_of(person, event=campaign.event, organization=campaign.organization))
    message.subject, message.body = draft.subject, draft.body
    message.state = State.SKIPPED if draft.left_out else State.DRAFT
    message.cause, message.reason = "", draft.left_out
    message.updated_at = now


def zone_of(person: Person, *, event: Event | None, organization: Organization) -> ZoneInfo:
    """The recipient's zone: their own, else their country's, their company's, the show's, the organization's."""
    account = person.account
    return first_zone(
        person.time_zone,
        zone_of_country(person.country),
        zone_of_country(account.country) if account else "",
        event.time_zone if event else "",
        organization.time_zone,
    )


# --- Who waited for the better wording -------------------------------------------------------------------------------


def write_rest(organization_id: UUID, campaign_id: UUID) -> None:
    """Write to everybody who waited, in the wording that won; what was approved is queued. May be killed at any time."""
    while _write_rest_chunk(organization_id, campaign_id):
        pass


def _write_rest_chunk(organization_id: UUID, campaign_id: UUID) -> bool:
    with org_scope(organization_id):
        campaign = (
            Campaign.objects.for_org(organization_id)
            .select_related("organization", "event", "owner", "comparison")
            .select_for_update(of=("self",))
            .filter(pk=campaign_id, status__in=[Campaign.Status.REVIEW, Campaign.Status.SENDING])
            .first()
        )
        if campaign is None or campaign.comparison is None or not campaign.comparison.winner:
            return False
        chosen = campaign.comparison.variants.get(letter=campaign.comparison.winner)
        waiting = list(campaign.messages.filter(state=State.PLANNED, cause=Cause.COMPARED).order_by("id")[:CHUNK])
        if not waiting:
            return False
        for message in waiting:
            message.variant, message.template_id = chosen.letter, chosen.template_id
        Message.objects.bulk_update(waiting, ["variant", "template"], batch_size=250)
        fill_drafts(campaign, waiting)
        if campaign.status == Campaign.Status.SENDING:
            pacing.spread(campaign, Q(pk__in=[one.pk for one in waiting], state=State.DRAFT), after_others=True)
        return True


def waiting_for_words() -> list[tuple[UUID, UUID]]:
    """``(organization_id, campaign_id)`` where people wait for a wording that is known by now."""
    with system_scope():
        waiting = Message.objects.filter(
            organization=OuterRef("organization"), campaign=OuterRef("pk"), state=State.PLANNED, cause=Cause.COMPARED
        )
        decided = Campaign.objects.filter(
            comparison__decided_at__isnull=False, status__in=[Campaign.Status.REVIEW, Campaign.Status.SENDING]
        )
        return list(decided.filter(Exists(waiting)).values_list("organization_id", "id"))


def unfinished_campaigns() -> list[tuple[UUID, UUID]]:
    """``(organization_id, campaign_id)`` of every campaign whose drafts are not all written."""
    with system_scope():
        return list(Campaign.objects.filter(status=Campaign.Status.DRAFTING).values_list("organization_id", "id"))
