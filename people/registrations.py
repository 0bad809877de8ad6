"""What people put onto pages of lower apps, and what can be done with many people at once."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.bulk import Batch, BulkAction, Subject, register_action, register_subject
from accounts.bulk_forms import ExportForm, OwnerForm, TagForm
from accounts.exports import write_file
from accounts.filters import ExtraFilter, extra_filters
from accounts.models import Account, Tag, TargetAccount
from accounts.owners import check_member
from accounts.panels import account_board
from accounts.services import tags_named
from common.happenings import Happening, Kind, announce
from common.text import normalise
from events.models import Event
from identity.models import Role, User
from identity.scope import current_organization_id
from identity.web import OrgRequest
from people import exports  # noqa: F401 - says how people are exported
from people.filters import PersonFilter
from people.import_models import ListImport
from people.importing import results
from people.models import Person, PersonTag

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
    owner = User.objects.filter(pk=batch.params["owner"]).first() if batch.params["owner"] else None
    check_member(batch.organization_id, owner)
    differing = _people(batch).filter(owner__isnull=False) if owner is None else _people(batch).exclude(owner=owner)
    pairs = list(differing.select_for_update(of=("self",)).values_list("pk", "account_id"))
    _people(batch).filter(pk__in=[pk for pk, _ in pairs]).update(owner=owner, updated_at=timezone.now())
    summary = f"Owner is now {owner}" if owner else "Nobody owns this person now"
    announce(*(_happening(batch, Kind.OWNER_ASSIGNED, summary, person_id=pk, account_id=at) for pk, at in pairs))
    return len(pairs)


def add_tag(batch: Batch) -> int:
    (tag,) = tags_named(batch.organization_id, names=[batch.params["tag"]])
    links = PersonTag.objects.for_org(batch.organization_id)
    have = set(links.filter(tag=tag, person_id__in=batch.ids).values_list("person_id", flat=True))
    links.bulk_create(
        (
            PersonTag(organization_id=batch.organization_id, person_id=pk, tag=tag)
            for pk in _people(batch).values_list("pk", flat=True)
            if pk not in have
        ),
        ignore_conflicts=True,
    )
    return len(batch.ids) - len(have)


def remove_tag(batch: Batch) -> int:
    tag = Tag.objects.for_org(batch.organization_id).filter(name_norm=normalise(batch.params["tag"])).first()
    links = PersonTag.objects.for_org(batch.organization_id).filter(tag=tag, person_id__in=batch.ids)
    return links.delete()[0] if tag else 0


def delete(batch: Batch) -> int:
    found = list(_people(batch).values_list("name", "account_id"))
    announce(
        *(
            _happening(batch, Kind.PERSON_DELETED, f"{name} was deleted", account_id=at, data={"name": name})
            for name, at in found
        )
    )
    _people(batch).delete()
    return len(found)


def _happening(batch: Batch, kind: Kind, summary: str, **about: Any) -> Happening:
    return Happening(
        kind=kind,
        organization_id=batch.organization_id,
        actor_id=batch.actor.pk if batch.actor else None,
        summary=summary,
        **about,
    )


register_subject(
    Subject(
        key="people", one="person", many="people", list_url="people:list", make_filter=PersonFilter,
        id_field=lambda chosen: "pk",
    )
)  # fmt: skip

_person_actions: list[dict[str, Any]] = [
    {"key": "assign", "label": "Assign owner", "icon": "user", "form": OwnerForm, "apply": assign, "order": 10},
    {"key": "export", "label": "Export", "icon": "download", "form": ExportForm, "whole": write_file, "order": 15},
    {"key": "add_tag", "label": "Add tag", "icon": "tag", "form": TagForm, "apply": add_tag, "order": 30},
    {"key": "remove_tag", "label": "Remove tag", "icon": "tag", "form": TagForm, "apply": remove_tag, "order": 31},
    {
        "key": "delete", "label": "Delete", "icon": "trash", "apply": delete, "danger": True, "role": Role.MANAGER,
        "order": 90, "explanation": "Their messages, meetings and notes go with them. This cannot be undone.",
    },
]  # fmt: skip
for _action in _person_actions:
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
