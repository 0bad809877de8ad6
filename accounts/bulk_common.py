"""What every list of things with an owner and tags lets one do with many of them."""

from functools import partial
from typing import Any

from django.dispatch import Signal

from accounts.bulk import Batch
from accounts.bulk_forms import ExportForm, OwnerForm, TagForm
from accounts.exports import write_file
from accounts.models import Tag
from accounts.owners import check_member
from accounts.services import tags_named
from common.text import normalise
from identity.models import Role, User


def new_owner(batch: Batch) -> User | None:
    """Who shall own the rows; ``None`` for nobody. Raises ``NotAMember``."""
    owner = User.objects.filter(pk=batch.params["owner"]).first() if batch.params["owner"] else None
    check_member(batch.organization_id, owner)
    return owner


def not_owned_by(rows: Any, owner: User | None) -> Any:
    return rows.filter(owner__isnull=False) if owner is None else rows.exclude(owner=owner)


def add_tag(link: Any, key: str, changed: Signal, batch: Batch) -> int:
    """Tag the rows that do not have the tag yet; ``key`` is the field of ``link`` that names the tagged row.

    ``changed`` is sent for those that got it.
    """
    (tag,) = tags_named(batch.organization_id, names=[batch.params["tag"]])
    links = link.objects.for_org(batch.organization_id)
    have = set(links.filter(tag=tag, **{f"{key}__in": batch.ids}).values_list(key, flat=True))
    tagged = link._meta.get_field(key).related_model.objects.for_org(batch.organization_id).filter(pk__in=batch.ids)
    fresh = [pk for pk in tagged.values_list("pk", flat=True) if pk not in have]
    links.bulk_create(
        (link(organization_id=batch.organization_id, tag=tag, **{f"{key}_id": pk}) for pk in fresh),
        ignore_conflicts=True,
    )
    changed.send(sender=tagged.model, organization_id=batch.organization_id, ids=fresh)
    return len(fresh)


def remove_tag(link: Any, key: str, changed: Signal, batch: Batch) -> int:
    tag = Tag.objects.for_org(batch.organization_id).filter(name_norm=normalise(batch.params["tag"])).first()
    links = link.objects.for_org(batch.organization_id).filter(tag=tag, **{f"{key}__in": batch.ids})
    tagged = list(links.values_list(key, flat=True)) if tag else []
    links.filter(**{f"{key}__in": tagged}).delete()
    changed.send(sender=link._meta.get_field(key).related_model, organization_id=batch.organization_id, ids=tagged)
    return len(tagged)


def common_actions(
    *, assign: Any, delete: Any, deletes: str, link: Any, key: str, changed: Signal
) -> list[dict[str, Any]]:
    """Assign, export, tag and delete; ``deletes`` says what goes with a row that is deleted."""
    tag, untag = partial(add_tag, link, key, changed), partial(remove_tag, link, key, changed)
    return [
        {"key": "assign", "label": "Assign owner", "icon": "user", "form": OwnerForm, "apply": assign, "order": 10},
        {"key": "export", "label": "Export", "icon": "download", "form": ExportForm, "whole": write_file, "order": 15},
        {"key": "add_tag", "label": "Add tag", "icon": "tag", "form": TagForm, "apply": tag, "order": 30},
        {"key": "remove_tag", "label": "Remove tag", "icon": "tag", "form": TagForm, "apply": untag, "order": 31},
        {
            "key": "delete", "label": "Delete", "icon": "trash", "apply": delete, "danger": True, "role": Role.MANAGER,
            "order": 90, "explanation": f"{deletes} This cannot be undone.",
        },
    ]  # fmt: skip
