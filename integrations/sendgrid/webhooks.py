"""The doors SendGrid knocks at: events, and mail that arrives for us. Verified, kept, answered; worked on later."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import Message as MimeMessage
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from identity.scope import system_scope
from integrations.sendgrid.events import Unreadable, reports_in
from integrations.sendgrid.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_genuine
from outreach import tokens
from outreach.models import Mailbox
from outreach.services import incoming

log = structlog.get_logger(__name__)

LARGEST_EVENTS = 5 * 2**20
LARGEST_MAIL = 25 * 2**20


@csrf_exempt
@require_POST
def events(request: HttpRequest, token: str = "") -> HttpResponse:
    """Signed events of one mailbox's account, or, without a token, of the installation's."""
    body = _read(request, LARGEST_EVENTS)
    if body is None:
        return HttpResponse(status=413)
    mailbox = _mailbox(token) if token else None
    key = (mailbox.webhook_key if mailbox else "") or settings.SENDGRID_WEBHOOK_KEY
    signed = is_genuine(
        body,
        signature=request.headers.get(SIGNATURE_HEADER, ""),
        timestamp=request.headers.get(TIMESTAMP_HEADER, ""),
        key=key if mailbox or not token else "",
    )
    if not signed:
        log.warning("webhook refused", sender="sendgrid", mailbox_id=str(mailbox.pk) if mailbox else "")
        return HttpResponse(status=401)
    try:
        received = reports_in(body)
    except Unreadable:
        return HttpResponse(status=400)
    only: UUID | None = mailbox.organization_id if mailbox else None
    try:
        new = incoming.receive_reports(received, only_organization=only)
    except DatabaseError:
        log.exception("webhook not stored", sender="sendgrid")
        return HttpResponse(status=503)
    log.info("webhook received", sender="sendgrid", events=len(received), new=new)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def inbound(request: HttpRequest, token: str) -> HttpResponse:
    """One mail by Inbound Parse with “POST the raw, full MIME message”. The token in the address is the secret."""
    mailbox = _mailbox(token)
    if mailbox is None:
        return HttpResponse(status=404)
    body = _read(request, LARGEST_MAIL)
    if body is None:
        return HttpResponse(status=413)
    fields = _fields(request.headers.get("Content-Type", ""), body)
    raw = fields.get("email")
    if not raw:
        return HttpResponse("Switch on “POST the raw, full MIME message” in SendGrid's Inbound Parse.", status=400)
    try:
        new = incoming.receive_mail(mailbox, raw, envelope_to=_envelope_to(fields.get("envelope", b"")))
    except DatabaseError:
        log.exception("mail not stored", sender="sendgrid")
        return HttpResponse(status=503)
    log.info("mail received", sender="sendgrid", new=new, size=len(raw))
    return HttpResponse(status=200)


def _read(request: HttpRequest, limit: int) -> bytes | None:
    """The raw body; ``None`` when it is larger than ``limit`` bytes."""
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        return None
    body = request.read(limit + 1)
    return body if len(body) <= limit else None


def _mailbox(token: str) -> Mailbox | None:
    try:
        mailbox_id = tokens.read_mailbox_token(token)
    except tokens.InvalidToken:
        return None
    with system_scope():
        return Mailbox.objects.filter(pk=mailbox_id).first()


def _fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a multipart form as they came, without a charset being guessed."""
    if not content_type.isascii() or "\n" in content_type or not content_type.startswith("multipart/form-data"):
        return {}
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=policy.compat32)
    if not form.is_multipart():
        return {}
    found: dict[str, bytes] = {}
    for part in form.get_payload():
        if isinstance(part, MimeMessage):
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(content, bytes):
                found[name] = content
    return found


def _envelope_to(envelope: bytes) -> str:
    try:
        to = json.loads(envelope)["to"]
    except (ValueError, KeyError, TypeError):
        return ""
    return " ".join(str(address) for address in to)[:998] if isinstance(to, list) else ""
