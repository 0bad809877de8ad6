"""The worker of rules: looks at people and targets that changed, and lets those begin for whom a rule holds.

Triggers write a ``RuleNotice`` for each change that a rule can ask about, in the transaction of the change and however it is
made; a rule looks at its notices in batches and deletes them in the transaction in which it lets people begin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Many
from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import TargetAccount
from common.ids import uuid7
from identity.scope import org_scope, system_scope
from people.models import Person
from sequences import enrolling
from sequences.conditions import InvalidRule, read_rule
from sequences.facts import facts_of
from sequences.models import Enrollment, EnrollmentRule, RuleNotice, Sequence

log = structlog.get_logger(__name__)

BATCH = 500
"""Notices looked at in one transaction."""
KEPT = 20
"""People left out whose reason a rule keeps."""


def sweep() -> int:
    """Apply the rules of every active sequence to what changed. Returns how many people began."""
    due = RuleNotice.objects.filter(rule=OuterRef("pk"), due_at__lte=timezone.now())
    with system_scope():
        active = EnrollmentRule.objects.filter(Exists(due), sequence__status=Sequence.Status.ACTIVE, paused_at=None)
        waiting = list(active.order_by("organization_id", "id").values_list("organization_id", "pk"))
    begun = 0
    for organization_id, rule_id in waiting:
        goes_on = True
        while goes_on:
            came, goes_on = apply_rule(organization_id, rule_id)
            begun += came
    return begun


def apply_rule(organization_id: UUID, rule_id: UUID) -> tuple[int, bool]:
    """Look at the next batch of changes: how many people began, and whether more changes wait."""
    with org_scope(organization_id):
        # Without the key: whoever changes a person writes a notice that points to the rule, and must not wait for us.
        rows = EnrollmentRule.objects.for_org(organization_id).select_for_update(
            of=("self",), skip_locked=True, no_key=True
        )
        found = rows.select_related("sequence__event", "sequence__mailbox", "sequence__organization", "author")
        one = found.filter(pk=rule_id, paused_at=None).first()
        now = timezone.now()
        notices = list(one.notices.filter(due_at__lte=now)[:BATCH]) if one else []
        if one is None or not notices:
            return 0, False
        one.looked_at, one.problem = now, ""
        try:
            begun = _begin(one, notices, now)
        except (InvalidRule, enrolling.CannotEnroll) as error:
            # The changes wait with their notices until somebody has mended it.
            one.problem = str(error)[:300]
            one.save(update_fields=["looked_at", "problem", "updated_at"])
            log.info("a rule let nobody in", rule_id=str(one.pk), reason=one.problem)
            return 0, False
        RuleNotice.objects.for_org(organization_id).filter(pk__in=[notice.pk for notice in notices]).delete()
        one.save(update_fields=["looked_at", "problem", "begun", "begun_at", "left_out", "updated_at"])
        return begun, len(notices) >= BATCH


def _begin(one: EnrollmentRule, notices: Many[RuleNotice], now: datetime) -> int:
    """Let those begin for whom the rule holds, and note on the rule how many, and who was left out. Raises
    ``CannotEnroll`` when the sequence takes nobody, and ``InvalidRule``.
    """
    enrolling.entrance(one.sequence)
    rule = read_rule(one.rule)
    candidates = _candidates(one, notices, now)
    facts = facts_of(one.organization_id, candidates)
    ids = list(dict.fromkeys(one.person_id for one in candidates if rule.holds(facts[one.pk])))
    if not ids:
        return 0
    result = enrolling.enroll(one.sequence, ids, actor=one.author, source=f"Rule: {rule}")
    if result.begun:
        one.begun, one.begun_at = one.begun + result.begun, now
    left = [{"person": str(pk), "reason": reason, "at": now.isoformat()} for pk, reason in result.examples]
    one.left_out = (left + one.left_out)[:KEPT]
    return result.begun


def _candidates(one: EnrollmentRule, notices: Many[RuleNotice], now: datetime) -> list[Enrollment]:
    """Whom the notices are about and who has never been in the sequence, once for each show the rule can mean."""
    organization_id = one.organization_id
    about = Q(pk__in=[notice.person_id for notice in notices if notice.person_id])
    about |= Q(account__in=[notice.account_id for notice in notices if notice.account_id])
    been = Enrollment.objects.filter(sequence=one.sequence, person=OuterRef("pk"))
    people = list(Person.objects.for_org(organization_id).filter(about, ~Exists(been)).values_list("pk", "account_id"))
    shows: defaultdict[UUID | None, list[UUID | None]] = defaultdict(lambda: [one.sequence.event_id])
    if one.sequence.event_id is None:
        targets = TargetAccount.objects.for_org(organization_id).filter(account__in={account for _, account in people})
        for account_id, event_id in targets.values_list("account_id", "event_id"):
            shows[account_id].append(event_id)
    return [
        Enrollment(
            id=uuid7(), organization_id=organization_id, sequence=one.sequence, person_id=person_id, event_id=event_id,
            started_at=now, previous_at=now,
        )
        for person_id, account_id in people
        for event_id in shows[account_id]
    ]  # fmt: skip
