"""How far a refusal reaches: every mail of the organization, those about one show, or those of one sequence."""

from collections.abc import Mapping
from uuid import UUID

EVERYTHING = "organization"
_FIELDS = {"event": "event_id", "sequence": "sequence_id"}


def event_scope(event_id: UUID) -> str:
    return f"event:{event_id}"


def sequence_scope(sequence_id: UUID) -> str:
    return f"sequence:{sequence_id}"


def scopes_over(*, event_id: UUID | None, sequence_id: UUID | None) -> list[str]:
    """Every scope that reaches a mail about the show, of the sequence."""
    narrow = [event_scope(event_id)] if event_id else []
    return [EVERYTHING, *narrow, *([sequence_scope(sequence_id)] if sequence_id else [])]


def rows_within(scope: str) -> Mapping[str, UUID]:
    """What to filter messages, or whatever else belongs to a show and a sequence, by; empty for everything."""
    kind, _, key = scope.partition(":")
    return {_FIELDS[kind]: UUID(key)} if kind in _FIELDS else {}
