"""How receivers take our mail: bounces and complaints of each mailbox and domain, and the pause before harm is done.

Every figure is read from an index and costs the same however many mails there are: the last mails of a mailbox, its
complaints, and its counters by day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from activities.models import Task
from identity.models import User
from identity.scope import org_scope, system_scope
from outreach.models import HealthPause, Mailbox

log = structlog.get_logger(__name__)

WINDOW = timedelta(days=7)
RECENT = 200
"""The last mails of which bounces are counted."""
FEWEST = 10
"""So many bounces at least before they mean anything: five in a hundred of ``RECENT``."""
BOUNCES_STOP, BOUNCES_WARN = 0.05, 0.02
COMPLAINTS_STOP, COMPLAINTS_WARN = 0.003, 0.001
MANY = 1_000
"""From so many mails a week on, complaints are judged by their share; below, two within a day are too many."""
OK, WARN, STOP = "ok", "warn", "stop"


@dataclass(frozen=True)
class Health:
    """Figures since the last time a person resumed: ``recent`` and its ``bounced`` and ``blocked`` are of the last 200
    mails, ``sent`` and ``complaints`` of seven days, ``complaints_today`` of 24 hours."""

    recent: int = 0
    bounced: int = 0
    blocked: int = 0
    sent: int = 0
    complaints: int = 0
    complaints_today: int = 0

    @property
    def bounce_rate(self) -> float:
        return self.bounced / self.recent if self.recent else 0.0

    @property
    def complaint_rate(self) -> float:
        return self.complaints / self.sent if self.sent else 0.0

    @property
    def why_stop(self) -> str:
        """Why nothing more should leave, with the figures; empty while it may."""
        if self.bounced >= FEWEST and self.bounce_rate >= BOUNCES_STOP:
            return f"{self.bounced} of the last {self.recent} mails went to addresses that do not exist"
        if self.blocked >= FEWEST and self.blocked / self.recent >= BOUNCES_STOP:
            return f"{self.blocked} of the last {self.recent} mails were refused by the receivers' policy"
        if self.sent >= MANY and self.complaint_rate >= COMPLAINTS_STOP:
            return f"{self.complaints} of {self.sent:,} mails in seven days were reported as spam"
        if self.sent < MANY and self.complaints_today >= 2:
            return f"{self.complaints_today} people reported mails as spam within a day"
        return ""

    @property
    def verdict(self) -> str:
        if self.why_stop:
            return STOP
        bounces = self.bounced >= 3 and self.bounce_rate >= BOUNCES_WARN
        complaints = self.complaint_rate >= COMPLAINTS_WARN if self.sent >= MANY else bool(self.complaints_today)
        return WARN if bounces or complaints else OK


# Policy refusals: enhanced codes 5.7.x, and 421 at the beginning of what the receiver said.
_FIGURES = """
WITH box AS (
  SELECT b.id, b.{key} AS key,
    coalesce((SELECT max(p.resumed_at) FROM outreach_healthpause p
              WHERE p.organization_id = %(organization)s AND p.mailbox_id = b.id), '-infinity') AS since
  FROM outreach_mailbox b WHERE b.organization_id = %(organization)s AND b.archived_at IS NULL AND b.{key} = ANY(%(keys)s)
), latest AS (
  SELECT box.key, m.*, row_number() OVER (PARTITION BY box.key ORDER BY m.sent_at DESC) AS place
  FROM box CROSS JOIN LATERAL (
    SELECT sent_at, bounced_for_good, NOT bounced_for_good AND bounce_reason ~ '(^|[^0-9.])5\\.7\\.[0-9]|^421' AS blocked
    FROM outreach_message m
    WHERE m.mailbox_id = box.id AND m.organization_id = %(organization)s AND m.sent_at > box.since
    ORDER BY m.sent_at DESC LIMIT %(recent)s) AS m
), bounces AS (
  SELECT key, count(*) AS recent, count(*) FILTER (WHERE bounced_for_good) AS bounced,
    count(*) FILTER (WHERE blocked) AS blocked
  FROM latest WHERE place <= %(recent)s GROUP BY key
), volume AS (
  SELECT box.key, sum(d.used) AS sent FROM box JOIN outreach_mailboxday d ON d.mailbox_id = box.id
    AND d.organization_id = %(organization)s AND d.day > %(week)s::date AND d.day >= box.since::date GROUP BY box.key
), complaints AS (
  SELECT box.key, count(*) AS number, count(*) FILTER (WHERE m.complained_at > %(yesterday)s) AS today
  FROM box JOIN outreach_message m ON m.mailbox_id = box.id AND m.organization_id = %(organization)s
    AND m.complained_at > %(week)s AND m.sent_at > box.since GROUP BY box.key
)
SELECT DISTINCT box.key, coalesce(recent, 0), coalesce(bounced, 0), coalesce(blocked, 0), coalesce(sent, 0),
  coalesce(number, 0), coalesce(today, 0)
FROM box LEFT JOIN bounces USING (key) LEFT JOIN volume USING (key) LEFT JOIN complaints USING (key)
"""


def of_mailboxes(organization_id: UUID, mailbox_ids: Collection[UUID]) -> dict[UUID, Health]:
    """By mailbox in use. Works inside the scope."""
    return _figures(organization_id, "id", list(mailbox_ids))


def of_domains(organization_id: UUID, domains: Collection[str]) -> dict[str, Health]:
    """By domain, over all its mailboxes in use. Works inside the scope."""
    return _figures(organization_id, "from_domain", list(domains))


def _figures(organization_id: UUID, key: str, keys: list[Any]) -> dict[Any, Health]:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _FIGURES.format(key=key),
            {
                "organization": organization_id, "keys": keys, "recent": RECENT, "week": now - WINDOW,
                "yesterday": now - timedelta(days=1),
            },
        )  # fmt: skip
        return {found: Health(*map(int, numbers)) for found, *numbers in cursor.fetchall()}


# --- Pausing ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def judge(organization_id: UUID, mailbox_ids: Collection[UUID]) -> int:
    """Pause what does harm: the mailboxes themselves, and all of a domain that does. Returns how many. Inside the scope."""
    mailboxes = Mailbox.objects.for_org(organization_id).in_use()
    judged = {box.pk: box for box in mailboxes.filter(pk__in=mailbox_ids, paused_at=None)}
    reasons = {pk: health.why_stop for pk, health in of_mailboxes(organization_id, judged).items() if health.why_stop}
    domains = of_domains(organization_id, {box.from_domain for box in judged.values()})
    sick = {name: f"{health.why_stop}, all from {name}" for name, health in domains.items() if health.why_stop}
    for box in mailboxes.filter(from_domain__in=sick, paused_at=None):
        reasons.setdefault(box.pk, sick[box.from_domain])
    return sum(_pause(organization_id, pk, reason) for pk, reason in reasons.items())


def judge_all() -> None:
    """Judge every mailbox that sends."""
    with system_scope():
        found = list(Mailbox.objects.in_use().filter(paused_at=None).values_list("organization_id", "id"))
    by_organization: dict[UUID, list[UUID]] = {}
    for organization_id, mailbox_id in found:
        by_organization.setdefault(organization_id, []).append(mailbox_id)
    for organization_id, ids in by_organization.items():
        with org_scope(organization_id):
            judge(organization_id, ids)


def _pause(organization_id: UUID, mailbox_id: UUID, reason: str) -> bool:
    now = timezone.now()
    words = f"Paused to protect its reputation: {reason}."
    paused = Mailbox.objects.for_org(organization_id).filter(pk=mailbox_id, paused_at=None)
    if not paused.update(paused_at=now, pause_reason=words[:300], updated_at=now):
        return False
    HealthPause.objects.bulk_create(
        [HealthPause(organization_id=organization_id, mailbox_id=mailbox_id, reason=reason[:300], paused_at=now)],
        ignore_conflicts=True,
    )
    mailbox = Mailbox.objects.select_related("organization").get(pk=mailbox_id)
    Task.objects.create(
        organization_id=organization_id, assignee_id=mailbox.owner_id, due_on=now.date(),
        title=f"Look into the mailbox “{mailbox.name}”: {reason}"[:200],
    )  # fmt: skip
    log.warning("mailbox paused for its health", mailbox_id=str(mailbox_id))
    return True


def pauses(organization_id: UUID) -> dict[UUID, HealthPause]:
    """By mailbox, the pause that waits for a person. Works inside the scope."""
    rows = HealthPause.objects.for_org(organization_id).filter(resumed_at=None)
    return {pause.mailbox_id: pause for pause in rows}


def end_pause(mailbox: Mailbox, *, actor: User | None, reason: str) -> None:
    """A person answers for it that the mailbox sends again; its figures begin anew. Raises ValueError without a reason."""
    now = timezone.now()
    waiting = HealthPause.objects.for_org(mailbox.organization_id).filter(mailbox=mailbox, resumed_at=None)
    if waiting.exists() and not reason.strip():
        raise ValueError("Say what was wrong and what you did about it.")
    waiting.update(resumed_at=now, resumed_by=actor, resume_reason=reason.strip()[:300], updated_at=now)
