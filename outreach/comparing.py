"""Comparing wordings: who gets which, what each has come to, and the beat that asks the rule for a winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach.classifying import ReplyClass
from outreach.comparison_models import LETTERS, Comparison, Variant
from outreach.judging import Arm, Rule, Verdict, judge
from outreach.models import InboundMail, Message, Template

log = structlog.get_logger(__name__)

Metric = Comparison.Metric
POSITIVE = [ReplyClass.INTERESTED, ReplyClass.QUESTION, ReplyClass.REFERRAL]
"""The classes of answers that count as positive."""
RULE_FIELDS = ("metric", "least_sends", "wait_hours", "least_lead", "certainty")
RESULTS = {
    Metric.POSITIVE: ("positive answer", "positive answers"),
    Metric.REPLIES: ("answer", "answers"),
    Metric.CLICKS: ("click", "clicks"),
    Metric.MEETINGS: ("meeting", "meetings"),
}


# --- Who gets which --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deal:
    """The wordings of one comparison as they are dealt out now; one of them alone once a winner is known."""

    comparison_id: UUID
    shares: tuple[tuple[str, UUID, int], ...]
    """Letter, template and weight of each."""

    def draw(self, person_id: UUID) -> tuple[str, UUID]:
        """Letter and template for a person: always the same while the wordings and their weights are."""
        point = share_of(self.comparison_id, person_id) * sum(weight for _, _, weight in self.shares)
        for letter, template_id, weight in self.shares:
            point -= weight
            if point < 0:
                return letter, template_id
        return self.shares[-1][:2]


def share_of(comparison_id: UUID, person_id: UUID, *, salt: str = "") -> float:
    """A number from 0 up to 1 that is the same for this pair for ever, and evenly spread over people."""
    digest = sha256(f"{salt}{comparison_id}:{person_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def deals(organization_id: UUID, comparison_ids: Iterable[UUID]) -> dict[UUID, Deal]:
    """How these comparisons are dealt out now. Works inside the scope."""
    found: dict[UUID, list[tuple[str, UUID, int]]] = {}
    variants = Variant.objects.for_org(organization_id).filter(comparison__in=set(comparison_ids))
    for variant in variants.select_related("comparison").order_by("letter"):
        if variant.comparison.winner in {"", variant.letter}:
            own = found.setdefault(variant.comparison_id, [])
            own.append((variant.letter, variant.template_id, variant.weight))
    return {comparison_id: Deal(comparison_id, tuple(shares)) for comparison_id, shares in found.items()}


@transaction.atomic
def save_comparison(
    organization: Organization,
    *,
    comparison: Comparison | None,
    variants: Iterable[tuple[Template, int]],
    rule: Mapping[str, Any],
) -> Comparison | None:
    """The comparison of these templates with their weights; ``None`` when there is only one, so nothing to compare.

    The same templates in the same order keep their comparison and its numbers; others begin a new one.
    """
    wanted = list(variants)
    if len(wanted) < 2:
        return None
    values = {name: rule[name] for name in RULE_FIELDS if name in rule}
    old = list(comparison.variants.order_by("letter")) if comparison else []
    if comparison and [one.template_id for one in old] == [template.pk for template, _ in wanted]:
        for variant, (_, weight) in zip(old, wanted, strict=True):
            if variant.weight != weight:
                variant.weight = weight
                variant.save(update_fields=["weight", "updated_at"])
        if any(getattr(comparison, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(comparison, name, value)
            comparison.save(update_fields=[*values, "updated_at"])
        return comparison
    made = Comparison.objects.create(organization=organization, **values)
    Variant.objects.bulk_create(
        Variant(organization=organization, comparison=made, letter=letter, template=template, weight=weight)
        for letter, (template, weight) in zip(LETTERS, wanted, strict=False)
    )
    return made


def copy_comparison(comparison: Comparison) -> Comparison | None:
    """The same templates and rule once more, with no numbers yet."""
    return save_comparison(
        comparison.organization, comparison=None,
        variants=[(variant.template, variant.weight) for variant in comparison.variants.select_related("template")],
        rule={name: getattr(comparison, name) for name in RULE_FIELDS},
    )  # fmt: skip


# --- What each has come to -------------------------------------------------------------------------------------------


def rule_of(comparison: Comparison) -> Rule:
    return Rule(
        least_sends=comparison.least_sends, least_lead=comparison.least_lead, certainty=comparison.certainty,
        what=RESULTS[Metric(comparison.metric)],
    )  # fmt: skip


def arms_of(comparison: Comparison, *, now: datetime) -> list[Arm]:
    """Mails that are old enough to count, and their results, by wording. Works inside the scope."""
    old_enough = now - timedelta(hours=comparison.wait_hours)
    mails = Message.objects.filter(comparison=comparison, sent_at__lte=old_enough).order_by().values("variant")
    answers = InboundMail.objects.filter(message=OuterRef("pk"), kind=InboundMail.Kind.REPLY, label__in=POSITIVE)
    came: Q = {
        Metric.POSITIVE: Q(Exists(answers), replied_at__isnull=False),
        Metric.REPLIES: Q(replied_at__isnull=False),
        Metric.CLICKS: Q(clicked_at__isnull=False),
        Metric.MEETINGS: Q(met_at__isnull=False),
    }[Metric(comparison.metric)]
    counted = mails.annotate(sends=Count("pk"), results=Count("pk", filter=came))
    rows = {row["variant"]: row for row in list[Any](counted)}
    none = {"sends": 0, "results": 0}
    letters = comparison.variants.order_by("letter").values_list("letter", flat=True)
    return [
        Arm(letter=letter, sends=rows.get(letter, none)["sends"], results=rows.get(letter, none)["results"])
        for letter in letters
    ]


def standing(comparison: Comparison, *, now: datetime | None = None) -> tuple[list[Arm], Verdict]:
    """What each wording has come to, and what the rule would say now. Works inside the scope."""
    arms = arms_of(comparison, now=now or timezone.now())
    return arms, judge(arms, rule_of(comparison), looks=comparison.looks)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One wording on a page."""

    variant: Variant
    share: float
    arm: Arm
    has_won: bool


@dataclass(frozen=True, kw_only=True)
class Board:
    """A comparison as a page shows it. ``words`` says what the rule says, or how it was decided."""

    comparison: Comparison
    lines: list[Line]
    words: str
    what: str


def board_of(comparison: Comparison) -> Board:
    """What each wording has come to, and whether one has won. Works inside the scope."""
    arms, verdict = standing(comparison)
    by_letter = {arm.letter: arm for arm in arms}
    variants = list(comparison.variants.select_related("template"))
    weights = sum(variant.weight for variant in variants)
    return Board(
        comparison=comparison, words=comparison.decision.get("words", verdict.words),
        what=RESULTS[Metric(comparison.metric)][1],
        lines=[
            Line(
                variant=variant, share=variant.weight / weights, arm=by_letter[variant.letter],
                has_won=variant.letter == comparison.winner,
            )
            for variant in variants
        ],
    )  # fmt: skip


# --- Deciding --------------------------------------------------------------------------------------------------------


class NoSuchVariant(ValueError):
    """The comparison has no wording with this letter."""


@transaction.atomic
def decide(comparison: Comparison, *, letter: str, actor: User) -> Comparison:
    """A member names the winner, whatever the rule says; an empty ``letter`` lets the comparison go on.

    Who decided and what stood before is kept in the history of the row. Raises NoSuchVariant.
    """
    found = Comparison.objects.select_for_update().get(pk=comparison.pk)
    if letter and not found.variants.filter(letter=letter).exists():
        raise NoSuchVariant(letter)
    arms, verdict = standing(found)
    _write(found, letter, arms, f"Chosen by {actor}. {verdict.words}" if letter else "", actor)
    return found


def judge_open(*, now: datetime | None = None) -> int:
    """Ask the rule of every comparison without a winner. Returns how many have one now. Two at once are harmless."""
    with system_scope():
        waiting = list(Comparison.objects.filter(winner="").values_list("organization_id", "pk"))
    return sum(_judge_one(organization_id, pk, now or timezone.now()) for organization_id, pk in waiting)


def _judge_one(organization_id: UUID, pk: UUID, now: datetime) -> bool:
    with org_scope(organization_id):
        rows = Comparison.objects.for_org(organization_id).select_for_update(skip_locked=True)
        comparison = rows.filter(pk=pk, winner="").first()
        if comparison is None:
            return False
        arms, verdict = standing(comparison, now=now)
        if verdict.looked:
            rule, fewest = rule_of(comparison), min(arm.sends for arm in arms)
            while rule.sends_for_look(comparison.looks) <= fewest:
                comparison.looks += 1
            comparison.save(update_fields=["looks", "updated_at"])
        if verdict.winner:
            _write(comparison, verdict.winner, arms, verdict.words, None)
            log.info("comparison decided", comparison_id=str(pk), winner=verdict.winner)
        return bool(verdict.winner)


def _write(comparison: Comparison, letter: str, arms: list[Arm], words: str, actor: User | None) -> None:
    comparison.winner = letter
    comparison.decided_at = timezone.now() if letter else None
    comparison.decided_by = actor if letter else None
    numbers = {arm.letter: {"sends": arm.sends, "results": arm.results} for arm in arms}
    comparison.decision = {"words": words, "numbers": numbers} if letter else {}
    comparison.save(update_fields=["winner", "decided_at", "decided_by", "decision", "updated_at"])
