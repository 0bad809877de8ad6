"""A mail to the member who asks, as a chosen person would get it: nothing is written into the ledger, nothing is counted.

No gate of the person is asked, because the person gets nothing; the switches that stop all sending are.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog
from django.utils import timezone

from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from identity.services.members import verified_address
from outreach import drafting, merging, rendering, switches
from outreach.connecting import UNREADABLE, CannotOpen, transport_of
from outreach.models import Mailbox, Template
from outreach.ports import OutgoingMail, SendError
from people.models import Person

log = structlog.get_logger(__name__)


class CannotTry(Exception):
    """The trial cannot leave; its text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Whose mail it would be, from which template and mailbox, and who gets it instead."""

    organization: Organization
    template: Template
    mailbox: Mailbox
    person: Person
    event: Event | None
    member: User


def check(trial: Trial) -> str:
    """The address the trial goes to. Raises CannotTry. Works inside the scope."""
    address = verified_address(trial.member)
    if not address:
        raise CannotTry("Confirm your own e-mail address first: a test goes only there.")
    stopped = switches.why_stopped(trial.organization.pk)
    if stopped or trial.mailbox.paused_at:
        raise CannotTry(stopped or f"The mailbox “{trial.mailbox.name}” is paused.")
    _write(trial, address)
    return address


def _write(trial: Trial, address: str) -> OutgoingMail:
    """The finished mail. Raises CannotTry."""
    template = trial.template
    writer = drafting.Writer(trial.organization, template.subject, template.body, trial.event, trial.member)
    try:
        subject, body = writer.fill(trial.person)
    except merging.CannotFill as error:
        raise CannotTry(f"{trial.person.name} would be left out: {error}") from error
    intent = uuid4()
    envelope = rendering.Envelope(
        organization=trial.organization, mailbox=trial.mailbox, message_id=intent,
        address_hash=UUID(int=0), event_name=trial.event.name if trial.event else "",
        is_trial=True,
    )  # fmt: skip
    try:
        rendered = rendering.render(envelope, subject=f"[Test] {subject}"[:300], body=body)
    except rendering.CannotRender as error:
        raise CannotTry(str(error)) from error
    return OutgoingMail(
        intent_id=intent, attempt=1, from_name=trial.mailbox.from_name, from_address=trial.mailbox.from_address,
        to_address=address, reply_to=trial.mailbox.reply_to or trial.mailbox.from_address, subject=rendered.subject,
        text=rendered.text, html=rendered.html, headers={},
    )  # fmt: skip


def send(organization_id: UUID, *, template: UUID, mailbox: UUID, person: UUID, event: UUID | None, user: UUID) -> None:
    """Send a trial, one for every time somebody asked; a switch that was thrown meanwhile stops it.

    What goes wrong is said by the mailbox.
    """
    with system_scope():
        member = User.objects.get(pk=user)
    with org_scope(organization_id):
        asked = Mailbox.objects.for_org(organization_id).filter(pk=mailbox, test_wanted_at__isnull=False)
        if not asked.update(test_wanted_at=None):
            return
        trial = Trial(
            organization=Organization.objects.get(pk=organization_id),
            template=Template.objects.for_org(organization_id).get(pk=template),
            mailbox=Mailbox.objects.for_org(organization_id).select_related("organization").get(pk=mailbox),
            person=Person.objects.for_org(organization_id).select_related("account").get(pk=person),
            event=Event.objects.for_org(organization_id).filter(pk=event).first() if event else None,
            member=member,
        )
        try:
            mail = _write(trial, check(trial))
        except CannotTry as error:
            log.info("trial not sent", template_id=str(template), detail=str(error))
            return
    problem = _hand_over(trial.mailbox, mail)
    with org_scope(organization_id):
        Mailbox.objects.for_org(organization_id).filter(pk=mailbox).update(
            problem=problem[:300], updated_at=timezone.now()
        )


def _hand_over(mailbox: Mailbox, mail: OutgoingMail) -> str:
    """What went wrong; empty when the provider took it."""
    try:
        transport = transport_of(mailbox)
    except CannotOpen:
        return UNREADABLE
    try:
        transport.send(mail)
    except SendError as error:
        return error.detail
    finally:
        transport.close()
    return ""
