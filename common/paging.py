"""Keyset pages: where the last one ended is remembered, so page 10,000 costs what page 1 costs.

Pages and the API share it. A cursor is opaque to the caller: base64 of the sort and the values of the last row. It is
not signed, because it can only name a place in rows the caller may read anyway.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

M = TypeVar("M", bound=models.Model)

MAX_LIMIT = 200


class InvalidCursor(ValueError):
    """The cursor is damaged, or belongs to a list that was sorted differently. Start again without one."""


@dataclass(frozen=True)
class Page(Generic[M]):
    """``next_cursor`` is ``""`` on the last page."""

    items: list[M]
    next_cursor: str

    @property
    def has_more(self) -> bool:
        return bool(self.next_cursor)


def encode_cursor(sort: Sequence[str], values: Sequence[Any]) -> str:
    text = json.dumps([",".join(sort), *values], cls=ExactEncoder, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, sort: Sequence[str]) -> list[Any]:
    """The JSON values of the last row, one per sort field. Raises ``InvalidCursor``."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise InvalidCursor("This page address is damaged.") from error
    if not isinstance(found, list) or len(found) != len(sort) + 1 or found[0] != ",".join(sort):
        raise InvalidCursor("This page address belongs to a list sorted differently.")
    if any(isinstance(value, (list, dict)) or "\x00" in str(value) for value in found):
        raise InvalidCursor("This page address is damaged.")
    return found[1:]


class ExactEncoder(DjangoJSONEncoder):
    """Keeps the microseconds that Django's encoder drops: a cursor must name one row exactly."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def keyset_page(
    rows: QuerySet[M],
    *,
    sort: Sequence[str],
    limit: int = 50,
    cursor: str = "",
) -> Page[M]:
    """The next ``limit`` rows of ``rows`` after ``cursor``, sorted by ``sort`` and then by ``id``.

    ``sort`` names fields (or annotations) as ``order_by`` does; all go the same way (``-`` on every one or on none), so
    that one index serves. Only the first may hold NULLs: those rows come last either way. One query, and a second one
    on the page where the NULLs begin. Raises ``InvalidCursor``.
    """
    descending = {name.startswith("-") for name in sort}
    if len(descending) > 1:
        raise ValueError("All fields of a keyset sort go the same way.")
    down = descending == {True}
    names = [name.lstrip("-") for name in sort if name.lstrip("-") != "id"]
    keys = [f"-{name}" if down else name for name in [*names, "id"]]
    limit = max(1, min(limit, MAX_LIMIT))
    last = _typed(rows, keys, decode_cursor(cursor, keys)) if cursor else None

    first = names[0] if names else ""
    nullable = bool(first) and _output_field(rows, first).null
    found: list[M] = []
    if not (nullable and last and last[0] is None):
        part = rows.filter(**{f"{first}__isnull": False}) if nullable else rows
        found = list(_after(part, keys, last, down=down)[: limit + 1])
    if nullable and len(found) <= limit:
        inside = last[1:] if last and last[0] is None else None
        nulls = rows.filter(**{f"{first}__isnull": True})
        found += list(_after(nulls, keys[1:], inside, down=down)[: limit + 1 - len(found)])

    items = found[:limit]
    more = len(found) > limit
    return Page(items, encode_cursor(keys, [_value(items[-1], key) for key in keys]) if more else "")


def _after(rows: QuerySet[M], keys: Sequence[str], last: Sequence[Any] | None, *, down: bool) -> QuerySet[M]:
    ordered = rows.order_by(*keys)
    if last is None:
        return ordered
    names = [key.lstrip("-") for key in keys]
    if len(names) == 1:
        return ordered.filter(Q(**{f"{names[0]}__{'lt' if down else 'gt'}": last[0]}))
    beyond = TupleLessThan if down else TupleGreaterThan
    return ordered.filter(beyond(Tuple(*(F(name) for name in names)), tuple(last)))


def _typed(rows: QuerySet[M], keys: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """The cursor's JSON values as what the columns hold. Only the first may be ``None``."""
    typed = []
    for position, (key, value) in enumerate(zip(keys, values, strict=True)):
        if value is None and position:
            raise InvalidCursor("This page address is damaged.")
        field = _output_field(rows, key.lstrip("-"))
        try:
            typed.append(field.to_python(value))
            if isinstance(field, models.IntegerField) and value is not None:
                field.run_validators(typed[-1])
        except (ValidationError, ValueError, TypeError, OverflowError) as error:
            raise InvalidCursor("This page address is damaged.") from error
    return typed


def _output_field(rows: QuerySet[M], name: str) -> "models.Field[Any, Any]":
    field: models.Field[Any, Any] = rows.query.chain().resolve_ref(name).output_field
    return field


def _value(row: models.Model, key: str) -> Any:
    value: Any = row
    for name in key.lstrip("-").split("__"):
        value = getattr(value, name)
    return value
