"""Introduce a mailbox to its provider: check the account, have events and inbound mail reported, send a test."""

from __future__ import annotations

from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from common.crypto import CannotDecrypt
from identity.models import User
from identity.scope import org_scope, system_scope
from outreach import markup, tokens
from outreach.models import Mailbox
from outreach.ports import MailTransport, NoTransport, OutgoingMail, SendError, TransportSettings, open_transport

log = structlog.get_logger(__name__)


UNREADABLE = "The stored credentials cannot be read. Enter them again."


class CannotOpen(Exception):
    """The credentials do not decrypt, or nothing carries this kind of mailbox."""


def transport_of(mailbox: Mailbox) -> MailTransport:
    """An open adapter for the mailbox. Raises CannotOpen."""
    try:
        account = TransportSettings(
            mailbox_id=mailbox.pk,
            credentials=mailbox.open_credentials(),
            host=mailbox.smtp_host,
            port=mailbox.smtp_port,
            username=mailbox.smtp_username,
            security=mailbox.smtp_security,
        )
        return open_transport(mailbox.kind, account)
    except (CannotDecrypt, NoTransport) as error:
        raise CannotOpen from error


def unconnected() -> list[tuple[UUID, UUID]]:
    """``(organization_id, mailbox_id)`` of the mailboxes in use that were never introduced."""
    with system_scope():
        return list(Mailbox.objects.in_use().filter(connected_at=None, problem="").values_list("organization_id", "id"))


def connect(organization_id: UUID, mailbox_id: UUID) -> None:
    """Check the account and open its channels; the mailbox says afterwards what is wrong, or since when it works."""
    mailbox = _mailbox(organization_id, mailbox_id)
    problem, key = "", ""
    try:
        transport = transport_of(mailbox)
    except CannotOpen:
        problem = UNREADABLE
    else:
        problem, key = _introduce(mailbox, transport)
    now = timezone.now()
    with org_scope(organization_id):
        changes: dict[str, object] = {"problem": problem[:300], "updated_at": now}
        if not problem:
            changes |= {"connected_at": now, "webhook_key": key or mailbox.webhook_key}
        Mailbox.objects.for_org(organization_id).filter(pk=mailbox_id).update(**changes)


def _introduce(mailbox: Mailbox, transport: MailTransport) -> tuple[str, str]:
    token = tokens.mailbox_token(mailbox.pk)
    try:
        transport.check()
        channel = transport.open_event_channel(
            events_url=settings.BASE_URL + reverse("webhooks:sendgrid_mailbox", args=[token]),
            inbound_url=settings.BASE_URL + reverse("webhooks:sendgrid_inbound", args=[token]),
            inbound_domain=mailbox.reply_domain,
        )
    except SendError as error:
        log.warning("mailbox not connected", mailbox_id=str(mailbox.pk), detail=error.detail)
        return error.detail, ""
    finally:
        transport.close()
    return "", channel.verification_key if channel else ""


def send_test(organization_id: UUID, mailbox_id: UUID, user_id: UUID) -> None:
    """A mail to the member who asks, so that they see what arrives: one for every time somebody asked."""
    mailbox = _mailbox(organization_id, mailbox_id)
    with org_scope(organization_id):
        asked = Mailbox.objects.for_org(organization_id).filter(pk=mailbox_id, test_wanted_at__isnull=False)
        if not asked.update(test_wanted_at=None):
            return
    with system_scope():
        member = User.objects.get(pk=user_id)
    body = f"This is a test of the mailbox “{mailbox.name}”. It works.\n\n{mailbox.signature}"
    mail = OutgoingMail(
        intent_id=uuid4(),
        attempt=1,
        from_name=mailbox.from_name,
        from_address=mailbox.from_address,
        to_address=member.email,
        reply_to=mailbox.reply_to or mailbox.from_address,
        subject=f"Test of the mailbox {mailbox.name}",
        text=markup.to_text(body),
        html=markup.to_html(body),
        headers={},
    )
    try:
        transport = transport_of(mailbox)
        try:
            transport.send(mail)
            problem = ""
        finally:
            transport.close()
    except SendError as error:
        problem = error.detail
    except CannotOpen:
        problem = UNREADABLE
    with org_scope(organization_id):
        Mailbox.objects.for_org(organization_id).filter(pk=mailbox_id).update(
            problem=problem[:300], updated_at=timezone.now()
        )


def _mailbox(organization_id: UUID, mailbox_id: UUID) -> Mailbox:
    with org_scope(organization_id):
        return Mailbox.objects.for_org(organization_id).get(pk=mailbox_id)
