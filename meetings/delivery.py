"""Send calendar mails: claim the row, look again whether it still holds, hand it over, write what became of it."""

import smtplib
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from identity.scope import org_scope, system_scope
from meetings.calendars import as_ics, organizer_email
from meetings.models import Invitation, Meeting
from outreach.addresses import address_hashes
from outreach.models import Suppression

log = structlog.get_logger(__name__)
Status = Invitation.Status

WAITS_AT_LEAST = timedelta(seconds=30)
"""How long a row waits for its own bell before the sweep takes it."""
CLAIM_LASTS = timedelta(minutes=15)


def deliver(invitation_id: UUID) -> None:
    """Send one calendar mail. Safe to run several times at once: only who claims the row sends."""
    with system_scope():
        found = Invitation.objects.filter(pk=invitation_id).values_list("organization_id", flat=True).first()
    if found is None:
        return
    with org_scope(found):
        claimed = Invitation.objects.filter(pk=invitation_id, status=Status.QUEUED).update(
            status=Status.SENDING, claimed_at=timezone.now()
        )
        if not claimed:
            return
        invitation = _load(invitation_id)
        reason = _why_not(invitation)
        if reason:
            _record(invitation, Status.SKIPPED, reason)
            return
        mail = _compose(invitation)
    status, error = _hand_over(mail)
    with org_scope(found):
        _record(invitation, status, error)
    log.info("calendar mail", invitation=str(invitation_id), status=status)


def sweep() -> None:
    """Send what no bell rang for; a claim that never ended is unknown and is not sent again by itself."""
    now = timezone.now()
    with system_scope():
        Invitation.objects.filter(status=Status.SENDING, claimed_at__lt=now - CLAIM_LASTS).update(
            status=Status.UNKNOWN, error="The worker stopped while it was sending."
        )
        waiting = list(
            Invitation.objects.filter(status=Status.QUEUED, created_at__lt=now - WAITS_AT_LEAST)
            .order_by("created_at")
            .values_list("pk", flat=True)[:200]
        )
    for invitation_id in waiting:
        deliver(invitation_id)


def _load(invitation_id: UUID) -> Invitation:
    rows = Invitation.objects.select_related("attendee__person", "meeting__event", "meeting__rep", "meeting__table")
    return rows.get(pk=invitation_id)


def _why_not(invitation: Invitation) -> str:
    meeting = invitation.meeting
    if invitation.sequence != meeting.sequence:
        return "The meeting changed before this was sent."
    is_cancelled = meeting.status == Meeting.Status.CANCELLED
    if is_cancelled != (invitation.method == Invitation.Method.CANCEL):
        return "The meeting was cancelled." if is_cancelled else "The meeting was taken up again."
    if not invitation.attendee.person.email:
        return "This person has no e-mail address any more."
    hashes = address_hashes(invitation.organization_id, invitation.attendee.person.email)
    if Suppression.objects.for_org(invitation.organization_id).of(hashes).exists():
        return "This address must not be written to: it is on the suppression list."
    return ""


def _compose(invitation: Invitation) -> EmailMultiAlternatives:
    meeting, person = invitation.meeting, invitation.attendee.person
    event, begin = meeting.event, meeting.local_start
    cancelled = invitation.method == Invitation.Method.CANCEL
    when = f"{begin:%A} {begin.day} {begin:%B %Y}, {begin:%H:%M} to {meeting.local_end:%H:%M} ({event.time_zone})"
    if cancelled:
        opening, word = "this meeting has been cancelled:", "Cancelled"
    elif meeting.sequence:
        opening, word = "the details of our meeting have changed:", "Changed"
    else:
        opening, word = "here is our meeting for your calendar:", "Invitation"
    lines = [f"Hello {person.first_name or person.name},", "", opening, "", meeting.title, when]
    place = ", ".join(filter(None, [meeting.where, event.booth and f"{event.name}, {event.booth}", event.venue]))
    lines += [place, "", "Reply to this mail if anything should be different.", "", str(meeting.rep or event.name)]
    sender = settings.DEFAULT_FROM_EMAIL
    mail = EmailMultiAlternatives(
        subject=f"{word}: {meeting.title}",
        body="\n".join(lines),
        from_email=sender,
        to=[person.email],
        reply_to=[organizer_email(meeting)],
        headers={"Message-ID": f"<{invitation.pk}@{sender.rpartition('@')[2].rstrip('>')}>"},
    )
    ics = as_ics(meeting, method=invitation.method).decode()
    mail.attach_alternative(ics, f"text/calendar; method={invitation.method}")
    mail.attach("meeting.ics", ics.encode(), "application/ics")
    return mail


def _hand_over(mail: EmailMultiAlternatives) -> tuple[Invitation.Status, str]:
    """Refused mail has failed for certain; when the connection broke half-way nobody can know."""
    try:
        mail.send()
    except (smtplib.SMTPServerDisconnected, TimeoutError):
        return Status.UNKNOWN, "The mail server stopped answering while it was taking the mail."
    except smtplib.SMTPRecipientsRefused:
        return Status.FAILED, "The mail server does not accept this address."
    except smtplib.SMTPException:
        return Status.FAILED, "The mail server refused the mail. Check the mail settings and send again."
    except OSError:
        return Status.FAILED, "The mail server could not be reached. Send again later."
    return Status.SENT, ""


def _record(invitation: Invitation, status: Invitation.Status, error: str) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(
        status=status, error=error[:300], sent_at=timezone.now() if status == Status.SENT else None
    )
