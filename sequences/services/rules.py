"""Rules that let people begin by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from identity.models import User
from sequences.conditions import read_rule
from sequences.models import EnrollmentRule, Sequence


def add_rule(sequence: Sequence, *, rule: Mapping[str, Any], actor: User) -> EnrollmentRule:
    """From now on, whoever changes so that the rule holds begins by themselves. Raises ``InvalidRule``."""
    read_rule(rule)
    return EnrollmentRule.objects.create(
        organization_id=sequence.organization_id, sequence=sequence, rule=rule, author=actor
    )


@transaction.atomic
def pause_rule(rule: EnrollmentRule, *, paused: bool) -> None:
    """Let nobody begin by it for a while; what changes meanwhile does not count, and what waits is forgotten."""
    rule.paused_at = timezone.now() if paused else None
    rule.save(update_fields=["paused_at", "updated_at"])
    rule.notices.all().delete()
