"""What a member can ask for about shows: create, change, put away, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CASCADE
from django.utils import timezone
from django.utils.text import slugify

from common.models import TenantModel
from events.models import Event, EventCost
from identity.models import Organization, User

EDITABLE = (
    "name", "starts_on", "ends_on", "time_zone", "venue", "city", "country", "website", "booth",
    "goal_meetings", "goal_leads", "notes",
)  # fmt: skip
"""The fields of a show that a person may write."""


class NotEmpty(Exception):
    """The show has something that would be lost with it."""


class NameTaken(Exception):
    """Another show of the organization has this name."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One item of what a show costs; ``amount`` in the organization's currency."""

    kind: str = EventCost.Kind.OTHER
    description: str = ""
    amount: Decimal


@transaction.atomic
def create_event(
    organization: Organization, *, actor: User, fields: Mapping[str, Any], costs: Sequence[Cost] = ()
) -> Event:
    """Add a show. ``fields`` are names of ``EDITABLE``. Raises ``NameTaken``."""
    event = Event(organization=organization, owner=actor, **{k: v for k, v in fields.items() if k in EDITABLE})
    _check_name(event)
    event.slug = _free_slug(organization.pk, event.name)
    event.save()
    _write_costs(event, costs)
    return event


@transaction.atomic
def update_event(event: Event, *, fields: Mapping[str, Any], costs: Sequence[Cost] | None = None) -> Event:
    """Change a show. ``costs`` replaces the whole list; ``None`` leaves it alone. Raises ``NameTaken``."""
    for name in EDITABLE:
        if name in fields:
            setattr(event, name, fields[name])
    _check_name(event)
    event.save()
    if costs is not None:
        event.costs.all().delete()
        _write_costs(event, costs)
    return event


def archive_event(event: Event) -> None:
    """Put the show away: no switcher and no form offers it any more. Nothing is lost; ``restore_event`` brings it back."""
    event.archived_at = timezone.now()
    event.save(update_fields=["archived_at", "updated_at"])


def restore_event(event: Event) -> None:
    event.archived_at = None
    event.save(update_fields=["archived_at", "updated_at"])


@dataclass(frozen=True)
class Belonging:
    """Rows of one kind that name a show: how many, in words, and whether they go with it or stay without it."""

    number: int
    words: str
    goes: bool


def belongings(event: Event) -> list[Belonging]:
    """What would be touched if the show were deleted, without its own costs."""
    found = []
    for relation in Event._meta.related_objects:
        model: Any = relation.related_model
        if not issubclass(model, TenantModel) or model is EventCost:
            continue
        number = model._default_manager.filter(organization_id=event.organization_id, **{relation.field.name: event})
        meta = model._meta
        if count := number.count():
            words = meta.verbose_name if count == 1 else meta.verbose_name_plural
            found.append(Belonging(count, str(words), relation.on_delete is CASCADE))
    return found


@transaction.atomic
def delete_event(event: Event, *, with_everything: bool = False) -> None:
    """Delete the show with its targets and meetings; messages stay, without a show. Raises ``NotEmpty`` unless asked to."""
    event = Event.objects.select_for_update(of=("self",)).get(pk=event.pk)
    if not with_everything and belongings(event):
        raise NotEmpty(f"{event.name} is not empty.")
    event.delete()


def _check_name(event: Event) -> None:
    same = Event.objects.for_org(event.organization_id).filter(name=event.name).exclude(pk=event.pk)
    if same.exists():
        raise NameTaken(f"There is already a show called {event.name}.")


def _free_slug(organization_id: UUID, name: str) -> str:
    base = slugify(name)[:70] or "show"
    taken = set(
        Event.objects.for_org(organization_id).filter(slug__startswith=base).values_list("slug", flat=True),
    )
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug


def _write_costs(event: Event, costs: Sequence[Cost]) -> None:
    EventCost.objects.bulk_create(
        EventCost(
            organization_id=event.organization_id,
            event=event,
            kind=cost.kind,
            description=cost.description,
            amount=cost.amount,
        )
        for cost in costs
    )
