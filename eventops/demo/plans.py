"""Two sequences with the templates of their mails: one that wins meetings before the show, one that follows up."""

from eventops.demo.world import World
from outreach.models import Template
from outreach.services.templates import save_template
from sequences.models import Sequence, Step

INVITATION = (
    "Invitation to the stand",
    "{{ company }} at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nwe are at {{ event }} ({{ event_dates }}), stand {{ booth | "by the entrance" }}. '
    "Would 20 minutes suit you to see the carts at work?\n\nBest regards\n{{ my_name }}",
)
REMINDER = (
    "Short reminder",
    "20 minutes at {{ event }}?",
    'Hello {{ first_name | "there" }},\n\nthe first day fills up. Shall I keep a slot for {{ company }}? '
    "One word is enough, I will send the invitation.\n\nBest regards\n{{ my_name }}",
)
THANKS = (
    "Thanks for the visit",
    "Good to meet you at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nthank you for your time at {{ event }}. As promised, I will send what we talked '
    "about. When would a call suit you?\n\nBest regards\n{{ my_name }}",
)
PLANS = (
    (
        "Meetings before the show",
        "Three weeks before the halls open: two mails, a call, and a word on LinkedIn.",
        True,
        (
            ("email", INVITATION, 0),
            ("email", REMINDER, 72),
            ("call", "Call the switchboard", 96),
            ("linkedin", "Connect", 48),
        ),
    ),
    (
        "After the show",
        "For everybody who stood at the booth.",
        False,
        (("email", THANKS, 24), ("task", "Send what was promised", 24), ("call", "Ask for a date", 120)),
    ),
)


def seed_plans(world: World) -> None:
    organization, author = world.organization, world.members[1]
    if Sequence.objects.for_org(organization).exists():
        return
    for name, description, is_for_show, steps in PLANS:
        sequence = Sequence.objects.create(
            organization=organization, name=name, description=description, author=author,
            event=world.show if is_for_show else None,
        )  # fmt: skip
        for position, (kind, what, hours) in enumerate(steps):
            template = _template(world, what) if isinstance(what, tuple) else None
            Step.objects.create(
                organization=organization, sequence=sequence, position=position, kind=kind, delay_days=hours // 24,
                delay_hours=hours % 24,
                business_days=hours >= 24, template=template, subject=what if isinstance(what, str) else "",
            )  # fmt: skip


def _template(world: World, text: tuple[str, str, str]) -> Template:
    name, subject, body = text
    found = Template.objects.for_org(world.organization).filter(name=name, archived_at=None).first()
    return found or save_template(
        world.organization, template=None, name=name, subject=subject, body=body, actor=world.members[1]
    )
