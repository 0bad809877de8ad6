"""The switches that stop all sending: of an organization, of the installation, and the epoch that fences a copy.

Every claim asks ``why_stopped`` and the last gate before each request asks again (``NOT_STOPPED``), so a switch works at
once for everything that is not being handed over this very moment.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from identity.models import Organization, User
from identity.scope import system_scope
from outreach.models import Installation, Message, SendAttempt, SendStop

log = structlog.get_logger(__name__)
State, Cause = Message.State, Message.Cause

NOT_STOPPED = """
    NOT EXISTS (SELECT FROM outreach_sendstop x WHERE x.organization_id = m.organization_id AND x.ended_at IS NULL)
    AND NOT EXISTS (SELECT FROM outreach_installation i WHERE i.stopped_at IS NOT NULL OR i.epoch <> %s)
"""
"""Of the message ``m``; takes the epoch."""
RESTORED = "This database was restored or copied: the mail may have left already. Look into the provider's reports, then decide."


class AlreadyStopped(Exception):
    """Sending is stopped already."""


def installation() -> Installation:
    """The row about this database; unsaved while there is none."""
    return Installation.objects.first() or Installation()


def is_fenced() -> bool:
    """Whether the database belongs to another epoch than this process."""
    return installation().epoch != str(settings.EVENTOPS_SEND_EPOCH)


def why_stopped(organization_id: UUID) -> str:
    """Why nothing may leave the organization now; empty when mail may leave. Works inside the scope."""
    row = installation()
    if row.epoch != settings.EVENTOPS_SEND_EPOCH:
        return "Sending is off: this database belongs to another installation, and an operator has to look first."
    if row.stopped_at:
        return f"Sending is stopped for the whole installation: {row.stop_reason}"
    stop = current_stop(organization_id)
    return f"Sending is stopped: {stop.reason}" if stop else ""


def current_stop(organization_id: UUID) -> SendStop | None:
    """The stop of the organization that is in force. Works inside the scope."""
    return SendStop.objects.for_org(organization_id).select_related("stopped_by").filter(ended_at=None).first()


# --- An organization -------------------------------------------------------------------------------------------------


@transaction.atomic
def stop(organization: Organization, *, reason: str, actor: User | None) -> SendStop:
    """Nothing leaves the organization from this commit on. Raises AlreadyStopped, and ValueError without a reason."""
    if not reason.strip():
        raise ValueError("Say why sending is stopped.")
    made = SendStop(organization=organization, stopped_at=timezone.now(), stopped_by=actor, reason=reason.strip()[:300])
    SendStop.objects.bulk_create([made], ignore_conflicts=True)
    found = current_stop(organization.pk)
    if found is None or found.pk != made.pk:
        raise AlreadyStopped
    log.warning("sending stopped", organization_id=str(organization.pk), actor=str(actor.pk) if actor else "command")
    return found


@transaction.atomic
def start(organization: Organization, *, actor: User | None, reason: str = "") -> bool:
    """Let the organization send again. Returns whether it was stopped."""
    now = timezone.now()
    ended = (
        SendStop.objects.for_org(organization)
        .filter(ended_at=None)
        .update(ended_at=now, ended_by=actor, end_reason=reason.strip()[:300], updated_at=now)
    )
    if ended:
        log.warning("sending started", organization_id=str(organization.pk))
    return bool(ended)


# --- The installation ------------------------------------------------------------------------------------------------


def stop_everything(*, reason: str) -> None:
    """Nothing leaves this installation from this commit on."""
    Installation.objects.update_or_create(
        pk=1,
        defaults={"stopped_at": timezone.now(), "stop_reason": reason[:300]},
        create_defaults={
            "stopped_at": timezone.now(), "stop_reason": reason[:300], "epoch": settings.EVENTOPS_SEND_EPOCH,
        },
    )  # fmt: skip
    log.warning("sending stopped", scope="installation")


def start_everything() -> None:
    """Lift the stop of the installation; those of organizations and mailboxes stay."""
    Installation.objects.filter(pk=1).update(stopped_at=None, stop_reason="")
    log.warning("sending started", scope="installation")


def fence() -> int:
    """Hold what a restored or copied database believes it still has to send. Returns how many mails were held.

    A database that has never sent belongs to whoever runs it first.
    """
    with system_scope():
        if not Installation.objects.exists():
            if not settings.EVENTOPS_SEND_EPOCH:
                return 0
            if not SendAttempt.objects.exists():
                Installation.objects.bulk_create(
                    [Installation(epoch=settings.EVENTOPS_SEND_EPOCH)], ignore_conflicts=True
                )
                return 0
        if not is_fenced():
            return 0
        held = Message.objects.filter(state__in=[State.QUEUED, State.SENDING]).update(
            state=State.HELD, cause=Cause.RESTORED, reason=RESTORED, token=None, lease_until=None,
            updated_at=timezone.now(),
        )  # fmt: skip
    if held:
        log.error("restored database: mails held", count=held)
    return held


def accept_epoch(*, last_sent_at: datetime | None = None) -> int:
    """This database is the one that sends from now on. Returns how many held mails wait for their time again.

    Mails that were due only after ``last_sent_at``, when the former installation sent its last, cannot have left and are
    queued again; all others stay held until a report or a person decides.
    """
    with system_scope():
        Installation.objects.update_or_create(pk=1, defaults={"epoch": settings.EVENTOPS_SEND_EPOCH})
        if last_sent_at is None:
            return 0
        cannot_have_left = Message.objects.filter(
            state=State.HELD, cause=Cause.RESTORED, due_at__gt=last_sent_at, mailbox__isnull=False
        )
        return cannot_have_left.update(
            state=State.QUEUED, cause="", reason="", to_announce=False, updated_at=timezone.now()
        )


# --- Who may be written to from here ---------------------------------------------------------------------------------


def is_outside(address: str) -> bool:
    """Whether this installation must not write to the address (``EVENTOPS_RECIPIENT_DOMAINS``)."""
    allowed = settings.EVENTOPS_RECIPIENT_DOMAINS
    return "*" not in allowed and address.rpartition("@")[2].lower() not in allowed
