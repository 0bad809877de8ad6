"""Sending domains: check one now, name its DKIM selector, let it send in spite of its checks, and end that."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from common.doorbell import ring
from identity.models import User
from outreach import domains, tasks
from outreach.models import SendingDomain


def check_now(domain: SendingDomain) -> None:
    """Ask a worker to look at the DNS."""
    domain.asked_at = timezone.now()
    domain.save(update_fields=["asked_at", "updated_at"])
    ring(tasks.check_domain, str(domain.organization_id), str(domain.pk))


@transaction.atomic
def name_selector(domain: SendingDomain, *, selector: str) -> None:
    """Say under which name the domain's mail server signs, and have it checked."""
    domain.dkim_selector = selector
    domain.save(update_fields=["dkim_selector", "updated_at"])
    check_now(domain)


@transaction.atomic
def override(domain: SendingDomain, *, reason: str, actor: User) -> None:
    """Let it send though its checks do not pass. Raises ValueError without a reason."""
    domains.override(domain.organization_id, domain.domain, reason=reason, actor=actor)
    ring(tasks.send_due)


def end_override(domain: SendingDomain, *, actor: User) -> bool:
    """Its checks count again. Returns whether it was overridden."""
    return domains.end_override(domain, actor=actor)
