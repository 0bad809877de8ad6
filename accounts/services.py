"""What a member or another app can ask for about accounts: create, change, target, assign, tag, delete."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Account, AccountTag, Stand, Tag, TargetAccount
from accounts.owners import check_member
from accounts.signals import facts_changed, renamed
from common.happenings import Happening, Kind, announce
from common.text import normalise
from events.models import Event
from identity.models import Organization, User

EDITABLE = (
    "name", "website", "industry", "description", "headquarters", "street", "postal_code", "city", "region", "country",
    "phone", "linkedin", "revenue", "employee_count", "notes", "source", "owner",
)  # fmt: skip
"""The fields of an account that a person may write."""
TARGET_EDITABLE = ("tier", "status", "stage", "owner", "notes")


@transaction.atomic
def create_account(
    organization: Organization,
    *,
    actor: User,
    fields: Mapping[str, Any],
    event: Event | None = None,
    target_fields: Mapping[str, Any] | None = None,
    stands: Sequence[tuple[str, str]] = (),
    tags: Iterable[str] = (),
) -> Account:
    """Add an account and, with ``event``, target it there. Raises ``NotAMember``."""
    check_member(organization.pk, fields.get("owner"))
    account = Account(organization=organization, **{k: v for k, v in fields.items() if k in EDITABLE})
    account.save()
    set_tags(account, names=tags)
    announce(
        Happening(
            kind=Kind.ACCOUNT_CREATED,
            organization_id=organization.pk,
            actor_id=actor.pk,
            event_id=event.pk if event else None,
            account_id=account.pk,
            summary=f"{account.name} was added",
        )
    )
    if event:
        target = target_account(account, event=event, actor=actor, fields=target_fields or {})
        set_stands(target, stands=stands)
    return account


@transaction.atomic
def update_account(account: Account, *, actor: User, fields: Mapping[str, Any]) -> list[str]:
    """Change an account; the names of the fields that changed. Raises ``NotAMember``."""
    changed = [name for name in EDITABLE if name in fields and getattr(account, name) != fields[name]]
    if not changed:
        return []
    if "owner" in changed:
        check_member(account.organization_id, fields["owner"])
    for name in changed:
        setattr(account, name, fields[name])
    account.save()
    if "name" in changed:
        TargetAccount.objects.for_org(account.organization_id).filter(account=account).update(
            name_norm=account.name_norm
        )
        renamed.send(sender=Account, account=account)
    announce(
        Happening(
            kind=Kind.ACCOUNT_UPDATED,
            organization_id=account.organization_id,
            actor_id=actor.pk,
            account_id=account.pk,
            summary=_changed_words(Account, changed),
            data={"fields": changed},
        )
    )
    return changed


@transaction.atomic
def delete_account(account: Account, *, actor: User) -> None:
    """Remove the account with everything that hangs on it: targets, stands, people, their messages and meetings."""
    announce(
        Happening(
            kind=Kind.ACCOUNT_DELETED,
            organization_id=account.organization_id,
            actor_id=actor.pk,
            summary=f"{account.name} was deleted",
            data={"name": account.name},
        )
    )
    account.delete()


@transaction.atomic
def target_account(
    account: Account, *, event: Event, actor: User, fields: Mapping[str, Any] | None = None
) -> TargetAccount:
    """Target the account at the show; one already targeted there is changed instead. Raises ``NotAMember``."""
    values = {name: value for name, value in (fields or {}).items() if name in TARGET_EDITABLE}
    target = TargetAccount.objects.for_org(account.organization_id).filter(event=event, account=account).first()
    if target:
        update_target(target, actor=actor, fields=values)
        return target
    check_member(account.organization_id, values.get("owner"))
    target = TargetAccount(organization_id=account.organization_id, event=event, account=account, **values)
    target.save()
    facts_changed.send(sender=Account, organization_id=account.organization_id, ids=[account.pk])
    return target


@transaction.atomic
def update_target(target: TargetAccount, *, actor: User, fields: Mapping[str, Any]) -> list[str]:
    """Change tier, status, stage, owner or notes at one show; the names of what changed. Raises ``NotAMember``."""
    changed = [name for name in TARGET_EDITABLE if name in fields and getattr(target, name) != fields[name]]
    if not changed:
        return []
    if "owner" in changed:
        check_member(target.organization_id, fields["owner"])
    for name in changed:
        setattr(target, name, fields[name])
    target.save(update_fields=[*changed, "name_norm", "updated_at"])
    announce(*target_happenings([target], changed=changed, actor_id=actor.pk))
    return changed


def target_happenings(
    targets: Iterable[TargetAccount], *, changed: Sequence[str], actor_id: UUID | None
) -> list[Happening]:
    """The timeline entries of a change that was made to each of ``targets``."""
    entries = []
    for target in targets:
        owner_only = list(changed) == ["owner"]
        summary = "; ".join(_target_words(target, name) for name in changed)
        entries.append(
            Happening(
                kind=Kind.OWNER_ASSIGNED if owner_only else Kind.ACCOUNT_UPDATED,
                organization_id=target.organization_id,
                actor_id=actor_id,
                event_id=target.event_id,
                account_id=target.account_id,
                summary=summary,
                data={"fields": list(changed)},
            )
        )
    return entries


def _target_words(target: TargetAccount, name: str) -> str:
    if name == "owner":
        return f"Owner is now {target.owner}" if target.owner else "Nobody owns it now"
    if name == "notes":
        return "Notes changed"
    label = getattr(target, f"get_{name}_display")() or "none"
    return f"{name.capitalize()} is now {label}"


@transaction.atomic
def untarget(target: TargetAccount, *, actor: User) -> None:
    """Take the account off the show's list. The account and its people stay."""
    announce(
        Happening(
            kind=Kind.ACCOUNT_UPDATED,
            organization_id=target.organization_id,
            actor_id=actor.pk,
            event_id=target.event_id,
            account_id=target.account_id,
            summary="Taken off the list of this show",
        )
    )
    target.delete()


@transaction.atomic
def set_stands(target: TargetAccount, *, stands: Sequence[tuple[str, str]]) -> None:
    """Make the target's stands exactly these pairs of hall and number; empty pairs are skipped."""
    wanted = {(hall.strip(), number.strip()) for hall, number in stands if hall.strip() or number.strip()}
    existing = {(stand.hall, stand.number): stand for stand in target.stands.all()}
    Stand.objects.filter(pk__in=[stand.pk for key, stand in existing.items() if key not in wanted]).delete()
    Stand.objects.bulk_create(
        Stand(organization_id=target.organization_id, target=target, hall=hall, number=number)
        for hall, number in sorted(wanted - existing.keys())
    )
    facts_changed.send(sender=Account, organization_id=target.organization_id, ids=[target.account_id])


def tags_named(organization_id: UUID, *, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, made where missing; names that differ only in case or accents are one."""
    wanted = {normalise(name): name.strip()[:60] for name in names if name.strip()}
    if not wanted:
        return []
    Tag.objects.bulk_create(
        (Tag(organization_id=organization_id, name=name, name_norm=norm[:60]) for norm, name in wanted.items()),
        ignore_conflicts=True,
    )
    return list(Tag.objects.for_org(organization_id).filter(name_norm__in=[norm[:60] for norm in wanted]))


@transaction.atomic
def set_tags(account: Account, *, names: Iterable[str]) -> list[Tag]:
    """Make the account's tags exactly these names."""
    tags = tags_named(account.organization_id, names=names)
    links = AccountTag.objects.for_org(account.organization_id).filter(account=account)
    links.exclude(tag__in=tags).delete()
    AccountTag.objects.bulk_create(
        (AccountTag(organization_id=account.organization_id, account=account, tag=tag) for tag in tags),
        ignore_conflicts=True,
    )
    facts_changed.send(sender=Account, organization_id=account.organization_id, ids=[account.pk])
    return tags


def _changed_words(model: type[Account], names: Sequence[str]) -> str:
    labels = [str(model._meta.get_field(name).verbose_name) for name in names]  # type: ignore[union-attr]
    return f"Changed {', '.join(labels)}"
