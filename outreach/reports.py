"""What providers tell us about our mails, applied to the messages.

Reports come late, twice and in any order. Each is stored once; a message only ever learns that something happened, or
happened earlier, so any order and any number of copies end the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from identity.scope import org_scope, system_scope
from outreach import signals
from outreach.addresses import masked
from outreach.models import Message, ProviderEvent, Suppression
from outreach.ports import Report, ReportKind
from outreach.reconciling import accept_on_evidence
from outreach.suppressing import suppress

log = structlog.get_logger(__name__)

CHUNK = 200
MACHINE_PACE = timedelta(seconds=3)
"""A link followed this soon after the mail was handed over was followed by a scanner, not by a reader."""

Reason = Suppression.Reason
DROPPED_FOR = {
    "bounced address": Reason.HARD_BOUNCE,
    "invalid": Reason.HARD_BOUNCE,
    "unsubscribed address": Reason.UNSUBSCRIBED,
    "spam reporting address": Reason.COMPLAINT,
}
"""Why SendGrid drops a mail by itself, mirrored into our own list."""


def store(reports: Iterable[Report], *, only_organization: UUID | None = None) -> dict[UUID, int]:
    """Keep new reports under the organization of the message each is about; the payload has no say in whose it is.

    Reports about messages we do not have, or, with ``only_organization``, of another one, are ignored. Returns how many
    are new per organization; they are committed.
    """
    reports = list(reports)
    with system_scope():
        owners = dict(
            Message.objects.filter(pk__in={report.intent_id for report in reports}).values_list("pk", "organization_id")
        )
    by_organization: dict[UUID, list[Report]] = {}
    for report in reports:
        owner = owners.get(report.intent_id)
        if owner is not None and only_organization in {None, owner}:
            by_organization.setdefault(owner, []).append(report)
    return {owner: _insert(owner, own) for owner, own in by_organization.items()}


def _insert(organization_id: UUID, reports: list[Report]) -> int:
    with org_scope(organization_id):
        rows = ProviderEvent.objects.for_org(organization_id)
        wanted = {report.event_id[:255]: report for report in reports}
        known = set(rows.filter(provider=reports[0].provider, event_id__in=wanted).values_list("event_id", flat=True))
        new = [report for event_id, report in wanted.items() if event_id not in known]
        ProviderEvent.objects.bulk_create(
            (
                ProviderEvent(
                    organization_id=organization_id,
                    provider=report.provider,
                    event_id=report.event_id[:255],
                    message_id=report.intent_id,
                    attempt=report.attempt,
                    kind=report.kind,
                    occurred_at=report.occurred_at,
                    is_machine=report.is_machine,
                    data={
                        "reason": report.reason,
                        "provider_message_id": report.provider_message_id,
                        "mail_message_id": report.mail_message_id,
                    },
                )
                for report in new
            ),
            ignore_conflicts=True,
        )
        return len(new)


def process(organization_id: UUID) -> int:
    """Apply every stored report that has not been applied. Returns how many were."""
    done = 0
    while True:
        with org_scope(organization_id):
            events = list(
                ProviderEvent.objects.for_org(organization_id)
                .unprocessed()
                .select_related("message")
                .order_by("occurred_at", "id")
                .select_for_update(of=("self",), skip_locked=True)[:CHUNK]
            )
            for event in events:
                _apply_alone(event)
            if events:
                signals.messages_changed.send(sender=Message, organization_id=organization_id)
        done += len(events)
        if len(events) < CHUNK:
            return done


def unprocessed_organizations() -> list[UUID]:
    with system_scope():
        return list(ProviderEvent.objects.unprocessed().values_list("organization_id", flat=True).distinct())


def _apply_alone(event: ProviderEvent) -> None:
    """One bad report is set aside alone and does not stop the others."""
    problem = ""
    try:
        with transaction.atomic():
            apply(event)
    except Exception as error:
        log.exception("report cannot be applied", event_id=str(event.pk), kind=event.kind)
        problem = f"{type(error).__name__}: {error}"[:300]
    ProviderEvent.objects.filter(pk=event.pk).update(processed_at=timezone.now(), problem=problem)


def apply(event: ProviderEvent) -> None:
    """Teach the message one thing. Works inside the scope; doing it again changes nothing."""
    message = Message.objects.select_for_update().get(pk=event.message_id)
    accept_on_evidence(message, attempt=event.attempt, at=event.occurred_at)
    message.refresh_from_db()
    real_id = event.data.get("mail_message_id", "")
    if real_id and real_id != message.mail_message_id:
        Message.objects.filter(pk=message.pk).update(mail_message_id=real_id[:255])
    kind = ReportKind(event.kind)
    if kind in {ReportKind.DELIVERED, ReportKind.DEFERRED}:
        _first_time(message, f"{kind}_at", event.occurred_at)
    elif kind is ReportKind.OPENED:
        _opened(message, event)
    elif kind is ReportKind.CLICKED:
        _clicked(message, event)
    elif kind in {ReportKind.BOUNCED, ReportKind.BLOCKED, ReportKind.DROPPED}:
        _not_delivered(message, event, kind)
    elif kind is ReportKind.COMPLAINED:
        _refuse(message, Reason.COMPLAINT, event.provider)
    elif kind is ReportKind.UNSUBSCRIBED:
        _refuse(message, Reason.UNSUBSCRIBED, event.provider)


def _first_time(message: Message, column: str, at: datetime, **more: object) -> bool:
    """Move a timestamp to an earlier moment. Returns whether it was empty before."""
    was_empty = getattr(message, column) is None
    Message.objects.filter(Q(**{column: None}) | Q(**{f"{column}__gt": at}), pk=message.pk).update(
        **{column: at, "updated_at": timezone.now()}, **more
    )
    return was_empty


def _opened(message: Message, event: ProviderEvent) -> None:
    if event.is_machine:
        _first_time(message, "machine_opened_at", event.occurred_at)
    elif _first_time(message, "opened_at", event.occurred_at):
        _announce(message, Kind.OUTREACH_OPENED, event.occurred_at)


def _clicked(message: Message, event: ProviderEvent) -> None:
    too_soon = message.sent_at is not None and event.occurred_at - message.sent_at < MACHINE_PACE
    if event.is_machine or too_soon:
        _first_time(message, "machine_clicked_at", event.occurred_at)
    elif _first_time(message, "clicked_at", event.occurred_at):
        _announce(message, Kind.OUTREACH_CLICKED, event.occurred_at)


def _not_delivered(message: Message, event: ProviderEvent, kind: ReportKind) -> None:
    reason = event.data.get("reason", "")
    if _first_time(message, "bounced_at", event.occurred_at, bounce_reason=reason[:300]):
        _announce(message, Kind.OUTREACH_BOUNCED, event.occurred_at)
    if kind is ReportKind.BOUNCED:
        _refuse(message, Reason.HARD_BOUNCE, event.provider)
    elif kind is ReportKind.DROPPED and reason.lower() in DROPPED_FOR:
        _refuse(message, DROPPED_FOR[reason.lower()], event.provider)


def _refuse(message: Message, reason: str, source: str) -> None:
    if message.address_hash is None:
        return
    suppress(
        message.organization_id, address_hash=message.address_hash, hint=masked(message.to_address), reason=reason,
        source=source, message=message,
    )  # fmt: skip


def _announce(message: Message, kind: Kind, at: datetime) -> None:
    announce(
        Happening(
            kind=kind,
            organization_id=message.organization_id,
            event_id=message.event_id,
            account_id=message.account_id,
            person_id=message.person_id,
            summary=f"{kind.label}: {message.subject}"[:300],
            data={"message_id": str(message.pk)},
            occurred_at=at,
        )
    )
