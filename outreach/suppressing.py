"""Who must not be written to. Effective at commit: what is queued for the address is cancelled in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from identity.models import Organization, User
from outreach import guard, signals
from outreach.addresses import address_hash, masked
from outreach.models import AccountHold, Message, Suppression
from outreach.scopes import EVERYTHING, rows_within

State, Reason = Message.State, Suppression.Reason

KIND_OF_REASON = {
    Reason.UNSUBSCRIBED: Kind.OUTREACH_UNSUBSCRIBED,
    Reason.ASKED: Kind.OUTREACH_UNSUBSCRIBED,
    Reason.COMPLAINT: Kind.OUTREACH_COMPLAINED,
}


@transaction.atomic
def suppress_addresses(
    organization: Organization,
    *,
    addresses: Iterable[str],
    reason: str,
    source: str,
    actor: User | None = None,
    note: str = "",
    scope: str = EVERYTHING,
) -> int:
    """Never write to these addresses again, as far as ``scope`` reaches. Returns how many were not on the list before."""
    hints = {found: masked(a) for a in addresses if (found := address_hash(organization.pk, a))}
    entries = Suppression.objects.for_org(organization).active().filter(scope=scope)
    already = set(entries.filter(address_hash__in=hints).values_list("address_hash", flat=True))
    Suppression.objects.bulk_create(
        [
            Suppression(
                organization=organization, address_hash=found, hint=hint, scope=scope, reason=reason, source=source,
                added_by=actor, note=note[:300],
            )
            for found, hint in hints.items()
        ],
        batch_size=1_000,
        ignore_conflicts=True,
    )  # fmt: skip
    _stop_waiting(organization.pk, list(hints), reason=reason, scope=scope)
    return len(hints.keys() - already)


@transaction.atomic
def suppress(
    organization_id: UUID,
    *,
    address_hash: UUID,
    reason: str,
    source: str,
    hint: str = "",
    actor: User | None = None,
    note: str = "",
    message: Message | None = None,
    scope: str = EVERYTHING,
) -> Suppression:
    """As ``suppress_addresses``, by the hash of one. Doing it again changes nothing and announces nothing."""
    Suppression.objects.bulk_create(
        [
            Suppression(
                organization_id=organization_id, address_hash=address_hash, reason=reason, source=source, hint=hint,
                scope=scope, added_by=actor, note=note[:300],
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    entry = Suppression.objects.for_org(organization_id).active().get(address_hash=address_hash, scope=scope)
    if message is not None and reason in KIND_OF_REASON and _first_time(message, reason):
        announce(
            Happening(
                kind=KIND_OF_REASON[Reason(reason)],
                organization_id=organization_id,
                event_id=message.event_id,
                account_id=message.account_id,
                person_id=message.person_id,
                summary=entry.get_reason_display(),
                data={"message_id": str(message.pk)},
            )
        )
    # Whoever stops the mails about one show, or one series, says nothing about their colleagues.
    if message is not None and reason in KIND_OF_REASON and scope == EVERYTHING:
        guard.hold_account(
            organization_id, message.person.account_id, cause=AccountHold.Cause.OPT_OUT,
            reason=f"{message.person.name}: {entry.get_reason_display().lower()}.", person_id=message.person_id,
        )  # fmt: skip
    _stop_waiting(organization_id, [address_hash], reason=reason, scope=scope)
    return entry


def _stop_waiting(organization_id: UUID, hashes: list[UUID], *, reason: str, scope: str) -> None:
    """Cancel what waits for the addresses, and tell the apps above."""
    to_them = Message.objects.for_org(organization_id).filter(address_hash__in=hashes)
    # A worker that holds one of these rows asks the suppression list again right before it sends.
    to_them.filter(state__in=[State.DRAFT, State.QUEUED], **rows_within(scope)).update(
        state=State.CANCELLED, cause=Message.Cause.SUPPRESSED, reason=f"{Reason(reason).label}.",
        updated_at=timezone.now(),
    )  # fmt: skip
    people = list(to_them.values_list("person_id", flat=True).distinct())
    signals.contact_refused.send(
        sender=Suppression, organization_id=organization_id, person_ids=people, reason=reason, scope=scope
    )


def _first_time(message: Message, reason: str) -> bool:
    column = "complained_at" if reason == Reason.COMPLAINT else "unsubscribed_at"
    return bool(
        Message.objects.filter(pk=message.pk, **{column: None}).update(
            **{column: timezone.now(), "updated_at": timezone.now()}
        )
    )


@transaction.atomic
def lift_suppression(entry: Suppression, *, actor: User, reason: str) -> None:
    """Allow mail to the address again, by a named person and for a reason. Raises ValueError without one."""
    if not reason.strip():
        raise ValueError("Say why the address may be written to again.")
    now = timezone.now()
    Suppression.objects.filter(pk=entry.pk, lifted_at=None).update(
        lifted_at=now, lifted_by=actor, lift_reason=reason.strip()[:300], updated_at=now
    )
