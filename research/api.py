"""Scoring over the API: score one record or a whole show, and read the rules."""

from typing import Any, Self
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field, model_validator

from accounts.models import Account, TargetAccount
from common.envelopes import Answer
from events.models import Event
from identity.apiauth import ApiRequest, Scope, member
from people.models import Person
from research import services
from research.models import ScoringRun

router = Router(tags=["Scoring"])


class ScoreRequest(Schema):
    """What to score: an account (at ``eventId``, or at its latest show), a person, or everything at a show."""

    model_config = ConfigDict(json_schema_extra={"example": {"accountId": "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10"}})

    accountId: UUID | None = None  # noqa: N815 - the names callers know
    personId: UUID | None = None  # noqa: N815
    eventId: UUID | None = None  # noqa: N815

    @model_validator(mode="after")
    def names_one_thing(self) -> Self:
        if self.accountId and self.personId:
            raise ValueError("Send accountId or personId, not both.")
        if not (self.accountId or self.personId or self.eventId):
            raise ValueError("Send accountId, personId or eventId.")
        return self


class ReasonOut(Schema):
    """Why: ``points`` earned of the ``most`` this fact can bring; deductions are negative."""

    fact: str = Field(examples=["employee_count"])
    outcome: str = Field(description="met, missed, unknown or deducted", examples=["met"])
    points: int
    most: int
    text: str = Field(examples=["200–5,000 employees (620)"])


class ScoreOut(Schema):
    accountId: UUID | None = None  # noqa: N815
    personId: UUID | None = None  # noqa: N815
    eventId: UUID | None = None  # noqa: N815
    icpScore: int | None = Field(description="0 to 100; null without rules that award points", ge=0, le=100)  # noqa: N815
    tier: str = ""
    proposedTier: str = ""  # noqa: N815
    reasons: list[ReasonOut]


class RunOut(Schema):
    """A pass over all accounts and people of the organization, in the background."""

    runId: UUID = Field(validation_alias="id")  # noqa: N815
    status: str = Field(description="queued, running, done or failed")
    total: int
    done: int
    changed: int
    error: str


class RuleOut(Schema):
    subject: str
    fact: str
    operator: str
    value: dict[str, Any]
    points: int
    text: str


class RulesOut(Schema):
    version: int
    tierA: int  # noqa: N815
    tierB: int  # noqa: N815
    tierC: int  # noqa: N815
    rules: list[RuleOut]


@router.post(
    "/score-icp",
    auth=member(Scope.WRITE),
    response={200: Answer[ScoreOut], 202: Answer[RunOut]},
    summary="Score an account, a person or a whole show",
)
def score_icp(request: ApiRequest, wanted: ScoreRequest) -> dict[str, Any] | Status[dict[str, Any]]:
    """Scores one account or person at once and stores the score with its reasons. With only ``eventId``, everything is
    scored in the background: the answer is 202 with the run, whose progress is at ``GET /api/ai/score-icp/runs/{runId}``."""
    organization = request.organization
    event = get_object_or_404(Event.objects.for_org(organization), pk=wanted.eventId) if wanted.eventId else None
    if wanted.personId:
        person = get_object_or_404(Person.objects.for_org(organization), pk=wanted.personId)
        services.score_people(organization.pk, [person.pk], actor_id=request.user.pk)
        person.refresh_from_db(fields=["icp_score", "icp_reasons"])
        return {"data": _score(person, personId=person.pk, accountId=person.account_id)}
    if wanted.accountId:
        account = get_object_or_404(Account.objects.for_org(organization), pk=wanted.accountId)
        target = services.best_target(account, event)
        if target is None:
            raise HttpError(422, "This account is not targeted at any show yet, and a score belongs to a show.")
        services.score_accounts(organization.pk, [account.pk], actor_id=request.user.pk)
        target.refresh_from_db(fields=["icp_score", "icp_reasons", "proposed_tier"])
        return {"data": _score(target, accountId=account.pk, eventId=target.event_id)}
    run = services.request_run(organization.pk, cause="Asked for over the API", actor_id=request.user.pk)
    return Status(202, {"data": run})


def _score(row: TargetAccount | Person, **ids: Any) -> dict[str, Any]:
    tiers = {"tier": row.tier, "proposedTier": row.proposed_tier} if isinstance(row, TargetAccount) else {}
    return {**ids, "icpScore": row.icp_score, "reasons": row.icp_reasons, **tiers}


@router.get("/score-icp/rules", auth=member(Scope.READ), response=Answer[RulesOut], summary="The scoring rules")
def scoring_rules(request: ApiRequest) -> dict[str, Any]:
    """The rules and thresholds as they are; version 0 means the defaults, never changed."""
    rules = services.current_rules(request.organization.pk)
    tiers = rules.thresholds
    return {
        "data": {
            "version": rules.version,
            "tierA": tiers.a,
            "tierB": tiers.b,
            "tierC": tiers.c,
            "rules": [
                {
                    "subject": rule.subject,
                    "fact": rule.fact,
                    "operator": rule.operator,
                    "value": dict(rule.value),
                    "points": rule.points,
                    "text": rule.describe(),
                }
                for rule in rules.rules
            ],
        }
    }


@router.get(
    "/score-icp/runs/{run_id}", auth=member(Scope.READ), response=Answer[RunOut], summary="How far a scoring run is"
)
def scoring_run(request: ApiRequest, run_id: UUID) -> dict[str, Any]:
    return {"data": get_object_or_404(ScoringRun.objects.for_org(request.organization), pk=run_id)}
