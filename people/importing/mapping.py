"""What the columns of one file mean: chosen by a person, or reused from the last file with the same headers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.text import normalise
from people.import_models import ListImport
from people.importing.guessing import guess_targets
from people.importing.targets import TARGETS, Target

OVERWRITE, FILL = "overwrite", "fill"
POLICIES = {OVERWRITE: "Overwrite", FILL: "Fill blanks only"}


class MappingError(ValueError):
    """The columns do not make sense together; the message is for the person who chose them."""


@dataclass(frozen=True)
class Column:
    """One column: its place (from 0), its header, what it means (``None``: ignored) and what it may do to old values."""

    index: int
    header: str
    target: Target | None
    policy: str = OVERWRITE


def guess_columns(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> list[Column]:
    return [
        Column(i, header, TARGETS.get(key), default_policy(key))
        for i, (header, key) in enumerate(zip(headers, guess_targets(headers, sample), strict=True))
    ]


def default_policy(key: str) -> str:
    target = TARGETS.get(key)
    return FILL if target and target.keeps else OVERWRITE


def as_json(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [
        {"header": c.header, "target": c.target.key if c.target else "", "policy": c.policy if c.target else ""}
        for c in columns
    ]


def from_json(headers: Sequence[str], stored: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns as stored by ``as_json``. Raises ``MappingError`` for an unknown target or policy."""
    columns = []
    for i, header in enumerate(headers):
        entry = stored[i] if i < len(stored) else {}
        columns.append(_column(i, header, str(entry.get("target") or ""), str(entry.get("policy") or "")))
    return columns


def from_named(headers: Sequence[str], named: Mapping[str, Any]) -> list[Column]:
    """Columns from ``{header: target}`` or ``{header: {"target": …, "policy": …}}``; headers not named are ignored."""
    by_header = {normalise(key): value for key, value in named.items()}
    if unknown := set(by_header) - {normalise(header) for header in headers}:
        raise MappingError(f"The file has no column called {', '.join(sorted(unknown))}.")
    columns = []
    for i, header in enumerate(headers):
        value = by_header.get(normalise(header), "")
        entry = value if isinstance(value, Mapping) else {"target": value}
        columns.append(_column(i, header, str(entry.get("target") or ""), str(entry.get("policy") or "")))
    return columns


def _column(index: int, header: str, key: str, policy: str) -> Column:
    if key in {"", "ignore"}:
        return Column(index, header, None)
    if key not in TARGETS:
        raise MappingError(f"“{header}”: there is no field called “{key}”.")
    if policy and policy not in POLICIES:
        raise MappingError(f"“{header}”: choose to overwrite or to fill blanks only.")
    return Column(index, header, TARGETS[key], policy or default_policy(key))


def check(columns: Sequence[Column], *, has_event: bool) -> None:
    """Raise ``MappingError`` when two columns claim one field, or nothing names a company or a person."""
    taken: dict[str, str] = {}
    for column in columns:
        target = column.target
        if target is None:
            continue
        if target.key in taken and not target.many:
            raise MappingError(f"“{taken[target.key]}” and “{column.header}” cannot both be “{target.label}”.")
        taken[target.key] = column.header
    parts = {TARGETS[key].part for key in taken}
    if "account.name" not in taken and "person" not in parts:
        raise MappingError("Choose the column with the company name, or columns that name a person.")
    if "person" in parts and not {"person.name", "person.first_name", "person.last_name", "person.email"} & set(taken):
        raise MappingError(
            "Choose the column with the person's name or e-mail address, or ignore the person's columns."
        )
    if not has_event and parts & {"stand", "target"}:
        raise MappingError("Halls, stands, tiers and statuses belong to an event: choose the event, or ignore them.")


def headers_key(headers: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(normalise(header) for header in headers).encode()).hexdigest()


def saved_mapping(list_import: ListImport) -> ListImport | None:
    """The latest import with the same headers whose columns somebody has confirmed."""
    return (
        ListImport.objects.for_org(list_import.organization_id)
        .filter(headers_key=list_import.headers_key, mapped_at__isnull=False)
        .exclude(pk=list_import.pk)
        .order_by("-mapped_at")
        .first()
    )
