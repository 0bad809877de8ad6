"""The scores of the demo are computed by the default rules, not invented. Most accounts took the proposed tier."""

from django.db.models import F

from accounts.models import TargetAccount
from eventops.demo.world import World
from people.models import Person
from research import scoring
from research.models import Subject


def seed_scores(world: World) -> None:
    organization = world.organization
    targets = TargetAccount.objects.for_org(organization)
    if targets.exclude(icp_reasons=[]).exists():
        return
    scoring.score_rows(Subject.ACCOUNT, organization.pk, list(targets.values_list("pk", flat=True)))
    targets.exclude(tier="").update(tier=F("proposed_tier"))
    people = Person.objects.for_org(organization).values_list("pk", flat=True)
    scoring.score_rows(Subject.PERSON, organization.pk, list(people))
