"""The demo: one organization with a show three weeks ahead, alive on every page. All names are invented."""

from eventops.demo.appointments import seed_meetings
from eventops.demo.companies import seed_companies
from eventops.demo.diary import seed_diary
from eventops.demo.mail import seed_mail
from eventops.demo.members import ADMIN, find_or_create_organization, seed_members, seed_shows
from eventops.demo.plans import seed_journeys, seed_plans
from eventops.demo.scores import seed_scores
from eventops.demo.world import SLUG, World
from identity.models import Organization
from identity.scope import org_scope, system_scope

__all__ = ["ADMIN", "KNOWN_PASSWORD", "remove", "seed"]

KNOWN_PASSWORD = "kestrel-demo-2026"  # noqa: S105 - public on purpose, and only used where the settings say so
SECTIONS = (seed_companies, seed_scores, seed_plans, seed_mail, seed_journeys, seed_meetings, seed_diary)
"""Each adds what it is about unless it is there, and repeats itself exactly: same names, same ids, on every machine."""


def seed(*, password: str, password_for_all: bool) -> None:
    """Bring the demo's organization up to date with what this version shows. One transaction; all or nothing."""
    with system_scope():
        organization = find_or_create_organization()
        members = seed_members(organization, password=password, password_for_all=password_for_all)
        with org_scope(organization.pk):
            world = World(organization, members)
            seed_shows(world)
            for section in SECTIONS:
                section(world)


def remove() -> None:
    """Delete the demo's organization with everything in it; its people stay, they may belong elsewhere too."""
    with system_scope():
        Organization.objects.filter(slug=SLUG).delete()
