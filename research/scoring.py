"""Apply the rules to rows: one row at once, or all rows of an organization in chunks.

The rules are evaluated in Python, by the same code that draws the preview, and written by one UPDATE per chunk that
touches only rows whose answer has changed. A run keeps its place in its row: any worker can go on with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import TargetAccount
from common.happenings import Happening, Kind, announce
from identity.scope import org_scope, system_scope
from people.models import Person
from research.defaults import DEFAULT_RULES
from research.facts import FACTS
from research.models import ScoringProfile, ScoringRun, Subject
from research.rules import Rule, RuleSet, Scorer, Thresholds

CHUNK = 4_000

_WRITE_TARGETS = """
UPDATE accounts_targetaccount AS t
   SET icp_score = s.score, icp_reasons = s.reasons, proposed_tier = s.tier, updated_at = now()
  FROM json_to_recordset(%s::json) AS s (id uuid, score smallint, tier text, reasons jsonb)
 WHERE t.organization_id = %s AND t.id = s.id
   AND (t.icp_score IS DISTINCT FROM s.score OR t.proposed_tier <> s.tier OR t.icp_reasons <> s.reasons)
RETURNING t.id
"""
_WRITE_PEOPLE = """
UPDATE people_person AS t
   SET icp_score = s.score, icp_reasons = s.reasons, updated_at = now()
  FROM json_to_recordset(%s::json) AS s (id uuid, score smallint, reasons jsonb)
 WHERE t.organization_id = %s AND t.id = s.id
   AND (t.icp_score IS DISTINCT FROM s.score OR t.icp_reasons <> s.reasons)
RETURNING t.id
"""


def current_rules(organization_id: UUID) -> RuleSet:
    """The rules as saved, or the defaults while none were."""
    profile = ScoringProfile.objects.for_org(organization_id).prefetch_related("rules").first()
    if profile is None:
        return DEFAULT_RULES
    rules = tuple(
        Rule(
            id=row.pk,
            subject=row.subject,
            fact=row.fact,
            operator=row.operator,
            value=row.value,
            points=row.points,
            label=row.label,
        )
        for row in sorted(profile.rules.all(), key=lambda row: (row.subject, row.position))
        if row.fact in FACTS[row.subject]
    )
    return RuleSet(
        rules=rules, thresholds=Thresholds(profile.tier_a, profile.tier_b, profile.tier_c), version=profile.version
    )


def rows_of(subject: str, organization_id: UUID) -> QuerySet[Any]:
    """The rows a subject is scored on: target accounts (an account at a show) or people."""
    if subject == Subject.ACCOUNT:
        return TargetAccount.objects.for_org(organization_id)
    return Person.objects.for_org(organization_id)


def with_facts(
    rows: QuerySet[Any], subject: str, keys: Sequence[str], *, before: Sequence[str] = ()
) -> QuerySet[Any, tuple[Any, ...]]:
    """``(id, *before, fact, fact, …)`` of the rows, for exactly the facts the rules ask about."""
    reads = {f"fact_{key}": FACTS[subject][key].read() for key in keys}
    facts: QuerySet[Any, tuple[Any, ...]] = rows.annotate(**reads).values_list("pk", *before, *reads)
    return facts


@dataclass(frozen=True)
class Change:
    """A row whose score, reasons or proposal changed, with its score before and after."""

    id: UUID
    before: int | None
    after: int | None


def write(
    subject: str, organization_id: UUID, scored: Sequence[tuple[UUID, int | None, str]], tiers: Thresholds
) -> list[UUID]:
    """Store ``(id, score, reasons as JSON)``; the ids of the rows that had to change."""
    # One document instead of arrays: the reasons are JSON already, and arrays would have to escape every quote in them.
    document = ",".join(
        f'{{"id":"{pk}","score":{"null" if value is None else value},"tier":"{tiers.tier(value)}","reasons":{reasons}}}'
        for pk, value, reasons in scored
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_TARGETS if subject == Subject.ACCOUNT else _WRITE_PEOPLE, [f"[{document}]", organization_id]
        )
        return [row[0] for row in cursor.fetchall()]


def score_rows(subject: str, organization_id: UUID, ids: Iterable[UUID], rules: RuleSet | None = None) -> list[Change]:
    """Score these rows now, in the caller's transaction, and tell which of them changed."""
    rules = rules or current_rules(organization_id)
    scorer = Scorer(rules.of(subject))
    rows = rows_of(subject, organization_id).filter(pk__in=list(ids)).order_by("pk")
    before = dict(rows.values_list("pk", "icp_score"))
    scored = _evaluate(scorer, with_facts(rows, subject, scorer.facts))
    after = {pk: value for pk, value, _ in scored}
    return [Change(pk, before[pk], after[pk]) for pk in write(subject, organization_id, scored, rules.thresholds)]


def _evaluate(scorer: Scorer, rows: Iterable[tuple[Any, ...]]) -> list[tuple[UUID, int | None, str]]:
    return [(row[0], *scorer.score_as_json(row[1:])) for row in rows]


# --- Runs ------------------------------------------------------------------------------------------------------------


def open_run(organization_id: UUID, *, cause: str, requested_by_id: UUID | None = None) -> ScoringRun:
    """Ask for all rows to be scored. A run that is under way starts over, with the rules and rows as they are now."""
    run = _active_run(organization_id)
    if run is None:
        fresh = ScoringRun(organization_id=organization_id)
        _begin(fresh, cause, requested_by_id)
        try:
            with transaction.atomic():
                fresh.save()
        except IntegrityError:  # somebody else asked at the same moment
            run = _active_run(organization_id)
        else:
            return fresh
    if run is None:
        raise ScoringRun.DoesNotExist("The run that was under way has just ended.")
    _begin(run, cause, requested_by_id)
    run.save()
    return run


def _active_run(organization_id: UUID) -> ScoringRun | None:
    return ScoringRun.objects.select_for_update().for_org(organization_id).active().first()


def _begin(run: ScoringRun, cause: str, requested_by_id: UUID | None) -> None:
    organization_id = run.organization_id
    run.requested_by_id = requested_by_id or run.requested_by_id
    run.begin_again(
        cause=cause,
        rules_version=current_rules(organization_id).version,
        accounts_total=rows_of(Subject.ACCOUNT, organization_id).count(),
        people_total=rows_of(Subject.PERSON, organization_id).count(),
    )


def work_on(run_id: UUID, organization_id: UUID) -> None:
    """Take the run, if nobody has it, and carry it through. Safe to call any number of times at once.

    Raises ``OperationalError`` (a deadlock, a lost connection) after giving the run back.
    """
    with org_scope(organization_id):
        run = ScoringRun.objects.for_org(organization_id).active().filter(pk=run_id).first()
        token = _claim(run) if run else None
    if token is None:
        return
    try:
        while _step(run_id, organization_id, token):
            pass
    except OperationalError:
        with org_scope(organization_id):
            ScoringRun.objects.for_org(organization_id).filter(pk=run_id, lease_token=token).update(
                lease_token=None, leased_until=None, updated_at=timezone.now()
            )
        raise


def _claim(run: ScoringRun) -> UUID | None:
    now = timezone.now()
    if run.attempts >= ScoringRun.MAX_ATTEMPTS and (run.leased_until is None or run.leased_until < now):
        run.status, run.finished_at = ScoringRun.Status.FAILED, now
        run.error = f"Stopped after {run.attempts} tries. What was scored is kept; start it again."
        run.save(update_fields=["status", "finished_at", "error", "updated_at"])
        return None
    return run.claim(now)


def _step(run_id: UUID, organization_id: UUID, token: UUID) -> bool:
    """One chunk in one transaction. Whether there may be more to do.

    The run is locked last, after the rows, as everybody does who writes rows and then asks for a run.
    """
    mine = ScoringRun.objects.for_org(organization_id).filter(pk=run_id, lease_token=token, status="running")
    with org_scope(organization_id):
        seen = mine.first()
        if seen is None:
            return False
        rules = current_rules(organization_id)
        scorer = Scorer(rules.of(seen.subject))
        rows = rows_of(seen.subject, organization_id).order_by("pk")
        if seen.cursor:
            rows = rows.filter(pk__gt=seen.cursor)
        scored = _evaluate(scorer, with_facts(rows, seen.subject, scorer.facts)[:CHUNK])
        changed = write(seen.subject, organization_id, scored, rules.thresholds)
        run = mine.select_for_update().first()
        if run is None:
            return False
        place = (run.subject, run.cursor, run.rules_version)
        if place == (seen.subject, seen.cursor, rules.version):
            _keep_place(run, done=len(scored), changed=len(changed), last=scored[-1][0] if scored else None)
        elif run.rules_version != rules.version:
            _begin(run, run.cause, None)
            run.save()
        return run.is_active


def _keep_place(run: ScoringRun, *, done: int, changed: int, last: UUID | None) -> None:
    now = timezone.now()
    if run.subject == Subject.ACCOUNT:
        run.accounts_done += done
        run.accounts_changed += changed
    else:
        run.people_done += done
        run.people_changed += changed
    run.cursor, run.leased_until, run.attempts = last, now + ScoringRun.LEASE, 1
    if done < CHUNK and run.subject == Subject.ACCOUNT:
        run.subject, run.cursor = Subject.PERSON, None
    elif done < CHUNK:
        run.status, run.finished_at, run.lease_token, run.leased_until = ScoringRun.Status.DONE, now, None, None
        run.accounts_total, run.people_total = run.accounts_done, run.people_done
        announce(_summary(run))
    run.save()


def _summary(run: ScoringRun) -> Happening:
    return Happening(
        kind=Kind.SCORE_UPDATED,
        organization_id=run.organization_id,
        actor_id=run.requested_by_id,
        summary=f"Scored {run.accounts_done:,} accounts and {run.people_done:,} people: {run.changed:,} changed",
        data={
            "cause": run.cause,
            "accounts": run.accounts_done,
            "people": run.people_done,
            "accounts_changed": run.accounts_changed,
            "people_changed": run.people_changed,
        },
    )


_UNSCORED = """
SELECT o.id FROM identity_organization AS o
 WHERE EXISTS (SELECT FROM accounts_targetaccount t WHERE t.organization_id = o.id AND t.icp_score IS NULL)
    OR EXISTS (SELECT FROM people_person p WHERE p.organization_id = o.id AND p.icp_score IS NULL)
"""


def sweep() -> None:
    """Find what no bell rang for: rows without a score, and runs whose worker is gone."""
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(_UNSCORED)
        unscored = [row[0] for row in cursor.fetchall()]
    for organization_id in unscored:
        with org_scope(organization_id):
            if _may_score(organization_id) and not ScoringRun.objects.for_org(organization_id).active().exists():
                open_run(organization_id, cause="New accounts or people")
    with system_scope():
        due = list(ScoringRun.objects.due(timezone.now()).values_list("pk", "organization_id"))
    for run_id, organization_id in due:
        work_on(run_id, organization_id)


def _may_score(organization_id: UUID) -> bool:
    """Whether some row without a score could get one: its subject has a rule that awards points."""
    rules = current_rules(organization_id)
    return any(
        any(rule.points > 0 for rule in rules.of(subject))
        and rows_of(subject, organization_id).filter(icp_score=None).exists()
        for subject in Subject.values
    )
