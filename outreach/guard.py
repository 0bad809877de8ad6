"""May we write to this person? Objections, and accounts that are held because somebody there has reacted.

When one person of an account answers, books a meeting or asks us to stop, no automatic mail goes to anybody there until
the account's owner decides. A mail that a member writes by hand to one person is not automatic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format

from common.happenings import Happening, Kind, announce
from identity.models import User
from identity.scope import org_scope, system_scope
from outreach import signals
from outreach.control_models import AccountHoldQuerySet
from outreach.models import AccountHold, Message
from outreach.querysets import MessageQuerySet
from people.models import ContactBasis, Person

State, Cause = Message.State, Message.Cause

also_waiting: list[Callable[[], Exists]] = []
"""Who else stands still while an account is held, by higher apps: conditions about ``OuterRef("account")``."""


@dataclass(frozen=True)
class Refusal:
    """Why a person must not be written to. ``for_good``: it will not pass by itself or by a decision about the account."""

    cause: str
    reason: str
    for_good: bool


@dataclass(frozen=True)
class Standing:
    """What decides whether a person may be written to, and the country whose holidays they keep."""

    basis: str
    hold: AccountHold | None
    country: str

    def refusal(self, *, automatic: bool) -> Refusal | None:
        if not ContactBasis(self.basis).allows_contact:
            return Refusal(Cause.OBJECTED, f"{ContactBasis(self.basis).label}.", for_good=True)
        if automatic and self.hold is not None:
            return Refusal(Cause.ACCOUNT_HELD, why_held(self.hold), for_good=False)
        return None


def standings(organization_id: UUID, person_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Standing]:
    """By person; two queries however many there are. Works inside the scope."""
    people = list(
        Person.objects.for_org(organization_id)
        .filter(pk__in=person_ids)
        .values_list("pk", "contact_basis", "account_id", "country", "account__country")
    )
    accounts = {account_id for _, _, account_id, _, _ in people}
    held = AccountHold.objects.for_org(organization_id).active(now).filter(account__in=accounts)
    holds: dict[UUID | None, AccountHold] = {hold.account_id: hold for hold in held}
    return {
        person_id: Standing(basis, holds.get(account_id), country or account_country or "")
        for person_id, basis, account_id, country, account_country in people
    }


def may_contact(person: Person, channel: str = Message.Channel.EMAIL, *, automatic: bool = True) -> Refusal | None:
    """Why the person must not be contacted now; ``None`` when they may. Works inside the scope.

    An objection holds for every channel; the hold of an account is about automatic mail only.
    """
    found = standings(person.organization_id, [person.pk], now=timezone.now())[person.pk]
    return found.refusal(automatic=automatic and channel == Message.Channel.EMAIL)


def why_held(hold: AccountHold) -> str:
    return f"The account is held: {hold.reason or hold.get_cause_display()}"[:300]


# --- Hold and release ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """What happened at an account, so that it is held."""

    account_id: UUID
    cause: str
    reason: str
    person_id: UUID | None = None


def hold_account(
    organization_id: UUID,
    account_id: UUID | None,
    *,
    cause: str,
    reason: str,
    person_id: UUID | None = None,
    held_by: User | None = None,
    until: datetime | None = None,
) -> AccountHold | None:
    """No automatic mail to the account until somebody releases it. ``None`` when it is held already, or there is none."""
    if account_id is None:
        return None
    reaction = Reaction(account_id=account_id, cause=cause, reason=reason, person_id=person_id)
    return next(iter(hold_accounts(organization_id, [reaction], held_by=held_by, until=until)), None)


@transaction.atomic
def hold_accounts(
    organization_id: UUID, reactions: Iterable[Reaction], *, held_by: User | None = None, until: datetime | None = None
) -> list[AccountHold]:
    """As ``hold_account``, for many at once. Returns the new holds."""
    now = timezone.now()
    first = {reaction.account_id: reaction for reaction in reversed(list(reactions))}
    here = AccountHold.objects.for_org(organization_id).filter(account__in=first, lifted_at=None)
    here.filter(until__lte=now).update(lifted_at=now, lift_reason="Its time was over.", updated_at=now)
    wanted = [
        AccountHold(
            organization_id=organization_id, account_id=one.account_id, person_id=one.person_id, cause=one.cause,
            reason=one.reason[:300], since=now, until=until, held_by=held_by,
        )
        for one in first.values()
    ]  # fmt: skip
    AccountHold.objects.bulk_create(wanted, ignore_conflicts=True)
    made = list(here.filter(pk__in=[hold.pk for hold in wanted]))
    if not made:
        return []
    if held_by is not None:
        for hold in made:
            _decided(hold, held_by, "No automatic mail goes there", hold.reason)
    waiting = _automatic_to(organization_id, [hold.account_id for hold in made]).filter(state=State.QUEUED)
    reasons = {hold.account_id: why_held(hold) for hold in made}
    for message in waiting.select_related("person").only("id", "person__account"):
        if message.person.account_id:
            waiting.filter(pk=message.pk).update(
                cause=Cause.ACCOUNT_HELD, reason=reasons[message.person.account_id], updated_at=now
            )
    signals.accounts_held.send(sender=AccountHold, organization_id=organization_id, holds=made)
    return made


@transaction.atomic
def release_account(hold: AccountHold, *, actor: User | None, reason: str = "") -> bool:
    """Automatic mail to the account goes on. Returns whether it was held until now."""
    now = timezone.now()
    lifted = AccountHold.objects.for_org(hold.organization_id).filter(pk=hold.pk, lifted_at=None)
    if not lifted.update(lifted_at=now, lifted_by=actor, lift_reason=reason.strip()[:300], updated_at=now):
        return False
    _automatic_to(hold.organization_id, [hold.account_id]).filter(state=State.QUEUED, cause=Cause.ACCOUNT_HELD).update(
        cause="", reason="", updated_at=now
    )
    signals.account_released.send(sender=AccountHold, hold=hold)
    _decided(hold, actor, "Automatic mail goes on", reason)
    return True


@transaction.atomic
def stop_account(hold: AccountHold, *, actor: User, reason: str = "") -> bool:
    """Whatever automatic mail is planned to the account ends, and with it the hold. Returns whether it was held until now."""
    now = timezone.now()
    lifted = AccountHold.objects.for_org(hold.organization_id).filter(pk=hold.pk, lifted_at=None)
    words = f"Automatic mail to everybody there was ended. {reason.strip()}".strip()[:300]
    if not lifted.update(lifted_at=now, lifted_by=actor, lift_reason=words, updated_at=now):
        return False
    signals.account_stopped.send(sender=AccountHold, hold=hold, actor=actor)
    planned = _automatic_to(hold.organization_id, [hold.account_id]).filter(state__in=[State.DRAFT, State.QUEUED])
    planned.update(state=State.CANCELLED, reason=f"Ended by {actor.name}."[:300], updated_at=now)
    _decided(hold, actor, "Automatic mail to everybody there was ended", reason)
    return True


@transaction.atomic
def hold_until(hold: AccountHold, *, until: datetime, actor: User, reason: str = "") -> bool:
    """Keep the account held until this moment, when it is released by itself. Returns whether it was held until now."""
    held = AccountHold.objects.for_org(hold.organization_id).filter(pk=hold.pk, lifted_at=None)
    if not held.update(until=until, updated_at=timezone.now()):
        return False
    _decided(hold, actor, f"No automatic mail until {date_format(timezone.localtime(until), 'j F Y')}", reason)
    return True


def _decided(hold: AccountHold, actor: User | None, what: str, reason: str) -> None:
    """Write a decision about an account onto its timeline; what happens by itself is no decision."""
    if actor is not None:
        announce(
            Happening(
                kind=Kind.MAIL_DECIDED, organization_id=hold.organization_id, actor_id=actor.pk,
                account_id=hold.account_id, summary=f"{what}: {reason.strip()}" if reason.strip() else what,
                data={"hold": str(hold.pk)},
            )
        )  # fmt: skip


def release_expired() -> None:
    """Lift the holds whose time is over."""
    with system_scope():
        over = list(AccountHold.objects.filter(lifted_at=None, until__lte=timezone.now())[:500])
    for hold in over:
        with org_scope(hold.organization_id):
            release_account(hold, actor=None, reason="Its time was over.")


def _automatic_to(organization_id: UUID, account_ids: Collection[UUID]) -> MessageQuerySet:
    return Message.objects.for_org(organization_id).automatic().filter(person__account__in=account_ids)


def waiting_holds(organization_id: UUID, *, now: datetime, user: User) -> AccountHoldQuerySet:
    """Holds that keep somebody waiting and are for ``user`` to decide: at their accounts, and at nobody's."""
    mails = Message.objects.filter(
        Q(enrollment_id__isnull=False) | Q(campaign__isnull=False),
        organization_id=OuterRef("organization_id"), person__account=OuterRef("account"),
        state__in=[State.QUEUED, State.PLANNED], due_at__isnull=False,
    )  # fmt: skip
    waiting = Q(Exists(mails))
    for whoever in also_waiting:
        waiting |= Q(whoever())
    return AccountHold.objects.for_org(organization_id).active(now).for_owner(user).filter(waiting)
