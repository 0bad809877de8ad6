"""The score with its reasons, for the pages of an account and a person."""

from typing import Any

from accounts.models import TargetAccount
from identity.models import Membership, Role
from people.models import Person

TEMPLATE = "research/score.html"


def account_score(target: TargetAccount, membership: Membership, next_url: str = "") -> dict[str, Any]:
    """What ``research/score.html`` needs for an account at a show."""
    return {
        "target_id": target.pk,
        "score": target.icp_score,
        "reasons": target.icp_reasons,
        "tier": target.tier,
        "proposed_tier": target.proposed_tier,
        "may_accept": membership.may(Role.REP),
        "next": next_url,
    }


def person_score(person: Person) -> dict[str, Any]:
    """What ``research/score.html`` needs for a person."""
    return {"score": person.icp_score, "reasons": person.icp_reasons}
