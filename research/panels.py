"""The score with its reasons, on the pages of an account and a person."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Account, TargetAccount
from accounts.panels import account_board
from events.web import EventRequest
from identity.models import Role
from people.models import Person
from people.panels import person_board
from research import services

TEMPLATE = "research/score.html"


def score_of_account(request: EventRequest, account: Account) -> Mapping[str, Any] | None:
    """The account at the chosen show, or at its latest; no panel for one that is at no show."""
    target = services.best_target(account, request.event)
    return score_of_target(request, target) if target else None


def score_of_target(request: EventRequest, target: TargetAccount) -> Mapping[str, Any]:
    """What ``research/score.html`` needs for an account at a show."""
    return {
        "target": target,
        "score": target.icp_score,
        "reasons": target.icp_reasons,
        "proposed_tier": target.proposed_tier if target.proposed_tier != target.tier else "",
        "may_accept": request.membership.may(Role.REP),
        "next": request.POST.get("next") or request.path,
    }


def score_of_person(request: EventRequest, person: Person) -> Mapping[str, Any]:
    return {"score": person.icp_score, "reasons": person.icp_reasons}


account_board.add(name="score", slot="side", template=TEMPLATE, context=score_of_account, order=5)
person_board.add(name="score", slot="side", template=TEMPLATE, context=score_of_person, order=5)
