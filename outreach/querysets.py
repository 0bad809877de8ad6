from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.apps import apps
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from common.querysets import TenantQuerySet
from outreach.scopes import EVERYTHING, scopes_over

if TYPE_CHECKING:
    from events.models import Event
    from outreach.models import (
        Campaign,
        InboundMail,
        Message,
        ProviderEvent,
        Suppression,
    )
    from people.models import Person


class CampaignQuerySet(TenantQuerySet["Campaign"]):
    def at(self, event: "Event") -> Self:
        return self.filter(event=event)


class MessageQuerySet(TenantQuerySet["Message"]):
    def at(self, event: "Event") -> Self:
        return self.filter(event=event)

    def to(self, person: "Person") -> Self:
        return self.filter(person=person)

    def sent(self) -> Self:
        """What a provider accepted: the base of every rate (X38)."""
        return self.filter(sent_at__isnull=False)

    def responded(self) -> Self:
        return self.filter(replied_at__isnull=False)

    def due(self, now: datetime) -> Self:
        """Approved, and its time has come."""
        return self.filter(state="queued", due_at__lte=now)

    def automatic(self) -> Self:
        """Written by a sequence or a campaign, not by a person to a person."""
        return self.filter(Q(enrollment_id__isnull=False) | Q(campaign__isnull=False))

    def open(self) -> Self:
        """Planned, with a time, and not at its end."""
        return self.filter(state__in=["planned", "queued", "sending", "unknown", "held"], due_at__isnull=False)

    def overdue_answer(self, now: datetime) -> Self:
        """A worker took it and its lease ran out without an outcome."""
        return self.filter(state="sending", lease_until__lt=now)

    def unresolved(self) -> Self:
        """Nobody knows yet whether these went out, or a person has to decide."""
        return self.filter(state__in=["unknown", "held"])

    def with_suppression(self) -> Self:
        """Annotate ``is_suppressed``: whether the address may not be written to, at all or about this."""

        def narrow(kind: str, field: str) -> Concat:
            return Concat(Value(f"{kind}:"), Cast(OuterRef(field), CharField()))

        active = apps.get_model("outreach", "Suppression")._default_manager.filter(
            Q(scope=EVERYTHING) | Q(scope=narrow("event", "event_id")) | Q(scope=narrow("sequence", "sequence_id")),
            organization_id=OuterRef("organization_id"),
            address_hash=OuterRef("address_hash"),
            lifted_at=None,
        )
        return self.annotate(is_suppressed=Exists(active))


class ProviderEventQuerySet(TenantQuerySet["ProviderEvent"]):
    def unprocessed(self) -> Self:
        return self.filter(processed_at=None)


class InboundMailQuerySet(TenantQuerySet["InboundMail"]):
    def replies(self) -> Self:
        return self.filter(kind="reply")

    def open(self) -> Self:
        return self.filter(handled_at=None)


class SuppressionQuerySet(TenantQuerySet["Suppression"]):
    def active(self) -> Self:
        return self.filter(lifted_at=None)

    def of(self, hashes: list[UUID], *, event_id: UUID | None = None, sequence_id: UUID | None = None) -> Self:
        """What keeps mail about the show and of the sequence from these addresses; without them, all mail."""
        scopes = scopes_over(event_id=event_id, sequence_id=sequence_id)
        return self.active().filter(address_hash__in=hashes, scope__in=scopes)
