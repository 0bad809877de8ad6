"""What people put onto pages of lower apps, and what can be done with many people at once."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.bulk import Batch, BulkAction, Subject, register_action, register_subject
from accounts.bulk_common import common_actions, new_owner, not_owned_by
from accounts.filters import ExtraFilter, extra_filters
from accounts.models import Account, TargetAccount
from accounts.panels import account_board
from common.happenings import Kind, announce
from events.models import Event
from identity.scope import current_organization_id
from identity.web import OrgRequest
from people import exports  # noqa: F401 - says how people are exported
from people.filters import PersonFilter
from people.import_models import ListImport
from people.importing import results
from people.models import Person, PersonTag
from people.signals import facts_changed

SHOWN = 12


def people_of_account(request: OrgRequest, account: Account) -> Mapping[str, Any]:
    """The best-scored people of the account; the list has the others."""
    people = Person.objects.for_org(request.organization).filter(account=account)
    found = list(people.order_by("-icp_score", "name_norm")[: SHOWN + 1])
    return {"people": found[:SHOWN], "more": len(found) > SHOWN}


account_board.add(name="people", slot="side", template="people/_of_account.html", context=people_of_account, order=10)


def _people(batch: Batch) -> Any:
    return Person.objects.for_org(batch.organization_id).filter(pk__in=batch.ids)


def assign(batch: Batch) -> int:
    """Hand the people to one owner; only those that differ are touched."""
    owner = new_owner(batch)
    differing = not_owned_by(_people(batch), owner)
    pairs = list(differing.select_for_update(of=("self",)).values_list("pk", "account_id"))
    _people(batch).filter(pk__in=[pk for pk, _ in pairs]).update(owner=owner, updated_at=timezone.now())
    summary = f"Owner is now {owner}" if owner else "Nobody owns this person now"
    announce(*(batch.happening(Kind.OWNER_ASSIGNED, summary, person_id=pk, account_id=at) for pk, at in pairs))
    return len(pairs)


def delete(batch: Batch) -> int:
    found = list(_people(batch).values_list("name", "account_id"))
    announce(
        *(
            batch.happening(Kind.PERSON_DELETED, f"{name} was deleted", account_id=at, data={"name": name})
            for name, at in found
        )
    )
    _people(batch).delete()
    return len(found)


register_subject(
    Subject(
        key="people", one="person", many="people", list_url="people:list", make_filter=PersonFilter,
        id_field=lambda chosen: "pk",
    )
)  # fmt: skip

for _action in common_actions(
    assign=assign,
    delete=delete,
    deletes="Their messages, meetings and notes go with them.",
    link=PersonTag,
    key="person",
    changed=facts_changed,
):
    register_action(BulkAction(subject="people", **_action))


def _came_in(ids: Callable[[UUID, UUID], Any]) -> Callable[[Any, Any, Any], Any]:
    """A filter of a list: what the import with this id created or changed."""

    def apply(rows: Any, import_id: Any, event: Event | None) -> Any:
        organization_id = current_organization_id()
        path = "account_id" if rows.model is TargetAccount else "pk"
        return rows.filter(**{f"{path}__in": ids(organization_id, import_id)}) if organization_id else rows.none()

    return apply


def _name_of_import(import_id: str) -> str:
    found = ListImport.objects.filter(pk=import_id).values_list("file_name", flat=True).first()
    return f"from {found}" if found else "from an unknown import"


for _subject, _ids in (("accounts", results.accounts_of), ("people", results.people_of)):
    extra_filters[_subject].append(
        ExtraFilter(
            name="import",
            label="Import",
            choices=(),
            words=_name_of_import,
            apply=_came_in(_ids),
            field=lambda: forms.UUIDField(required=False, widget=forms.HiddenInput),
        )
    )
