"""Sends invitations: claims one by giving it its secret, then mails the link."""

from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from identity.models import Invitation
from identity.scope import system_scope
from identity.secret import new_secret, secret_hash

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=2)
"""How long a bell may take before the sweep sends the invitation itself."""


def send_invitation(invitation_id: UUID | str) -> None:
    """Mail the link, unless somebody else has. An invitation that could not be mailed stays unsent for the sweep."""
    secret = new_secret()
    with system_scope():
        claimed = Invitation.objects.unsent().filter(pk=invitation_id)
        if not claimed.update(sent_at=timezone.now(), token_hash=secret_hash(secret)):
            return
        invitation = Invitation.objects.select_related("organization", "invited_by").get(pk=invitation_id)
    try:
        _mail(invitation, settings.BASE_URL + reverse("identity:invitation", args=[secret]))
    except (SMTPException, OSError) as error:
        log.warning("invitation.not_sent", invitation=str(invitation.pk), error=type(error).__name__)
        with system_scope():
            Invitation.objects.filter(pk=invitation.pk, token_hash=secret_hash(secret)).update(sent_at=None)


def send_forgotten_invitations() -> None:
    with system_scope():
        found = Invitation.objects.unsent().filter(updated_at__lt=timezone.now() - PATIENCE)
        ids = list(found.values_list("pk", flat=True)[:100])
    for invitation_id in ids:
        send_invitation(invitation_id)


def _mail(invitation: Invitation, link: str) -> None:
    context = {"invitation": invitation, "link": link, "role": invitation.get_role_display().lower()}
    send_mail(
        subject=f"Join {_one_line(invitation.organization.name)} on EventOps",
        message=render_to_string("identity/mail/invitation.txt", context),
        html_message=render_to_string("identity/mail/invitation.html", context),
        from_email=None,
        recipient_list=[invitation.email],
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
