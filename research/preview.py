"""What other rules would change, on real accounts and people. Nothing is written."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.models import TargetAccount, Tier
from events.models import Event
from people.models import Person
from research.models import Subject
from research.rules import RuleSet, Score, Scorer
from research.scoring import with_facts

SAMPLE = 5_000
SHOWN = 10


@dataclass(frozen=True)
class Row:
    """One account or person, before (as stored) and after."""

    id: UUID
    name: str
    before: int | None
    after: int | None
    tier_before: str
    tier_after: str
    score: Score

    @property
    def moved(self) -> int:
        return abs((self.after or 0) - (self.before or 0))


@dataclass(frozen=True)
class Bar:
    """One tier in the histogram; lengths are in per cent of the longest bar."""

    tier: str
    before: int
    after: int
    before_length: float
    after_length: float


@dataclass(frozen=True)
class Preview:
    """What a page shows. ``counted`` of ``total`` accounts were looked at."""

    total: int
    counted: int
    changed: int
    bars: list[Bar]
    accounts: list[Row]
    people: list[Row] = field(default_factory=list)
    scored_before: bool = True


def preview(organization_id: UUID, event: Event | None, rules: RuleSet) -> Preview:
    """The effect of ``rules`` on the accounts of ``event`` (of all shows without one) and on some of their people."""
    targets = TargetAccount.objects.for_org(organization_id)
    people = Person.objects.for_org(organization_id)
    if event:
        targets, people = targets.filter(event=event), people.filter(account__targets__event=event)
    total = targets.count()
    rows = _rows(Subject.ACCOUNT, targets, rules, SAMPLE)
    return Preview(
        total=total,
        counted=len(rows),
        changed=sum(row.before != row.after for row in rows),
        bars=_bars(rows),
        accounts=_telling(rows, SHOWN),
        people=_telling(_rows(Subject.PERSON, people, rules, 200), 5),
        scored_before=any(row.before is not None for row in rows),
    )


def _rows(subject: str, queryset: Any, rules: RuleSet, count: int) -> list[Row]:
    """The first ``count`` rows as they are and as ``rules`` would have them."""
    scorer = Scorer(rules.of(subject))
    is_account = subject == Subject.ACCOUNT
    shown = ("account__name", "icp_score", "proposed_tier") if is_account else ("name", "icp_score", "pk")
    found = with_facts(queryset.order_by("pk"), subject, scorer.facts, before=shown)[:count]
    rows = []
    for pk, name, before, tier, *values in found:
        score = scorer.score(values)
        after = rules.thresholds.tier(score.value) if is_account else ""
        rows.append(Row(pk, name, before, score.value, tier if is_account else "", after, score))
    return rows


def _telling(rows: list[Row], count: int) -> list[Row]:
    """The rows that say most: those that move furthest, half of the room at most, then the best."""
    best_first = sorted(rows, key=lambda row: (-(row.after or 0), row.name, row.id))
    movers = sorted((row for row in best_first if row.moved), key=lambda row: -row.moved)[: count // 2]
    chosen = {row.id for row in movers}
    rest = [row for row in best_first if row.id not in chosen][: count - len(movers)]
    return sorted([*movers, *rest], key=lambda row: (-(row.after or 0), row.name, row.id))


def _bars(rows: list[Row]) -> list[Bar]:
    before, after = Counter(row.tier_before for row in rows), Counter(row.tier_after for row in rows)
    longest = max([*before.values(), *after.values(), 1])
    tiers = [*Tier.values, *([""] if before[""] or after[""] else [])]
    return [
        Bar(
            tier,
            before[tier],
            after[tier],
            round(100 * before[tier] / longest, 1),
            round(100 * after[tier] / longest, 1),
        )
        for tier in tiers
    ]
