"""What a person or another app can ask of the scoring."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import Account, TargetAccount
from common.doorbell import ring
from common.happenings import Happening, Kind, announce
from events.models import Event
from identity.models import Organization, User
from people.models import Person
from research import scoring, tasks
from research.models import ScoringProfile, ScoringRule, ScoringRun, Subject
from research.rules import Rule, RuleSet, Thresholds
from research.scoring import Change

current_rules = scoring.current_rules
AT_ONCE = 50
"""So many accounts or people are scored within the change itself; more become a run."""


class RulesHaveChanged(Exception):
    """Somebody else saved other rules since these were read."""


@transaction.atomic
def save_rules(
    organization: Organization, *, rules: Sequence[Rule], thresholds: Thresholds, version: int, actor: User
) -> ScoringRun:
    """Replace the rules that were read as ``version`` and score everything with them.

    Rules keep their rows by ``id``; their order is the order given. Raises ``RulesHaveChanged``.
    """
    tiers = {"tier_a": thresholds.a, "tier_b": thresholds.b, "tier_c": thresholds.c}
    profile, created = ScoringProfile.objects.select_for_update().get_or_create(
        organization=organization, defaults={"version": 1, **tiers}
    )
    if version != (0 if created else profile.version):
        raise RulesHaveChanged
    if not created:
        profile.version += 1
        profile.tier_a, profile.tier_b, profile.tier_c = thresholds.a, thresholds.b, thresholds.c
        profile.save(update_fields=["version", *tiers, "updated_at"])
    _replace(profile, rules)
    return request_run(organization.pk, cause="The rules were changed", actor_id=actor.pk)


def _replace(profile: ScoringProfile, rules: Iterable[Rule]) -> None:
    stored = {row.pk: row for row in ScoringRule.objects.for_org(profile.organization_id).filter(profile=profile)}
    kept: set[UUID] = set()
    for position, rule in enumerate(rules):
        row = stored.get(rule.id) if rule.id and rule.id not in kept else None
        row = row or ScoringRule(organization_id=profile.organization_id, profile=profile)
        values: dict[str, Any] = {
            "subject": rule.subject,
            "position": position,
            "fact": rule.fact,
            "operator": rule.operator,
            "value": dict(rule.value),
            "points": rule.points,
            "label": rule.label,
        }
        kept.add(row.pk)
        if row._state.adding or any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
    ScoringRule.objects.for_org(profile.organization_id).filter(profile=profile).exclude(pk__in=kept).delete()


def request_run(organization_id: UUID, *, cause: str, actor_id: UUID | None = None) -> ScoringRun:
    """Have everything scored in the background; a run under way starts over. Needs the organization's scope."""
    run = scoring.open_run(organization_id, cause=cause, requested_by_id=actor_id)
    ring(tasks.score, str(run.pk), str(organization_id))
    return run


@transaction.atomic
def score_accounts(organization_id: UUID, account_ids: Iterable[UUID], *, actor_id: UUID | None) -> list[Change]:
    """Score these accounts at every show they are targeted at, and the people who work there; announce what changed."""
    ids = list(account_ids)
    targets = TargetAccount.objects.for_org(organization_id).filter(account__in=ids)
    changes = scoring.score_rows(Subject.ACCOUNT, organization_id, targets.values_list("pk", flat=True))
    people = Person.objects.for_org(organization_id).filter(account__in=ids).values_list("pk", flat=True)
    scoring.score_rows(Subject.PERSON, organization_id, people)
    rows = TargetAccount.objects.for_org(organization_id)
    _announce(changes, rows, actor_id, lambda target: {"event_id": target.event_id, "account_id": target.account_id})
    return changes


@transaction.atomic
def score_people(organization_id: UUID, person_ids: Iterable[UUID], *, actor_id: UUID | None) -> list[Change]:
    """Score these people; announce what changed."""
    changes = scoring.score_rows(Subject.PERSON, organization_id, person_ids)
    rows = Person.objects.for_org(organization_id)
    _announce(changes, rows, actor_id, lambda person: {"account_id": person.account_id, "person_id": person.pk})
    return changes


def _announce(
    changes: Iterable[Change], rows: QuerySet[Any], actor_id: UUID | None, whom: Callable[[Any], dict[str, Any]]
) -> None:
    """Tell of the scores that changed; ``whom`` says of a scored row whose timeline that belongs to."""
    moved = {change.id: change for change in changes if change.before != change.after}
    announce(
        *(
            Happening(
                kind=Kind.SCORE_UPDATED,
                organization_id=row.organization_id,
                actor_id=actor_id,
                summary=_moved(moved[row.pk]),
                data={"before": moved[row.pk].before, "after": moved[row.pk].after},
                **whom(row),
            )
            for row in rows.filter(pk__in=moved)
        )
    )


def _moved(change: Change) -> str:
    if change.before is None:
        return f"ICP score {change.after}"
    return f"ICP score {change.before} → {'none' if change.after is None else change.after}"


@dataclass(frozen=True)
class Proposals:
    """How many accounts of a show have no tier yet, and how many have another one than the score proposes."""

    untiered: int
    differing: int


def proposals(event: Event) -> Proposals:
    targets = TargetAccount.objects.for_org(event.organization_id).at(event).exclude(proposed_tier="")
    return Proposals(
        untiered=targets.filter(tier="").count(),
        differing=targets.exclude(tier="").exclude(tier=F("proposed_tier")).count(),
    )


@transaction.atomic
def accept_tiers(event: Event, *, actor: User, replace: bool = False) -> int:
    """Give every account of the show without a tier the one its score proposes; how many that were.

    With ``replace``, accounts that already have a tier take the proposed one too.
    """
    targets = TargetAccount.objects.for_org(event.organization_id).at(event).exclude(proposed_tier="")
    targets = targets.exclude(tier=F("proposed_tier")) if replace else targets.filter(tier="")
    count = targets.update(tier=F("proposed_tier"))
    if count:
        announce(
            Happening(
                kind=Kind.SCORE_UPDATED,
                organization_id=event.organization_id,
                actor_id=actor.pk,
                event_id=event.pk,
                summary=f"Took the proposed tier for {count:,} account{'' if count == 1 else 's'}",
                data={"accounts": count, "replace": replace},
            )
        )
    return count


@transaction.atomic
def accept_tier(target: TargetAccount, *, actor: User) -> TargetAccount:
    """Give one account the tier its score proposes; nothing happens without a proposal."""
    if target.proposed_tier and target.tier != target.proposed_tier:
        before, target.tier = target.tier, target.proposed_tier
        target.save(update_fields=["tier", "updated_at"])
        announce(
            Happening(
                kind=Kind.SCORE_UPDATED,
                organization_id=target.organization_id,
                actor_id=actor.pk,
                event_id=target.event_id,
                account_id=target.account_id,
                summary=f"Took the proposed tier {target.tier}" + (f" instead of {before}" if before else ""),
                data={"before": before, "after": target.tier},
            )
        )
    return target


def best_target(account: Account, event: Event | None) -> TargetAccount | None:
    """The account at ``event``; at its latest show when it is not targeted there."""
    targets = TargetAccount.objects.for_org(account.organization_id).filter(account=account)
    here = targets.filter(event=event).first() if event else None
    return here or targets.order_by("-event__starts_on").first()


__all__ = [
    "AT_ONCE", "Proposals", "RuleSet", "RulesHaveChanged", "accept_tier", "accept_tiers", "best_target", "current_rules",
    "proposals", "request_run", "save_rules", "score_accounts", "score_people",
]  # fmt: skip
