"""Scoring: everybody reads the rules, managers change them, reps take the proposed tiers."""

from identity.models import Organization
from identity.scope import org_scope
from research import services
from tests.access.matrix import MANAGER, REP, VIEWER, members, operation
from tests.factories import AccountFactory, EventFactory, TargetAccountFactory


def _target(organization: Organization) -> object:
    event = EventFactory.create(organization=organization)
    return TargetAccountFactory.create(account=AccountFactory.create(organization=organization), event=event).pk


def _show(organization: Organization) -> dict[str, str]:
    return {"eventId": str(EventFactory.create(organization=organization).pk)}


def _run(organization: Organization) -> object:
    with org_scope(organization.pk):
        return services.request_run(organization.pk, cause="Test").pk


ROWS = {
    "research:rules": members(get=VIEWER),
    "research:edit": members(post=MANAGER, data={"do": "look", "tier_a": 80, "tier_b": 60, "tier_c": 40}),
    "research:progress": members(get=VIEWER),
    "research:rescore": members(post=MANAGER),
    "research:accept": members(post=REP),
    "research:accept_one": members(post=REP, pk="scored_target"),
    "POST /api/ai/score-icp": operation(REP, body=_show),
    "GET /api/ai/score-icp/rules": operation(VIEWER),
    "GET /api/ai/score-icp/runs/{run_id}": operation(VIEWER, run_id="scoring_run"),
}
BUILDERS = {"scored_target": _target, "scoring_run": _run}
