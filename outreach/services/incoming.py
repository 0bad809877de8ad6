"""What the webhooks of ``integrations`` hand in: kept first, worked on after the commit."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from common.doorbell import ring
from identity.scope import org_scope
from outreach import inbound, reports, tasks
from outreach.models import Mailbox
from outreach.ports import Report


def receive_reports(received: Iterable[Report], *, only_organization: UUID | None = None) -> int:
    """Store reports of a provider, each once, and ring for their work. Returns how many are new. Committed on return."""
    new = reports.store(received, only_organization=only_organization)
    for organization_id, count in new.items():
        if count:
            ring(tasks.process_reports, str(organization_id))
    return sum(new.values())


def receive_mail(mailbox: Mailbox, raw: bytes, *, envelope_to: str = "") -> bool:
    """Keep a mail that arrived for a mailbox, once, and ring for its sorting. Returns whether it is new."""
    with org_scope(mailbox.organization_id):
        mail = inbound.keep(mailbox, raw, envelope_to=envelope_to)
        if mail is not None:
            ring(tasks.sort_mail, str(mailbox.organization_id), str(mail.pk))
    return mail is not None
