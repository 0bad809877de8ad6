"""Mailboxes: save one with its credentials, connect, pause, resume, put aside."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from common.doorbell import ring
from identity.models import User
from outreach import health, tasks
from outreach.models import Mailbox, Message


@transaction.atomic
def save_mailbox(mailbox: Mailbox, *, secret: str, actor: User) -> Mailbox:
    """Save a mailbox from a valid form and have it connected. An empty ``secret`` keeps the stored one."""
    if secret:
        name = "api_key" if mailbox.kind == Mailbox.Kind.SENDGRID else "password"
        mailbox.seal_credentials({name: secret})
    mailbox.connected_at, mailbox.problem = None, ""
    if mailbox.owner_id is None:
        mailbox.owner = actor
    mailbox.save()
    connect(mailbox)
    ring(tasks.check_domains)
    return mailbox


def connect(mailbox: Mailbox) -> None:
    """Ask a worker to introduce the mailbox to its provider again."""
    Mailbox.objects.filter(pk=mailbox.pk).update(connected_at=None, problem="", updated_at=timezone.now())
    ring(tasks.connect_mailbox, str(mailbox.organization_id), str(mailbox.pk))


def send_test(mailbox: Mailbox, *, actor: User) -> None:
    """Send the member a test mail through the mailbox."""
    Mailbox.objects.filter(pk=mailbox.pk).update(test_wanted_at=timezone.now())
    ring(tasks.send_test, str(mailbox.organization_id), str(mailbox.pk), str(actor.pk))


def pause(mailbox: Mailbox, *, actor: User) -> None:
    """Nothing leaves the mailbox from now on, except what is being handed over this moment."""
    mailbox.pause(reason=f"Paused by {actor}.", now=timezone.now())


@transaction.atomic
def resume(mailbox: Mailbox, *, actor: User | None, reason: str = "") -> None:
    """Let the mailbox send again, and connect it if it was refused.

    One that was paused for its health needs the reason. Raises ValueError without.
    """
    health.end_pause(mailbox, actor=actor, reason=reason)
    was_refused = bool(mailbox.problem)
    mailbox.resume()
    if was_refused:
        connect(mailbox)
    ring(tasks.send_due)


def archive(mailbox: Mailbox) -> None:
    """Take it out of use. What it sent, and the answers to it, stay."""
    mailbox.archived_at = timezone.now()
    mailbox.save(update_fields=["archived_at", "updated_at"])


@transaction.atomic
def mark_read(mailbox: Mailbox) -> int:
    """A person has read the answers to the mailbox: its follow-ups may leave. Returns how many waited for that."""
    now = timezone.now()
    Mailbox.objects.filter(pk=mailbox.pk).update(read_until=now, updated_at=now)
    waiting = Message.objects.for_org(mailbox.organization_id).filter(
        mailbox=mailbox, state=Message.State.QUEUED, cause=Message.Cause.UNREAD
    )
    released = waiting.update(due_at=now, cause="", reason="", updated_at=now)
    if released:
        ring(tasks.send_due)
    return released
