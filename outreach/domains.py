"""The sending domains of an organization: checked against the DNS, and closed until the checks pass or a person says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from common.dns import open_resolver
from identity.models import User
from identity.scope import org_scope, system_scope
from outreach import connecting, domain_checks
from outreach.models import DomainOverride, Mailbox, Message, SendingDomain
from outreach.ports import SenderRecords, SendError

log = structlog.get_logger(__name__)
State = SendingDomain.State

EVERY = timedelta(days=1)
"""How long a check holds."""
SOON = timedelta(minutes=15)
"""How soon a domain that is not ready is looked at again by itself."""
AT_ONCE = 50
"""Domains checked by one round of the sweep."""


# --- The gate --------------------------------------------------------------------------------------------------------


def why_closed(mailbox: Mailbox) -> str:
    """Why nothing may leave under the mailbox's domain; empty when it may. Works inside the scope."""
    domain = (
        SendingDomain.objects.for_org(mailbox.organization_id).with_override().filter(domain=mailbox.domain).first()
    )
    if domain is None:
        return f"The DNS of {mailbox.domain} is not checked yet. That happens within a few minutes."
    if domain.state == State.PASSED or domain.is_overridden:  # type: ignore[attr-defined]
        return ""
    return why_not_ready(domain)


def why_not_ready(domain: SendingDomain) -> str:
    failed = [NAMES[finding["check"]] for finding in domain.findings if finding["state"] == domain_checks.FAIL]
    if failed:
        return (
            f"{domain.domain} is not ready to send: {', '.join(failed)} {'does' if len(failed) == 1 else 'do'} not pass. "
            "An admin finds the records to paste under Mailboxes, Domains."
        )
    if domain.checked_at is None:
        return f"The DNS of {domain.domain} is not checked yet. That happens within a few minutes."
    return f"The DNS of {domain.domain} could not be asked yet. It is tried again by itself."


NAMES = {
    "spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC", "mx": "MX", "return_path": "return path", "replies": "reply domain",
}  # fmt: skip


def closed(organization_id: UUID) -> list[SendingDomain]:
    """The domains of mailboxes in use under which nothing may leave. Works inside the scope."""
    overridden = DomainOverride.objects.filter(domain=OuterRef("pk"), ended_at=None)
    rows = SendingDomain.objects.for_org(organization_id).in_use().filter(~Exists(overridden))
    return list(rows.exclude(state=State.PASSED))


# --- Checking --------------------------------------------------------------------------------------------------------


def notice() -> None:
    """Give every domain that a mailbox sends from its row."""
    known = SendingDomain.objects.filter(organization=OuterRef("organization"), domain=OuterRef("from_domain"))
    with system_scope():
        unknown = (
            Mailbox.objects.in_use().filter(~Exists(known)).values_list("organization_id", "from_domain").distinct()
        )
        SendingDomain.objects.bulk_create(
            (SendingDomain(organization_id=organization_id, domain=domain) for organization_id, domain in unknown),
            ignore_conflicts=True,
        )


def due() -> list[tuple[UUID, UUID]]:
    """``(organization_id, domain_id)`` of the domains in use to check now: daily, sooner while they are not ready."""
    now = timezone.now()
    with system_scope():
        never, asked_again = Q(checked_at=None), Q(checked_at__lt=F("asked_at"))
        not_ready = ~Q(state=State.PASSED) & Q(checked_at__lt=now - SOON)
        rows = SendingDomain.objects.in_use().filter(never | asked_again | not_ready | Q(checked_at__lt=now - EVERY))
        return list(rows.order_by("checked_at").values_list("organization_id", "id")[:AT_ONCE])


def check(organization_id: UUID, domain_id: UUID) -> None:
    """Ask the DNS about everything and keep what it says. Asks outside of any transaction."""
    with org_scope(organization_id):
        row = SendingDomain.objects.for_org(organization_id).get(pk=domain_id)
        mailboxes = list(Mailbox.objects.for_org(organization_id).in_use().filter(from_domain=row.domain))
    asked = domain_checks.Asked(
        domain=row.domain,
        senders=list(dict.fromkeys(_records_for(mailboxes, row.domain))) or [SenderRecords()],
        selector=row.dkim_selector,
        reply_domains=sorted({mailbox.reply_domain for mailbox in mailboxes if mailbox.reply_domain}),
    )
    findings = domain_checks.examine(open_resolver(), asked)
    with org_scope(organization_id):
        _record(organization_id, domain_id, findings)


def _records_for(mailboxes: Iterable[Mailbox], domain: str) -> Iterable[SenderRecords]:
    """What the provider of each wants to see. One that cannot be asked is taken for what its kind usually wants."""
    for mailbox in mailboxes:
        try:
            transport = connecting.transport_of(mailbox)
            try:
                yield transport.sender_records(domain)
            finally:
                transport.close()
        except (SendError, connecting.CannotOpen):
            usual = SenderRecords(spf_include="sendgrid.net", selectors=("s1", "s2"))
            yield usual if mailbox.kind == Mailbox.Kind.SENDGRID else SenderRecords()


@transaction.atomic
def _record(organization_id: UUID, domain_id: UUID, findings: list[domain_checks.Finding]) -> None:
    row = SendingDomain.objects.for_org(organization_id).select_for_update().get(pk=domain_id)
    now, before = timezone.now(), row.state
    outcome = domain_checks.outcome(findings)
    row.findings, row.checked_at = [finding.as_json() for finding in findings], now
    if outcome != domain_checks.UNKNOWN:
        row.state = State.PASSED if outcome == domain_checks.PASS else State.FAILED
    if row.state != before:
        row.changed_at = now
    row.save(update_fields=["findings", "checked_at", "state", "changed_at", "updated_at"])
    if row.state != before:
        log.info("sending domain changed", domain_id=str(row.pk), was=before, now=row.state)
    if row.state == State.PASSED != before:
        release(row)


def release(domain: SendingDomain) -> int:
    """What waited for the domain may leave. Returns how many mails waited. Works inside the scope."""
    now = timezone.now()
    waiting = Message.objects.for_org(domain.organization_id).filter(
        state=Message.State.QUEUED, cause=Message.Cause.DOMAIN, mailbox__from_domain=domain.domain
    )
    return waiting.update(due_at=now, cause="", reason="", updated_at=now)


# --- In spite of it --------------------------------------------------------------------------------------------------


@transaction.atomic
def override(organization_id: UUID, domain: str, *, reason: str, actor: User | None) -> SendingDomain:
    """Let a domain send though its checks do not pass. Kept with name and reason. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("Say why the domain may send.")
    row, _ = SendingDomain.objects.get_or_create(organization_id=organization_id, domain=domain)
    made = DomainOverride(
        organization_id=organization_id, domain=row, reason=reason.strip()[:300], made_at=timezone.now(), made_by=actor
    )
    DomainOverride.objects.bulk_create([made], ignore_conflicts=True)
    release(row)
    log.warning("sending domain overridden", domain_id=str(row.pk), actor=str(actor.pk) if actor else "command")
    return row


def end_override(domain: SendingDomain, *, actor: User | None) -> bool:
    """The checks of the domain count again. Returns whether it was overridden."""
    now = timezone.now()
    open_ones = DomainOverride.objects.for_org(domain.organization_id).filter(domain=domain, ended_at=None)
    return bool(open_ones.update(ended_at=now, ended_by=actor, updated_at=now))
