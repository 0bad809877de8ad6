"""Who changed which field of a row, when, and from what to what: read from the tables the history triggers fill.

Those tables hold the values before each change, so a change's new values are those of the next one, or of the row now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from common.models import TenantModel
from identity.models import Organization, User

QUIET = {
    "id",
    "organization",
    "created_at",
    "updated_at",
    "pgh_id",
    "pgh_obj",
    "pgh_context",
    "pgh_label",
    "pgh_created_at",
}
"""Columns of the history tables that are no values of the row."""


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One change of one row. ``by`` is the person; ``by_program`` names the program when there was none."""

    at: datetime
    by: User | None
    by_program: str
    is_deletion: bool
    subject_id: UUID
    fields: Sequence[FieldChange]


def history_of(row: TenantModel, *, limit: int = 50) -> list[Change]:
    """The latest changes of ``row``, the newest first. Ask inside the scope of its organization."""
    events = _events(type(row)).filter(organization_id=row.organization_id, pgh_obj_id=row.pk)
    return _changes(events, {row.pk: row}, type(row), limit)


def recent_changes(model: type[TenantModel], organization: Organization, *, limit: int = 100) -> list[Change]:
    """The latest changes of all rows of ``model``, the newest first."""
    events = _events(model).filter(organization_id=organization.pk)
    ids = list(events.order_by("-pgh_id").values_list("pgh_obj_id", flat=True)[:limit])
    rows = model._default_manager.filter(organization_id=organization.pk).in_bulk(set(ids))
    return _changes(events, rows, model, limit)


@cache
def history_model(model: type[models.Model]) -> type[models.Model]:
    """The model of the history table of ``model``. Raises LookupError for one without history."""
    for found in apps.get_models():
        if getattr(found, "pgh_tracked_model", None) is model:
            return found
    raise LookupError(f"{model.__name__} keeps no history.")


def _events(model: type[models.Model]) -> "models.QuerySet[Any]":
    return history_model(model)._default_manager.all()


def _changes(
    events: "models.QuerySet[Any]", rows: Mapping[UUID, models.Model], model: type[models.Model], limit: int
) -> list[Change]:
    found = list(events.select_related("pgh_context").order_by("-pgh_created_at", "-pgh_id")[:limit])
    shown = [field for field in history_model(model)._meta.local_fields if field.name not in QUIET]
    after: dict[UUID, models.Model | None] = dict(rows)
    steps = []
    for event in found:
        later = after.get(event.pgh_obj_id)
        steps.append((event, _differences(event, later, shown) if event.pgh_label != "delete" else []))
        after[event.pgh_obj_id] = event
    people = _people(found, steps)
    names = _names(steps, people)
    return [_describe(event, pairs, people, names) for event, pairs in steps if pairs or event.pgh_label == "delete"]


Pair = tuple["models.Field[Any, Any]", Any, Any]


def _differences(before: models.Model, after: models.Model | None, fields: Iterable[Any]) -> list[Pair]:
    if after is None:
        return []
    pairs = ((field, getattr(before, field.attname), getattr(after, field.attname)) for field in fields)
    return [pair for pair in pairs if pair[1] != pair[2]]


def _people(events: Sequence[Any], steps: Sequence[tuple[Any, list[Pair]]]) -> dict[str, User]:
    ids = {event.pgh_context.metadata.get("user") for event in events if event.pgh_context}
    for _, pairs in steps:
        ids |= {str(value) for field, *values in pairs if field.related_model is User for value in values if value}
    return {str(user.pk): user for user in User.objects.filter(pk__in=[id_ for id_ in ids if id_])}


def _names(steps: Sequence[tuple[Any, list[Pair]]], people: Mapping[str, User]) -> dict[str, str]:
    """What the rows that changed fields point to are called; rows that are gone have no name."""
    wanted: dict[type[models.Model], set[Any]] = {}
    for _, pairs in steps:
        for field, *values in pairs:
            target = field.related_model
            if isinstance(target, type) and target is not User:
                wanted.setdefault(target, set()).update(value for value in values if value)
    names = {
        str(pk): str(row) for model, ids in wanted.items() for pk, row in model._default_manager.in_bulk(ids).items()
    }
    return names | {pk: str(user) for pk, user in people.items()}


def _describe(event: Any, pairs: Sequence[Pair], people: Mapping[str, User], names: Mapping[str, str]) -> Change:
    known = event.pgh_context.metadata if event.pgh_context else {}
    return Change(
        at=event.pgh_created_at,
        by=people.get(known.get("user", "")),
        by_program=known.get("task", "").removeprefix("system:"),
        is_deletion=event.pgh_label == "delete",
        subject_id=event.pgh_obj_id,
        fields=[
            FieldChange(_label(field), _say(field, before, names), _say(field, after, names))
            for field, before, after in pairs
        ],
    )


def _label(field: Any) -> str:
    words = str(field.verbose_name)
    return words[:1].upper() + words[1:]


def _say(field: Any, value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return ""
    if field.is_relation:
        return names.get(str(value), "(deleted)")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(dict(field.flatchoices).get(value, value) if field.choices else value)
