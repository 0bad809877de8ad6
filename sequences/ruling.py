"""The worker of rules: looks at the targets that changed, and lets the people begin for whom a rule holds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from accounts.models import TargetAccount
from common.ids import uuid7
from identity.scope import org_scope, system_scope
from people.models import Person
from sequences import enrolling
from sequences.conditions import InvalidRule, read_rule
from sequences.facts import facts_of
from sequences.models import Enrollment, EnrollmentRule, Sequence

log = structlog.get_logger(__name__)

BATCH = 500
"""Targets looked at in one transaction."""


def sweep() -> int:
    """Apply the rules of every active sequence to the targets that changed. Returns how many people began."""
    with system_scope():
        active = EnrollmentRule.objects.filter(sequence__status=Sequence.Status.ACTIVE)
        waiting = list(active.order_by("organization_id", "id").values_list("organization_id", "pk"))
    begun = 0
    for organization_id, rule_id in waiting:
        goes_on = True
        while goes_on:
            came, goes_on = apply_rule(organization_id, rule_id)
            begun += came
    return begun


def apply_rule(organization_id: UUID, rule_id: UUID) -> tuple[int, bool]:
    """Look at the next batch of changed targets: how many people began, and whether more changes wait."""
    with org_scope(organization_id):
        rows = EnrollmentRule.objects.for_org(organization_id).select_for_update(of=("self",), skip_locked=True)
        found = rows.select_related("sequence__event", "sequence__mailbox", "sequence__organization", "author")
        one = found.filter(pk=rule_id).first()
        if one is None:
            return 0, False
        changed = _changed(one.sequence, one.seen_until)
        if not changed:
            return 0, False
        begun = _begin(one, changed)
        # Changes of one moment are never cut apart: the batch reaches to the end of its last moment.
        one.seen_until = changed[-1].updated_at
        one.save(update_fields=["seen_until", "updated_at"])
        return begun, len(changed) >= BATCH


def _changed(sequence: Sequence, since: datetime) -> list[TargetAccount]:
    rows = TargetAccount.objects.for_org(sequence.organization_id).filter(updated_at__gt=since)
    if sequence.event_id:
        rows = rows.filter(event=sequence.event_id)
    first = list(rows.order_by("updated_at", "id")[:BATCH])
    if len(first) < BATCH:
        return first
    last = first[-1].updated_at
    rest = rows.filter(Q(updated_at=last)).exclude(pk__in=[target.pk for target in first])
    return [*first, *rest]


def _begin(one: EnrollmentRule, changed: list[TargetAccount]) -> int:
    """Let those begin for whom the rule holds; a sequence that takes nobody, or a rule of old, lets nobody in."""
    organization_id, now = one.organization_id, timezone.now()
    events = {target.account_id: target.event_id for target in changed}
    people = Person.objects.for_org(organization_id).filter(account__in=events)
    candidates = [
        Enrollment(
            id=uuid7(), organization_id=organization_id, sequence=one.sequence, person_id=person_id,
            event_id=events[account_id], started_at=now, previous_at=now,
        )
        for person_id, account_id in people.values_list("pk", "account_id")
    ]  # fmt: skip
    try:
        rule = read_rule(one.rule)
        facts = facts_of(organization_id, candidates)
        ids = [candidate.person_id for candidate in candidates if rule.holds(facts[candidate.pk])]
        if not ids:
            return 0
        return enrolling.enroll(one.sequence, ids, actor=one.author, source=f"Rule: {rule}").begun
    except (InvalidRule, enrolling.CannotEnroll) as error:
        log.info("a rule let nobody in", rule_id=str(one.pk), reason=str(error))
        return 0
