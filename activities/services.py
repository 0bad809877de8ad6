"""Notes and to-dos: what people write down and what they have to do."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.owners import check_member
from activities.models import Note, Task
from common.happenings import Happening, Kind, announce
from events.models import Event
from identity.models import User
from people.models import Person


class NothingToSay(ValueError):
    """A note has no text, or a task no title."""


@transaction.atomic
def add_note(
    organization_id: UUID,
    *,
    author: User,
    body: str,
    account: Account | None = None,
    person: Person | None = None,
    event: Event | None = None,
) -> Note:
    """Write a note about an account or a person; one about a person stands on their account too. Raises ``NothingToSay``."""
    text = body.strip()
    if not text:
        raise NothingToSay("Write something first.")
    if person and account is None:
        account = person.account
    note = Note.objects.create(
        organization_id=organization_id, author=author, body=text, account=account, person=person, event=event
    )
    announce(
        Happening(
            kind=Kind.NOTE_ADDED,
            organization_id=organization_id,
            actor_id=author.pk,
            event_id=event.pk if event else None,
            account_id=account.pk if account else None,
            person_id=person.pk if person else None,
            data={"note": str(note.pk)},
        )
    )
    return note


@transaction.atomic
def add_task(
    organization_id: UUID,
    *,
    actor: User,
    title: str,
    due_on: date | None = None,
    assignee: User | None = None,
    account: Account | None = None,
    person: Person | None = None,
    event: Event | None = None,
) -> Task:
    """Give somebody something to do. Raises ``NotAMember`` and ``NothingToSay``."""
    if not title.strip():
        raise NothingToSay("Say what is to be done.")
    check_member(organization_id, assignee)
    if person and account is None:
        account = person.account
    task = Task.objects.create(
        organization_id=organization_id, title=title.strip()[:200], due_on=due_on, assignee=assignee, account=account,
        person=person, event=event,
    )  # fmt: skip
    announce(_happening(task, Kind.TASK_ADDED, actor, task.title))
    return task


@transaction.atomic
def finish_task(task: Task, *, actor: User) -> bool:
    """Tick the task off; whether it was still open."""
    done = Task.objects.for_org(task.organization_id).open().filter(pk=task.pk).update(
        done_at=timezone.now(), done_by=actor, updated_at=timezone.now()
    )  # fmt: skip
    if done:
        announce(_happening(task, Kind.TASK_DONE, actor, task.title))
        task.refresh_from_db()
    return bool(done)


def _happening(task: Task, kind: Kind, actor: User, summary: str) -> Happening:
    return Happening(
        kind=kind,
        organization_id=task.organization_id,
        actor_id=actor.pk,
        event_id=task.event_id,
        account_id=task.account_id,
        person_id=task.person_id,
        summary=summary,
        data={"task": str(task.pk)},
    )
