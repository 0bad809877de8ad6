"""Rules that let people begin by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from identity.models import User
from sequences.conditions import read_rule
from sequences.models import EnrollmentRule, Sequence


def add_rule(sequence: Sequence, *, rule: Mapping[str, Any], actor: User) -> EnrollmentRule:
    """From now on, whoever's target changes so that the rule holds begins by themselves. Raises ``InvalidRule``."""
    read_rule(rule)
    return EnrollmentRule.objects.create(
        organization_id=sequence.organization_id, sequence=sequence, rule=rule, author=actor,
        seen_until=timezone.now(),
    )  # fmt: skip
