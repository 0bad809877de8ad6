"""Single messages: write one, edit a draft, send it, drop it, and decide what nobody knows."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from events.models import Event
from identity.models import Organization, User
from outreach import drafting, merging, signals, snippets
from outreach.models import Mailbox, Message, SendAttempt, Template
from outreach.reconciling import accept_on_evidence
from outreach.services.campaigns import check_can_send, ring_for
from people.models import Person

State, Outcome = Message.State, SendAttempt.Outcome


class WrongState(Exception):
    """The message has moved on since the page was shown; its text says where to."""


class LeftOut(Exception):
    """This person cannot be written to; its text is the reason."""


@transaction.atomic
def write_message(
    organization: Organization,
    *,
    person: Person,
    event: Event | None,
    mailbox: Mailbox,
    subject: str,
    body: str,
    actor: User,
    template: Template | None = None,
) -> Message:
    """A draft to one person; snippets and merge fields are filled now. Raises InvalidTemplate, LeftOut."""
    body = snippets.expand(organization, body)
    merging.check_subject(subject)
    writer = drafting.Writer(organization, subject, body, event, actor)
    draft = writer.write([person])[person.pk]
    if draft.left_out:
        raise LeftOut(draft.left_out)
    message = Message.objects.create(
        organization=organization, person=person, account_id=person.account_id, event=event, mailbox=mailbox,
        template=template, template_version=template.version if template else None, owner=actor,
        to_address=person.email, address_hash=draft.address_hash, subject=draft.subject, body=draft.body,
        state=State.DRAFT,
    )  # fmt: skip
    signals.messages_changed.send(sender=Message, organization_id=organization.pk)
    return message


@transaction.atomic
def edit_draft(message: Message, *, subject: str, body: str) -> Message:
    """Change the words of a draft. Raises InvalidTemplate, WrongState."""
    merging.check_subject(subject)
    if merging.fields_in(subject, body):
        raise merging.InvalidTemplate(["A draft is written to one person: put the words instead of merge fields."])
    changed = Message.objects.filter(pk=message.pk, state=State.DRAFT).update(
        subject=subject, body=body, updated_at=timezone.now()
    )
    if not changed:
        raise WrongState("This mail is no draft any more, so it was not changed.")
    message.refresh_from_db()
    return message


@transaction.atomic
def approve_message(message: Message, *, actor: User) -> None:
    """Queue one draft. Raises CannotSend, WrongState."""
    check_can_send(message.organization, message.mailbox)
    now = timezone.now()
    queued = Message.objects.filter(pk=message.pk, state=State.DRAFT).update(
        state=State.QUEUED, due_at=now, approved_at=now, approved_by=actor, reason="", updated_at=now
    )
    if not queued:
        raise WrongState("This mail is no draft any more.")
    ring_for(1)


@transaction.atomic
def drop_message(message: Message) -> None:
    """Take a mail back that has not left. Raises WrongState."""
    dropped = Message.objects.filter(pk=message.pk, state__in=[State.DRAFT, State.QUEUED, State.SKIPPED]).update(
        state=State.CANCELLED, reason="Taken back by a member.", updated_at=timezone.now()
    )
    if not dropped:
        raise WrongState("This mail is already on its way.")


@transaction.atomic
def decide(message: Message, *, decision: str, actor: User) -> None:
    """What a person knows about a mail whose outcome is unknown: it was ``sent``, send it ``again``, or ``drop`` it.

    Raises WrongState, CannotSend, ValueError.
    """
    if decision not in {"sent", "again", "drop"}:
        raise ValueError(decision)
    found = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if not found.needs_decision:
        raise WrongState("The outcome of this mail is known by now.")
    if decision == "sent":
        if not accept_on_evidence(found, attempt=None, at=timezone.now()):
            raise WrongState("This mail was never handed over, so it cannot have been sent.")
        return
    now = timezone.now()
    SendAttempt.objects.filter(message=found, outcome__in=[Outcome.OPEN, Outcome.UNKNOWN]).update(
        outcome=Outcome.NOT_SENT, detail=f"Decided by {actor}."[:300], finished_at=now, updated_at=now
    )
    changes: dict[str, object] = {
        "token": None,
        "lease_until": None,
        "unknown_since": None,
        "cause": "",
        "updated_at": now,
    }
    if decision == "drop":
        changes |= {"state": State.CANCELLED, "reason": f"Dropped by {actor}."[:300]}
    else:
        check_can_send(found.organization, found.mailbox)
        changes |= {"state": State.QUEUED, "reason": "", "due_at": now, "not_after": None}
    Message.objects.filter(pk=found.pk).update(**changes)
    if decision == "again":
        signals.mail_queued_again.send(sender=Message, message=found)
        ring_for(1)
