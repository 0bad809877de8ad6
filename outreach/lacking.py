"""How many people lack a value that a template cannot do without, counted by the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from common.search import OutOfTime, time_limit
from events.models import Event
from outreach import merging
from outreach.models import Template
from people.models import Person

PATIENCE_MS = 2_000
MANY = 0.05
"""From this share of the people on it is worth a warning."""
_OF_PERSON = {
    "first_name": Q(first_name=""),
    "last_name": Q(last_name=""),
    "full_name": Q(first_name="", last_name=""),
    "title": Q(title=""),
    "company": Q(account=None) | Q(account__name=""),
    "industry": Q(account=None) | Q(account__industry=""),
    "city": Q(city="") & (Q(account=None) | Q(account__city="")),
    "country": Q(country="") & (Q(account=None) | Q(account__country="")),
}
_OF_SHOW = {"event": "name", "event_dates": "starts_on", "venue": "venue", "booth": "booth"}


@dataclass(frozen=True)
class Lack:
    """So many of the people lack the field, and the template cannot do without it."""

    template: Template
    label: str
    number: int


def lacking(people: QuerySet[Person], templates: Iterable[Template], *, event: Event | None) -> list[Lack]:
    """What is missing for many of these people, in one query; nothing when that takes too long. Works inside the scope."""
    needed = {template: merging.needed_fields(template.subject, template.body) for template in templates}
    asked = {name for names in needed.values() for name in names if name in _OF_PERSON}
    counts: dict[str, Any] = {name: Count("pk", filter=_OF_PERSON[name]) for name in asked}
    # The list may be ordered, or cut to one page's joins: only who is in it matters.
    whole = Person.objects.filter(pk__in=people.order_by().values("pk"))
    try:
        with time_limit(PATIENCE_MS):
            found = whole.aggregate(everybody=Count("pk"), **counts)
    except OutOfTime:
        return []
    for name, column in _OF_SHOW.items():
        found[name] = 0 if event is not None and getattr(event, column) else found["everybody"]
    return [
        Lack(template, merging.FIELDS[name], found[name])
        for template, names in needed.items()
        for name in names
        if found.get(name, 0) > MANY * found["everybody"]
    ]
