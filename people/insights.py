"""What other apps know about a person, as the API tells it with them."""

from collections.abc import Callable, Sequence
from typing import Any

from people.models import Person

insight_sources: list[Callable[[Person], Sequence[dict[str, Any]]]] = []
"""Functions from a person to insights, each ``{"kind", "text", "source"?, "at"?}``. Register from ``ready``."""


def insights_of(person: Person) -> list[dict[str, Any]]:
    """Everything known about the person, and why their score is what it is."""
    reasons = [
        {"kind": "icp", "text": str(reason.get("text") or reason.get("label") or ""), "points": reason.get("points")}
        for reason in person.icp_reasons
        if isinstance(reason, dict)
    ]
    return reasons + [insight for source in insight_sources for insight in source(person)]
