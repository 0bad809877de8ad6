"""What members wrote down, have to do."""

from datetime import timedelta

from accounts.models import TargetAccount
from activities.models import Note, Task
from common.happenings import Happening, Kind, announce
from eventops.demo.wordings import NOTES, TASKS
from eventops.demo.world import Chance, World
from people.models import Person


def seed_diary(world: World) -> None:
    if Note.objects.exists() or Task.objects.exists():
        return
    chance = Chance("diary")
    targets = list(
        TargetAccount.objects.filter(event=world.show, owner__isnull=False).order_by("-icp_score", "id")[:110]
    )
    people = {person.account_id: person for person in Person.objects.order_by("-id")}
    notes, tasks, story = [], [], []
    for target in chance.sample(targets, 44):
        at = world.moment(-chance.randrange(0, 24), chance.randrange(8, 18), chance.randrange(60))
        author = target.owner or world.members[0]
        person = people.get(target.account_id) if chance.likely(0.5) else None
        body = chance.choice(NOTES)
        notes.append(
            Note(
                id=chance.uuid(), organization=world.organization, account_id=target.account_id, person=person,
                event=world.show, author=author, body=body,
            )
        )  # fmt: skip
        story.append(
            Happening(
                kind=Kind.NOTE_ADDED, organization_id=world.organization.pk, actor_id=author.pk, event_id=world.show.pk,
                account_id=target.account_id, person_id=person.pk if person else None, summary=body, occurred_at=at,
            )
        )  # fmt: skip
    for number, target in enumerate(chance.sample(targets, 46)):
        assignee = world.members[0] if number % 6 == 0 else target.owner or world.members[1]
        due = world.today + timedelta(days=chance.choice([-3, -1, 0, 0, 0, 1, 2, 4, 7, 12]))
        done = world.moment(-chance.randrange(1, 9), 15) if number % 3 == 2 else None
        tasks.append(
            Task(
                id=chance.uuid(), organization=world.organization, title=chance.choice(TASKS), due_on=due,
                assignee=assignee, event=world.show, account_id=target.account_id, person=people.get(target.account_id),
                done_at=done, done_by=assignee if done else None,
            )
        )  # fmt: skip
    Note.objects.bulk_create(notes)
    Task.objects.bulk_create(tasks)
    announce(*story)
