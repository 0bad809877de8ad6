"""Write the drafts of a campaign: one text per person, and a reason for everybody who is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import Stand
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach import merging, rendering, signals
from outreach.addresses import address_hash, hashes_of
from outreach.models import Campaign, Message, Suppression, Template
from people.models import Person

CHUNK = 500
State = Message.State


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
        blocked = self._suppressed(person.email for person in people)
        stands = self._stands(people) if "stand" in self.fields else {}
        return {
            person.pk: self._write(person, blocked, stands.get(person.account_id or person.pk, "")) for person in people
        }

    def _write(self, person: Person, blocked: set[str], stand: str) -> Draft:
        if not person.email:
            return Draft(left_out="There is no e-mail address.")
        if person.email in blocked:
            return Draft(left_out="The address is on the suppression list.")
        values = rendering.merge_values(
            person,
            account=person.account,
            event=self.event,
            sender=self.sender,
            organization=self.organization,
            stand=stand,
        )
        try:
            subject, body = merging.fill(self.subject, values), merging.fill(self.body, values)
        except merging.CannotFill as error:
            return Draft(left_out=str(error))
        if len(subject) > 300:
            return Draft(left_out="The subject would be longer than 300 characters.")
        return Draft(subject=subject, body=body, address_hash=address_hash(self.organization.pk, person.email))

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


def writer_for(campaign: Campaign) -> Writer:
    """The writer of a campaign. Works inside the scope."""
    template = campaign.template
    return Writer(
        organization=campaign.organization,
        subject=template.subject if template else "",
        body=template.body if template else "",
        event=campaign.event,
        sender=campaign.owner,
    )


def write_drafts(organization_id: UUID, campaign_id: UUID) -> None:
    """Write every planned message of the campaign, a chunk per transaction. May be killed and run again at any time."""
    while _write_chunk(organization_id, campaign_id):
        pass


def _write_chunk(organization_id: UUID, campaign_id: UUID) -> bool:
    with org_scope(organization_id):
        campaign = (
            Campaign.objects.for_org(organization_id)
            .select_related("organization", "template", "event", "owner")
            .filter(pk=campaign_id, status=Campaign.Status.DRAFTING)
            .first()
        )
        if campaign is None:
            return False
        planned = list(
            campaign.messages.filter(state=State.PLANNED)
            .order_by("id")
            .select_for_update(of=("self",), skip_locked=True)[:CHUNK]
        )
        if not planned:
            waiting = campaign.messages.filter(state=State.PLANNED).exists()
            if not waiting:
                Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.DRAFTING).update(
                    status=Campaign.Status.REVIEW, updated_at=timezone.now()
                )
            return False
        fill_drafts(planned, writer_for(campaign), campaign.template)
        return True


def fill_drafts(messages: list[Message], writer: Writer, template: Template | None) -> None:
    """Write the given messages and save them. Works inside the scope."""
    people = Person.objects.for_org(writer.organization).filter(pk__in=[m.person_id for m in messages])
    by_id = {person.pk: person for person in people.select_related("account")}
    drafts = writer.write(by_id.values())
    now = timezone.now()
    for message in messages:
        person, draft = by_id[message.person_id], drafts[message.person_id]
        message.account_id = person.account_id
        message.to_address = person.email
        message.address_hash = draft.address_hash
        message.subject, message.body = draft.subject, draft.body
        message.state = State.SKIPPED if draft.left_out else State.DRAFT
        message.reason = draft.left_out
        message.template_version = template.version if template else None
        message.updated_at = now
    Message.objects.bulk_update(
        messages,
        [
            "account", "to_address", "address_hash", "subject", "body", "state", "reason", "template_version", "updated_at",
        ],
        batch_size=250,
    )  # fmt: skip
    signals.messages_changed.send(sender=Message, organization_id=writer.organization.pk)


def unfinished_campaigns() -> list[tuple[UUID, UUID]]:
    """``(organization_id, campaign_id)`` of every campaign whose drafts are not all written."""
    with system_scope():
        return list(Campaign.objects.filter(status=Campaign.Status.DRAFTING).values_list("organization_id", "id"))
