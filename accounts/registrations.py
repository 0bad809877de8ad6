"""What can be done with many accounts at once."""

from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.bulk import Batch, BulkAction, Selection, Subject, register_action, register_subject
from accounts.bulk_common import common_actions, new_owner, not_owned_by
from accounts.bulk_forms import ChoiceForm
from accounts.filters import AccountFilter
from accounts.models import Account, AccountTag, TargetAccount
from accounts.signals import facts_changed
from common.happenings import Kind, announce
from events.models import Event
from events.panels import Figure, register_figures


def _targets(batch: Batch) -> Any:
    return TargetAccount.objects.for_org(batch.organization_id).filter(event=batch.event, account_id__in=batch.ids)


def set_field(field: str, batch: Batch) -> int:
    """Give the targets at the show one tier, status or stage; only those that differ are touched."""
    targets = list(_targets(batch).exclude(**{field: batch.params["value"]}).select_for_update(of=("self",)))
    for target in targets:
        setattr(target, field, batch.params["value"])
    _targets(batch).filter(pk__in=[target.pk for target in targets]).update(
        **{field: batch.params["value"], "updated_at": timezone.now()}
    )
    _announce(batch, targets, field)
    return len(targets)


def assign(batch: Batch) -> int:
    """Hand the accounts to one owner: at the show, or on the list of all accounts in the organization."""
    owner = new_owner(batch)
    if batch.event is None or batch.everything:
        accounts = Account.objects.for_org(batch.organization_id).filter(pk__in=batch.ids)
        ids = list(not_owned_by(accounts, owner).values_list("pk", flat=True))
        accounts.filter(pk__in=ids).update(owner=owner, updated_at=timezone.now())
        summary = f"Owner is now {owner}" if owner else "Nobody owns it now"
        announce(*(batch.happening(Kind.OWNER_ASSIGNED, summary, account_id=pk) for pk in ids))
        return len(ids)
    targets = list(not_owned_by(_targets(batch), owner).select_for_update(of=("self",)))
    for target in targets:
        target.owner = owner
    _targets(batch).filter(pk__in=[target.pk for target in targets]).update(owner=owner, updated_at=timezone.now())
    _announce(batch, targets, "owner")
    return len(targets)


def _announce(batch: Batch, targets: list[TargetAccount], field: str) -> None:
    actor_id = batch.actor.pk if batch.actor else None
    announce(*services.target_happenings(targets, changed=[field], actor_id=actor_id))


def delete(batch: Batch) -> int:
    accounts = Account.objects.for_org(batch.organization_id).filter(pk__in=batch.ids)
    names = list(accounts.values_list("name", flat=True))
    announce(*(batch.happening(Kind.ACCOUNT_DELETED, f"{name} was deleted", data={"name": name}) for name in names))
    accounts.delete()
    return len(names)


def take_off(batch: Batch) -> int:
    return len([services.untarget(t, actor=batch.actor) for t in _targets(batch)]) if batch.actor else 0


def target_here(batch: Batch) -> int:
    """Put accounts on the list of the show; those that are on it stay as they are."""
    have = set(_targets(batch).values_list("account_id", flat=True))
    accounts = Account.objects.for_org(batch.organization_id).filter(pk__in=batch.ids).exclude(pk__in=have)
    fresh = [
        TargetAccount(
            organization_id=batch.organization_id, event=batch.event, account=account, name_norm=account.name_norm
        )
        for account in accounts
    ]
    TargetAccount.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def figures(event: Event) -> list[Figure]:
    """How many accounts we target at the show, and at how many of them we know nobody."""
    targets = TargetAccount.objects.for_org(event.organization_id).at(event)
    without = targets.filter(account__people=None)
    here = reverse("accounts:list")
    return [
        Figure(label="Target accounts", value=targets.count(), href=here),
        Figure(label="Without people yet", value=without.count(), href=f"{here}?contact=no"),
    ]


register_figures(figures)
register_subject(
    Subject(
        key="accounts", one="account", many="accounts", list_url="accounts:list", make_filter=AccountFilter,
        id_field=lambda chosen: "pk" if chosen.everything else "account_id",
    )
)  # fmt: skip


def choice_form(field: str, selection: Selection, data: Any = None) -> ChoiceForm:
    return ChoiceForm(field, data)


_account_actions: list[dict[str, Any]] = [
    *common_actions(
        assign=assign, delete=delete, deletes="Their people, messages and meetings go with them.", link=AccountTag, key="account",
        changed=facts_changed,
    ),
    *(
        {
            "key": f"set_{field}", "label": f"Set {field}", "icon": icon, "form": partial(choice_form, field),
            "apply": partial(set_field, field), "needs_event": True, "order": 20 + n,
        }
        for n, (field, icon) in enumerate((("tier", "star"), ("status", "circle"), ("stage", "flag")))
    ),
    {
        "key": "target", "label": "Target at this show", "icon": "target", "apply": target_here, "needs_event": True,
        "order": 40,
    },
    {
        "key": "untarget", "label": "Take off this show", "icon": "minus", "apply": take_off, "needs_event": True,
        "order": 41, "explanation": "The accounts and their people stay.",
    },
]  # fmt: skip
for _action in _account_actions:
    register_action(BulkAction(subject="accounts", **_action))
