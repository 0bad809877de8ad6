"""Who works here, and the shows they go to."""

from datetime import timedelta

from allauth.account.models import EmailAddress

from eventops.demo.world import PREVIOUS_SHOW, SHOW, SLUG, World
from events.models import Event, EventCost
from identity.models import Membership, Organization, Role, User

ADMIN = "admin@kestrel.example"
PEOPLE = (
    (ADMIN, "Alex Morgan", Role.OWNER),
    ("mara.lindqvist@kestrel.example", "Mara Lindqvist", Role.MANAGER),
    ("tomas.herrera@kestrel.example", "Tomás Herrera", Role.REP),
    ("priya.nair@kestrel.example", "Priya Nair", Role.REP),
    ("jonas.weber@kestrel.example", "Jonas Weber", Role.REP),
    ("aiko.tanaka@kestrel.example", "Aiko Tanaka", Role.REP),
    ("sam.okafor@kestrel.example", "Sam Okafor", Role.VIEWER),
)
COSTS = (
    ("booth", "Island stand, 96 m², hall 4", 38_400), ("construction", "Stand builder, two storeys", 52_000),
    ("travel", "Eleven people, four nights", 14_300), ("staff", "Hosts and interpreters", 6_200),
    ("marketing", "Give-aways and printed matter", 4_800), ("sponsorship", "Lanyards", 9_000),
)  # fmt: skip


def find_or_create_organization() -> Organization:
    organization, _ = Organization.objects.get_or_create(
        slug=SLUG,
        defaults={
            "name": "Kestrel Robotics",
            "postal_address": "Kestrel Robotics GmbH\nHafenstraße 12\n20457 Hamburg\nGermany",
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
        },
    )
    return organization


def seed_members(organization: Organization, *, password: str, password_for_all: bool) -> list[User]:
    """The members, with a verified address each. Who exists keeps the password; only a new owner gets ``password``."""
    members = []
    for email, name, role in PEOPLE:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User(email=email, name=name, time_zone="Europe/Berlin")
            if password_for_all or email == ADMIN:
                user.set_password(password)
            else:
                user.set_unusable_password()
            user.save()
        EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
        Membership.objects.get_or_create(organization=organization, user=user, defaults={"role": role})
        members.append(user)
    return members


def seed_shows(world: World) -> None:
    """TechExpo 2026 begins on the Tuesday about three weeks ahead; the show before it was half a year ago."""
    first = world.today + timedelta(days=20)
    first += timedelta(days=(1 - first.weekday()) % 7)
    before = first - timedelta(days=210)
    common = {"time_zone": "Europe/Berlin", "venue": "Messe Hannover", "city": "Hannover", "country": "Germany"}
    world.show, created = Event.objects.get_or_create(
        organization=world.organization,
        slug=SHOW,
        defaults={
            **common, "name": "TechExpo 2026", "starts_on": first, "ends_on": first + timedelta(days=2),
            "booth": "Hall 4, D36", "goal_meetings": 60, "goal_leads": 220, "owner": world.members[1],
            "website": "https://techexpo.example", "notes": "Second year on the island stand. Demo of the K3 every full hour.",
        },
    )  # fmt: skip
    if created:
        EventCost.objects.bulk_create(
            EventCost(organization=world.organization, event=world.show, kind=kind, description=text, amount=amount)
            for kind, text, amount in COSTS
        )
    world.previous, _ = Event.objects.get_or_create(
        organization=world.organization,
        slug=PREVIOUS_SHOW,
        defaults={
            **common, "name": "TechExpo 2025", "starts_on": before, "ends_on": before + timedelta(days=2),
            "booth": "Hall 4, C12", "goal_meetings": 40, "goal_leads": 150, "owner": world.members[1],
        },
    )  # fmt: skip
