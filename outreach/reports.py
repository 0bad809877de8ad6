"""What providers tell us about our mails, applied to the messages.

Reports come late, twice and in any order. Each is stored once; a message only ever learns that something happened, or
happened earlier, so any order and any number of copies end the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from common.bulk import insert_many, update_many
from common.happenings import Happening, Kind, announce
from identity.scope import org_scope, system_scope
from outreach import health, signals
from outreach.addresses import masked
from outreach.models import Message, ProviderEvent, Suppression
from outreach.ports import Report, ReportKind
from outreach.reconciling import accept_on_evidence
from outreach.suppressing import suppress

log = structlog.get_logger(__name__)

CHUNK = 500
MACHINE_PACE = timedelta(seconds=3)
"""A link followed this soon after the mail was handed over was followed by a scanner, not by a reader."""

HARMS = {ReportKind.BOUNCED, ReportKind.BLOCKED, ReportKind.COMPLAINED}
"""What decides about the health of a mailbox."""

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
        insert_many(
            [
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
            ],
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
                .order_by("created_at")
                .select_for_update(of=("self",), skip_locked=True)[:CHUNK]
            )
            if events:
                _apply_safely(events)
                _judge(organization_id, events)
                signals.messages_changed.send(sender=Message, organization_id=organization_id)
        done += len(events)
        if len(events) < CHUNK:
            return done


def _judge(organization_id: UUID, events: Sequence[ProviderEvent]) -> None:
    """Pause the mailboxes of which these events tell too much harm."""
    harmed = {event.message_id for event in events if event.kind in HARMS}
    if harmed:
        found = Message.objects.filter(pk__in=harmed, mailbox__isnull=False).values_list("mailbox_id", flat=True)
        health.judge(organization_id, set(found))


def unprocessed_organizations() -> list[UUID]:
    with system_scope():
        return list(ProviderEvent.objects.unprocessed().values_list("organization_id", flat=True).distinct())


def _apply_safely(events: Sequence[ProviderEvent]) -> None:
    """Apply them together; when that fails, each alone, so that one bad report is set aside and does not stop the others."""
    problem = ""
    try:
        with transaction.atomic():
            apply(events)
    except Exception as error:
        if len(events) > 1:
            for event in events:
                _apply_safely([event])
            return
        log.exception("report cannot be applied", event_id=str(events[0].pk), kind=events[0].kind)
        problem = f"{type(error).__name__}: {error}"[:300]
    ProviderEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        processed_at=timezone.now(), problem=problem
    )


def apply(events: Sequence[ProviderEvent]) -> None:
    """Teach the messages what the events say. Works inside the scope; doing it again changes nothing."""
    messages = {
        message.pk: message
        for message in Message.objects.filter(pk__in={event.message_id for event in events})
        .defer("body", "text", "html")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    }
    lessons = [_Lesson(messages[event.message_id], event) for event in events]
    changed = {lesson.message.pk: lesson.message for lesson in lessons if lesson.learn()}
    now = timezone.now()
    for message in changed.values():
        message.updated_at = now
    update_many(list(changed.values()), LEARNED)
    announce(*(lesson.news for lesson in lessons if lesson.news))
    for lesson in lessons:
        if lesson.refusal:
            _refuse(lesson.message, lesson.refusal, lesson.event.provider)


LEARNED = (
    "mail_message_id", "delivered_at", "deferred_at", "opened_at", "machine_opened_at", "clicked_at", "machine_clicked_at",
    "bounced_at", "bounced_for_good", "bounce_reason", "updated_at",
)  # fmt: skip


@dataclass
class _Lesson:
    """What one event teaches a message, whose row is locked."""

    message: Message
    event: ProviderEvent
    news: Happening | None = None
    refusal: str = ""
    _is_new: bool = False

    def learn(self) -> bool:
        """Returns whether the message is another now."""
        event, message = self.event, self.message
        kind = ReportKind(event.kind)
        if message.sent_at is None:
            accept_on_evidence(message, attempt=event.attempt, at=event.occurred_at)
        real_id = event.data.get("mail_message_id", "")[:255]
        if real_id and real_id != message.mail_message_id:
            message.mail_message_id, self._is_new = real_id, True
        if kind in {ReportKind.DELIVERED, ReportKind.DEFERRED}:
            self._first_time(f"{kind}_at")
        elif kind is ReportKind.OPENED:
            self._opened()
        elif kind is ReportKind.CLICKED:
            self._clicked()
        elif kind in {ReportKind.BOUNCED, ReportKind.BLOCKED, ReportKind.DROPPED}:
            self._not_delivered(kind)
        elif kind is ReportKind.COMPLAINED:
            self.refusal = Reason.COMPLAINT
        elif kind is ReportKind.UNSUBSCRIBED:
            self.refusal = Reason.UNSUBSCRIBED
        return self._is_new

    def _first_time(self, column: str) -> bool:
        """Move a timestamp to an earlier moment. Returns whether it was empty before."""
        known = getattr(self.message, column)
        if known is None or known > self.event.occurred_at:
            setattr(self.message, column, self.event.occurred_at)
            self._is_new = True
        return known is None

    def _opened(self) -> None:
        if self.event.is_machine:
            self._first_time("machine_opened_at")
        elif self._first_time("opened_at"):
            self._tell(Kind.OUTREACH_OPENED)

    def _clicked(self) -> None:
        sent_at = self.message.sent_at
        too_soon = sent_at is not None and self.event.occurred_at - sent_at < MACHINE_PACE
        if self.event.is_machine or too_soon:
            self._first_time("machine_clicked_at")
        elif self._first_time("clicked_at"):
            self._tell(Kind.OUTREACH_CLICKED)

    def _not_delivered(self, kind: ReportKind) -> None:
        reason = self.event.data.get("reason", "")
        before = self.message.bounced_at
        if self._first_time("bounced_at"):
            self._tell(Kind.OUTREACH_BOUNCED)
        if self.message.bounced_at != before:
            self.message.bounce_reason = reason[:300]
        if kind is ReportKind.BOUNCED:
            self._is_new |= not self.message.bounced_for_good
            self.message.bounced_for_good = True
            self.refusal = Reason.HARD_BOUNCE
        elif kind is ReportKind.DROPPED and reason.lower() in DROPPED_FOR:
            self.refusal = DROPPED_FOR[reason.lower()]

    def _tell(self, kind: Kind) -> None:
        message = self.message
        self.news = Happening(
            kind=kind,
            organization_id=message.organization_id,
            event_id=message.event_id,
            account_id=message.account_id,
            person_id=message.person_id,
            summary=f"{kind.label}: {message.subject}"[:300],
            data={"message_id": str(message.pk)},
            occurred_at=self.event.occurred_at,
        )


def _refuse(message: Message, reason: str, source: str) -> None:
    if message.address_hash is None:
        return
    suppress(
        message.organization_id, address_hash=message.address_hash, hint=masked(message.to_address), reason=reason,
        source=source, message=message,
    )  # fmt: skip


MEETING_WITHIN = timedelta(days=60)
"""A meeting booked this long after a mail is no longer put down to it."""


def note_meeting(organization_id: UUID, person_id: UUID, *, at: datetime) -> None:
    """A meeting was booked with a person: the last mail before it brought it. Works inside the scope."""
    mails = Message.objects.for_org(organization_id).sent().filter(person=person_id, sent_at__lte=at)
    last = mails.filter(sent_at__gt=at - MEETING_WITHIN).order_by("-sent_at").values_list("pk", flat=True).first()
    if last:
        Message.objects.filter(pk=last, met_at=None).update(met_at=at, updated_at=timezone.now())
