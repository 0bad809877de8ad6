"""Two sequences with the templates of their mails: one that wins meetings before the show, with people on the way
through it, and one that follows up.
"""

from datetime import datetime, time, timedelta
from uuid import UUID

from eventops.demo.world import World
from outreach import delivery, merging, rendering
from outreach.comparing import save_comparison
from outreach.models import Mailbox, Message
from outreach.services.templates import save_template
from people.models import Person
from sequences import runner
from sequences.library import Ready, ReadyMail, ReadyStep
from sequences.models import Enrollment, Sequence
from sequences.plan import Kind
from sequences.querysets import EnrollmentQuerySet
from sequences.services import enrollments, plans

INVITATION = ReadyMail(
    "Invitation to the stand",
    "{{ company }} at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nwe are at {{ event }} ({{ event_dates }}), stand {{ booth | "by the entrance" }}. '
    "Would 20 minutes suit you to see the carts at work?\n\nBest regards\n{{ my_name }}",
)
QUESTION = ReadyMail(
    "Invitation as a question",
    "{{ company }}: what brings you to {{ event }}?",
    'Hello {{ first_name | "there" }},\n\nwhat would make {{ event }} worth the trip for you? If it has to do with moving '
    'goods between halls, come by: stand {{ booth | "by the entrance" }}.\n\nBest regards\n{{ my_name }}',
)
REMINDER = ReadyMail(
    "Short reminder",
    "20 minutes at {{ event }}?",
    'Hello {{ first_name | "there" }},\n\nthe first day fills up. Shall I keep a slot for {{ company }}? '
    "One word is enough, I will send the invitation.\n\nBest regards\n{{ my_name }}",
)
THANKS = ReadyMail(
    "Thanks for the visit",
    "Good to meet you at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nthank you for your time at {{ event }}. As promised, I will send what we talked '
    "about. When would a call suit you?\n\nBest regards\n{{ my_name }}",
)
PLANS = (
    (
        "Meetings before the show",
        True,
        Ready(
            "Meetings before the show",
            "Three weeks before the halls open: two mails in one thread, a call to those with a number, a last word.",
            (
                ReadyStep(kind="email", mail=INVITATION),
                ReadyStep(kind="email", mail=REMINDER, fields={"delay_days": 3, "business_days": True}),
                ReadyStep(
                    kind="branch",
                    fields={
                        "delay_days": 1,
                        "business_days": True,
                        "rule": {"match": "all", "tests": [{"fact": "person.has_phone", "is": "yes"}]},
                    },
                    yes=(ReadyStep(kind="call", fields={"subject": "Call and offer a slot"}),),
                    no=(ReadyStep(kind="linkedin", fields={"subject": "Connect and offer a slot"}),),
                ),
                ReadyStep(
                    kind="visit",
                    fields={"subject": "Say hello at their stand", "delay_from": "event_start", "at_time": time(11, 0)},
                ),
            ),
        ),
    ),
    (
        "After the show",
        False,
        Ready(
            "After the show",
            "For everybody who stood at the booth.",
            (
                ReadyStep(kind="email", mail=THANKS, fields={"delay_days": 1, "business_days": True}),
                ReadyStep(kind="task", fields={"subject": "Send what was promised", "delay_days": 1}),
                ReadyStep(kind="call", fields={"subject": "Ask for a date", "delay_days": 5, "business_days": True}),
            ),
        ),
    ),
)
BEGAN_DAYS_AGO = (2, 6, 9)
"""Three groups of people, by when they began."""
GROUP = 16


def seed_plans(world: World) -> None:
    organization, author = world.organization, world.members[1]
    if Sequence.objects.for_org(organization).exists():
        return
    for name, is_for_show, ready in PLANS:
        sequence = plans.create_sequence(
            organization,
            actor=author,
            fields={"name": name, "description": ready.description, "event": world.show if is_for_show else None},
        )
        plans.start_from(sequence, ready, actor=author)


def seed_journeys(world: World) -> None:
    """People on the way through the first sequence: their first mails went out days ago, as the product would have it."""
    organization_id, author = world.organization.pk, world.members[1]
    sequence = Sequence.objects.for_org(organization_id).filter(name=PLANS[0][0]).first()
    mailbox = Mailbox.objects.for_org(organization_id).filter(archived_at=None).first()
    if sequence is None or mailbox is None or sequence.status != Sequence.Status.DRAFT:
        return
    sequence.mailbox = mailbox
    sequence.save(update_fields=["mailbox", "updated_at"])
    _compare(world, sequence)
    plans.publish(sequence, actor=author)
    mailed = Message.objects.for_org(organization_id).values("person")
    people = Person.objects.for_org(organization_id).at(world.show).exclude(email="").exclude(pk__in=mailed)
    ids = list(people.order_by("-icp_score", "id").values_list("pk", flat=True)[: GROUP * 4])
    enrollments.enroll(sequence, ids, actor=author, source="Tier A and B")
    began = Enrollment.objects.for_org(organization_id).filter(sequence=sequence)
    for days, start in zip(BEGAN_DAYS_AGO, range(0, len(ids), GROUP), strict=False):
        _began(world, began.filter(person__in=ids[start : start + GROUP]), days)
    _ended(world, list(began.exclude(state=Enrollment.State.COMPLETED).order_by("id")))


def _compare(world: World, sequence: Sequence) -> None:
    """The first mail in two wordings: the second one asks a question instead of offering a date."""
    first = sequence.steps.filter(kind=Kind.EMAIL).select_related("template").order_by("position").first()
    if first is None or first.template is None:
        return
    other = save_template(
        world.organization, template=None, name=QUESTION.name, subject=QUESTION.subject, body=QUESTION.body,
        actor=world.members[1],
    )  # fmt: skip
    first.comparison = save_comparison(
        world.organization, comparison=None, variants=[(first.template, 1), (other, 1)],
        rule={"metric": "positive", "least_sends": 20, "wait_hours": 48},
    )  # fmt: skip
    first.save(update_fields=["comparison", "updated_at"])


def _began(world: World, group: EnrollmentQuerySet, days: int) -> None:
    """Let the group have begun ``days`` ago; the mails that would have left since have left."""
    day = world.moment(-days, 10)
    group.update(started_at=day, previous_at=day)
    while True:
        waiting = group.filter(state="waiting", cause="mail")
        left = [
            (one.message_id, day + timedelta(days=4 if one.first_message_id else 0))
            for one in waiting
            if one.message_id
        ]
        gone = [(pk, moment) for pk, moment in left if moment < world.now - timedelta(days=1)]
        if not gone:
            return
        for pk, moment in gone:
            _left(pk, moment)
        delivery.announce_ended(world.organization.pk)


def _left(message_id: UUID, moment: datetime) -> None:
    """Let the mail have left, with the words its template had."""
    message = Message.objects.select_related(
        "person", "account", "event", "owner", "template", "organization", "follows"
    ).get(pk=message_id)
    values = rendering.merge_values(
        message.person, account=message.account, event=message.event, sender=message.owner,
        organization=message.organization,
    )  # fmt: skip
    words = message.template
    subject, body = (words.subject, words.body) if words else ("", "")
    if message.follows:
        subject = rendering.answer_subject(message.follows.subject)
    Message.objects.filter(pk=message_id, state="queued").update(
        state="accepted", sent_at=moment, delivered_at=moment + timedelta(seconds=40), due_at=moment, frozen_at=moment,
        subject=merging.fill(subject, values), text=merging.fill(body, values),
    )  # fmt: skip


def _ended(world: World, people: list[Enrollment]) -> None:
    """One has answered, one has booked, one is paused, one was taken out, and the tasks of some are done."""
    organization_id = world.organization.pk

    def only(*places: int) -> EnrollmentQuerySet:
        return Enrollment.objects.filter(pk__in=[people[place].pk for place in places if place < len(people)])

    Cause = Enrollment.Cause  # noqa: N806 - a class
    enrollments.stop(organization_id, only(1, 19, 35), cause=Cause.REPLIED, reason="Answered: Tuesday suits us.")
    enrollments.stop(organization_id, only(4, 38), cause=Cause.MEETING, reason="A meeting at the booth.")
    enrollments.stop(organization_id, only(22), cause=Cause.UNSUBSCRIBED, reason=Cause.UNSUBSCRIBED.label)
    enrollments.stop(organization_id, only(8), reason=f"Taken out by {world.members[1].name}.")
    enrollments.suspend(organization_id, only(10, 26), reason=f"Paused by {world.members[1].name}.")
    while runner.move_due(organization_id).processed:
        pass
