"""One row in every tenant table, made from what the models say about themselves.

A model whose rules cannot be guessed gets its values in ``VALUES``.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.utils import timezone

from common.ids import uuid7
from common.tenancy import is_tenant_model
from identity.models import Organization, User
from identity.scope import system_scope

VALUES: dict[str, dict[str, Any]] = {
    "identity.apitoken": {"scopes": ["read"]},
    "sequences.enrollment": {"state": "waiting"},
    "sequences.sequenceversion": {"plan": {"first": None, "steps": []}},
    "sequences.enrollmentrule": {"rule": {"tests": [{"fact": "target.tier", "is": "one_of", "value": ["A"]}]}},
}
"""Label of the model to field values that guessing would get wrong."""

_numbers = count(1)


def tenant_models() -> list[type[models.Model]]:
    """All models with an organization, history tables left out, each after those it points to."""
    found = [m for m in apps.get_models() if is_tenant_model(m) and not hasattr(m, "pgh_tracked_model")]
    ordered: list[type[models.Model]] = []
    while found:
        ready = [m for m in found if not _waits_for(m, found)] or found[:1]
        ordered += ready
        found = [m for m in found if m not in ready]
    return ordered


def history_models() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if hasattr(m, "pgh_tracked_model")]


def _waits_for(model: type[models.Model], others: list[type[models.Model]]) -> bool:
    return any(
        f.related_model in others and f.related_model is not model for f in model._meta.local_fields if f.is_relation
    )


def fill(organization: Organization) -> dict[type[models.Model], models.Model]:
    """One row of every tenant model, and one row of history of every tracked one."""
    made: dict[type[models.Model], models.Model] = {}
    with system_scope():
        user = User.objects.create_user(f"row{next(_numbers)}@example.com")
        for model in tenant_models():
            with transaction.atomic():
                made[model] = model._default_manager.create(**dict(_values(model, organization, user, made)))
        for model in history_models():
            _change_somehow(made[model.pgh_tracked_model], model)
    return made


def _values(
    model: type[models.Model], organization: Organization, user: User, made: Mapping[type[models.Model], models.Model]
) -> Iterator[tuple[str, Any]]:
    special = VALUES.get(model._meta.label_lower, {})
    for field in model._meta.local_fields:
        if field.name in special:
            yield field.name, special[field.name]
        elif field.name == "organization":
            yield field.name, organization
        elif field.is_relation:
            if field.related_model is User:
                yield field.name, user
            elif field.related_model in made:
                yield field.name, made[field.related_model]
        elif not _fills_itself(field):
            yield field.name, _guess(field)


def _fills_itself(field: "models.Field[Any, Any]") -> bool:
    if isinstance(field, models.GeneratedField) or field.null or field.has_default() or field.primary_key:
        return True
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return True
    return field.blank and isinstance(field, models.CharField | models.TextField)


_GUESSES: list[tuple[Any, Any]] = [
    (models.EmailField, lambda n, _: f"row{n}@example.com"),
    (models.CharField, lambda n, _: f"row-{n}"),
    (models.TextField, lambda n, _: f"row-{n}"),
    (models.DateTimeField, lambda _, late: timezone.now() + timedelta(hours=late)),
    (models.DateField, lambda _, late: date(2026, 12, 8 + 2 * late)),
    (models.TimeField, lambda _, late: time(9 + 9 * late)),
    (models.DecimalField, lambda *_: Decimal(1)),
    (models.IntegerField, lambda *_: 1),
    (models.FloatField, lambda *_: 1.0),
    (models.BooleanField, lambda *_: False),
    (models.JSONField, lambda *_: {}),
    (models.UUIDField, lambda *_: uuid7()),
    (models.BinaryField, lambda *_: b"row"),
]


def _guess(field: "models.Field[Any, Any]") -> Any:
    if field.choices:
        return field.flatchoices[0][0]
    late = field.name.startswith(("ends", "closes", "until"))
    for kind, guess in _GUESSES:
        if isinstance(field, kind):
            return guess(next(_numbers), late)
    raise NotImplementedError(f"No idea what {field} holds: add it to VALUES")


def _change_somehow(row: models.Model, history: type[models.Model]) -> None:
    """Try one column after the other until the history trigger has noticed a change."""
    for field in row._meta.local_fields:
        if (
            field.name == "organization"
            or field.is_relation
            or field.primary_key
            or not hasattr(history, field.attname)
        ):
            continue
        try:
            with transaction.atomic():
                type(row)._default_manager.filter(pk=row.pk).update(**{field.name: _other(field, row)})
        except (DatabaseError, NotImplementedError):
            continue
        if history._default_manager.filter(pgh_obj_id=row.pk).exists():
            return
    raise NotImplementedError(f"No idea how to change a {type(row).__name__}")


def _other(field: "models.Field[Any, Any]", row: models.Model) -> Any:
    value = getattr(row, field.attname)
    if field.choices:
        return next(choice for choice, _ in field.flatchoices if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | Decimal):
        return value + 1
    return _guess(field)
