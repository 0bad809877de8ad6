"""What a person does with a mail that came back: decide its class, hand it on, put it off, answer it, tie it to somebody."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from accounts.owners import check_member
from activities.models import Task
from activities.querysets import TaskQuerySet
from events.models import Event
from identity.models import User
from outreach import drafting, inbound, merging, rendering, snippets
from outreach.addresses import address_hash, address_hashes
from outreach.classifying import ReplyClass, Verdict
from outreach.models import InboundMail, Message, Suppression, Template
from outreach.services.campaigns import check_can_send, ring_for
from outreach.services.messages import LeftOut
from outreach.suppressing import suppress_addresses
from people.models import Person

State = Message.State


@transaction.atomic
def set_class(mail: InboundMail, *, label: ReplyClass, actor: User) -> None:
    """Overrule the rules, for good, and do what the class asks for."""
    mail = _locked(mail)
    mail.labelled_by = actor
    verdict = Verdict(label=label, evidence=mail.evidence, on=mail.label_on, address=mail.other_address)
    inbound.become(mail, verdict)
    _stop_if_asked(mail, actor)


@transaction.atomic
def tie(mail: InboundMail, *, person: Person, actor: User) -> None:
    """Say who wrote a mail that names no mail of ours; it then counts as an answer to the last one they got."""
    mail = _locked(mail)
    sent = Message.objects.for_org(mail.organization_id).to(person).sent().select_related("person")
    mail.person = person
    mail.message = sent.filter(sent_at__lte=mail.received_at).order_by("-sent_at").first()
    mail.assignee = mail.assignee or person.owner or actor
    verdict = Verdict(
        label=ReplyClass(mail.label), evidence=mail.evidence, on=mail.label_on, address=mail.other_address
    )
    inbound.become(mail, verdict)
    _stop_if_asked(mail, actor)


def _stop_if_asked(mail: InboundMail, actor: User) -> None:
    """Asking to stop counts for the address that asked too, whatever address we wrote to."""
    if mail.label == ReplyClass.OPT_OUT and mail.person_id and mail.from_address:
        suppress_addresses(
            mail.organization,
            addresses=[mail.from_address],
            reason=Suppression.Reason.ASKED,
            source="mail",
            actor=actor,
        )


def assign(mail: InboundMail, *, assignee: User | None) -> None:
    """Hand the mail to a member, or to nobody. Raises NotAMember."""
    check_member(mail.organization_id, assignee)
    mail.assignee = assignee
    mail.save(update_fields=["assignee", "updated_at"])


def snooze(mail: InboundMail, *, until: datetime | None) -> None:
    """Take the mail off the list until then; ``None`` brings it back."""
    mail.snoozed_until = until
    mail.save(update_fields=["snoozed_until", "updated_at"])


def finish(mail: InboundMail, *, actor: User) -> None:
    """Take the mail off the list, and what the same person wrote before it."""
    mails = InboundMail.objects.for_org(mail.organization_id).open()
    same = mails.filter(person=mail.person_id, received_at__lte=mail.received_at) if mail.person_id else mails.none()
    (same | mails.filter(pk=mail.pk)).update(
        handled_at=timezone.now(), handled_by=actor, snoozed_until=None, updated_at=timezone.now()
    )


def reopen(mail: InboundMail) -> None:
    mail.handled_at, mail.handled_by, mail.snoozed_until = None, None, None
    mail.save(update_fields=["handled_at", "handled_by", "snoozed_until", "updated_at"])


@transaction.atomic
def remind_on(mail: InboundMail, *, on: date) -> None:
    """Move the to-do of a “not now” to another day, or make it again if it is done."""
    mail = _locked(mail)
    mail.label_on = on
    mail.save(update_fields=["label_on", "updated_at"])
    moved = reminders(mail).update(due_on=on, updated_at=timezone.now())
    if not moved:
        inbound.act(mail, is_recorded=True)


def reminders(mail: InboundMail) -> TaskQuerySet:
    """The open to-dos that say to ask the person of the mail again."""
    title = inbound.reminder_title(mail.person) if mail.person else ""
    return Task.objects.for_org(mail.organization_id).open().filter(person=mail.person_id, title=title)


@transaction.atomic
def answer(
    mail: InboundMail, *, body: str, event: Event | None, actor: User, template: Template | None = None
) -> Message:
    """Send an answer at once, to who wrote, in the same thread. Raises CannotSend, InvalidTemplate, LeftOut."""
    if mail.person is None:
        raise LeftOut("Say first who wrote this: an answer belongs to a person.")
    check_can_send(mail.organization, mail.mailbox)
    body = snippets.expand(mail.organization, body)
    person, first = mail.person, mail.message
    if first is not None and first.follows is not None:
        first = first.follows
    draft = drafting.Writer(mail.organization, "Answer", body, event, actor).write([person])[person.pk]
    to_address = mail.from_address or person.email
    hashed = address_hash(mail.organization_id, to_address)
    barred = Suppression.objects.for_org(mail.organization_id).of(address_hashes(mail.organization_id, to_address))
    if draft.left_out or hashed is None or barred.exists():
        raise LeftOut(draft.left_out or "The address is on the suppression list.")
    now = timezone.now()
    message = Message.objects.create(
        organization=mail.organization, person=person, account_id=person.account_id,
        event=first.event if first else event, mailbox=mail.mailbox, owner=actor, follows=first,
        template=template, template_version=template.version if template else None,
        to_address=to_address[:254], address_hash=hashed, subject=answer_subject(mail), body=draft.body,
        state=State.QUEUED, due_at=now, approved_at=now, approved_by=actor,
    )  # fmt: skip
    if mail.assignee_id is None:
        assign(mail, assignee=actor)
    ring_for(1)
    return message


def answer_subject(mail: InboundMail) -> str:
    """Ours if we wrote first. Theirs is from outside: no merge fields and nothing that cannot be printed."""
    if mail.message is not None and mail.message.subject:
        return rendering.answer_subject(mail.message.subject)
    plain = "".join(sign for sign in mail.subject if sign.isprintable() and sign not in "{}%").strip()
    return rendering.answer_subject(plain or "Your mail")


def words_for(mail: InboundMail, *, template: Template, event: Event | None, actor: User) -> str:
    """A template as the beginning of an answer, filled as far as it can be."""
    if mail.person is None:
        return template.body
    writer = drafting.Writer(mail.organization, "Answer", template.body, event, actor)
    try:
        return writer.write([mail.person])[mail.person.pk].body or template.body
    except merging.InvalidTemplate:
        return template.body


def _locked(mail: InboundMail) -> InboundMail:
    rows = InboundMail.objects.for_org(mail.organization_id).select_for_update(of=("self",))
    return rows.select_related("organization", "mailbox", "message__person", "person__owner").get(pk=mail.pk)
