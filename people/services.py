"""What a member or another app can ask for about people: create, change, addresses, tags, touchpoints, delete."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from nameparser import HumanName

from accounts.models import Account, Tag
from accounts.owners import check_member
from accounts.services import tags_named
from common.happenings import Happening, Kind, announce
from common.text import email_key
from identity.models import Organization, User
from people.models import PERSONA_FLAGS, Person, PersonEmail, PersonTag
from people.signals import facts_changed

EDITABLE = (
    "account", "name", "first_name", "last_name", "title", "seniority", "department", "phone", "mobile", "linkedin",
    "city", "country", "time_zone", "contact_basis", "notes", "source", "owner", "next_touchpoint_on", *PERSONA_FLAGS,
)  # fmt: skip
"""The fields of a person that somebody may write; addresses go through ``set_emails``."""


class EmailTaken(Exception):
    """Another person of the organization has this address. ``person`` is who."""

    def __init__(self, email: str, person: Person) -> None:
        super().__init__(f"{email} already belongs to {person.name}.")
        self.email, self.person = email, person


@transaction.atomic
def create_person(
    organization: Organization,
    *,
    actor: User,
    fields: Mapping[str, Any],
    emails: Sequence[str] = (),
    tags: Iterable[str] = (),
) -> Person:
    """Add a person; the first of ``emails`` is the primary one. Raises ``NotAMember`` and ``EmailTaken``."""
    check_member(organization.pk, fields.get("owner"))
    values = {name: value for name, value in fields.items() if name in EDITABLE}
    person = Person(organization=organization, **whole_name(values))
    person.save()
    set_emails(person, emails=emails)
    set_tags(person, names=tags)
    announce(_happening(person, Kind.PERSON_CREATED, actor, f"{person.name} was added"))
    return person


@transaction.atomic
def update_person(
    person: Person, *, actor: User, fields: Mapping[str, Any], emails: Sequence[str] | None = None
) -> list[str]:
    """Change a person; the names of the fields that changed. Raises ``NotAMember`` and ``EmailTaken``."""
    values = {name: fields[name] for name in EDITABLE if name in fields}
    if "name" not in values and ({"first_name", "last_name"} & values.keys()):
        parts = [values.get(name, getattr(person, name)) for name in ("first_name", "last_name")]
        values["name"] = " ".join(filter(None, parts)) or person.name
    changed = [name for name, value in values.items() if getattr(person, name) != value]
    if "owner" in changed:
        check_member(person.organization_id, values["owner"])
    for name in changed:
        setattr(person, name, values[name])
    if changed:
        person.save()
    if emails is not None and set_emails(person, emails=emails):
        changed.append("email")
    if changed:
        only_owner = changed == ["owner"]
        labels = ", ".join(str(Person._meta.get_field(name).verbose_name) for name in changed)  # type: ignore[union-attr]
        words = (
            (f"Owner is now {person.owner}" if person.owner else "Nobody owns this person now") if only_owner else ""
        )
        kind = Kind.OWNER_ASSIGNED if only_owner else Kind.PERSON_UPDATED
        announce(_happening(person, kind, actor, words or f"Changed {labels}", fields=changed))
    return changed


@transaction.atomic
def delete_person(person: Person, *, actor: User) -> None:
    """Remove the person with their addresses, messages, meetings and notes."""
    announce(
        Happening(
            kind=Kind.PERSON_DELETED,
            organization_id=person.organization_id,
            actor_id=actor.pk,
            account_id=person.account_id,
            summary=f"{person.name} was deleted",
            data={"name": person.name},
        )
    )
    person.delete()


@transaction.atomic
def set_emails(person: Person, *, emails: Sequence[str]) -> bool:
    """Make the person's addresses exactly these, the first one primary; whether anything changed. Raises ``EmailTaken``."""
    wanted = {email_key(email): email.strip() for email in emails if email.strip()}
    held = {row.email_norm: row for row in person.emails.all()}
    primary = next(iter(wanted), "")
    taken = (
        PersonEmail.objects.for_org(person.organization_id)
        .filter(email_norm__in=wanted)
        .exclude(person=person)
        .select_related("person")
        .first()
    )
    if taken:
        raise EmailTaken(taken.email, taken.person)
    same = wanted.keys() == held.keys() and person.email_norm == primary
    if same and (not primary or held[primary].is_primary):
        return False
    rows = PersonEmail.objects.for_org(person.organization_id).filter(person=person)
    rows.exclude(email_norm__in=wanted).delete()
    rows.filter(is_primary=True).exclude(email_norm=primary).update(is_primary=False)
    rows.filter(email_norm=primary).update(is_primary=True)
    PersonEmail.objects.bulk_create(
        PersonEmail(
            organization_id=person.organization_id,
            person=person,
            email=email,
            email_norm=key,
            is_primary=key == primary,
        )
        for key, email in wanted.items()
        if key not in held
    )
    person.email = wanted.get(primary, "")
    person.save(update_fields=["email", "email_norm", "search_text", "updated_at"])
    return True


@transaction.atomic
def set_tags(person: Person, *, names: Iterable[str]) -> list[Tag]:
    """Make the person's tags exactly these names."""
    tags = tags_named(person.organization_id, names=names)
    links = PersonTag.objects.for_org(person.organization_id).filter(person=person)
    links.exclude(tag__in=tags).delete()
    PersonTag.objects.bulk_create(
        (PersonTag(organization_id=person.organization_id, person=person, tag=tag) for tag in tags),
        ignore_conflicts=True,
    )
    facts_changed.send(sender=Person, organization_id=person.organization_id, ids=[person.pk])
    return tags


def whole_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``fields`` with the full name made from its parts, or the parts read from the full name."""
    values = dict(fields)
    name = str(values.get("name") or "").strip()
    parts = [str(values.get(part) or "").strip() for part in ("first_name", "last_name")]
    if not name:
        values["name"] = " ".join(filter(None, parts))
    elif not any(parts):
        read = HumanName(name)
        values["first_name"], values["last_name"] = read.first[:100], read.last[:100]
    return values


def refresh_company(account: Account) -> None:
    """Bring the search text of the account's people up to date after it was renamed."""
    people = Person.objects.for_org(account.organization_id).filter(account=account).select_related("account")
    batch: list[Person] = []
    for person in people.iterator(chunk_size=2_000):
        person.derive()
        batch.append(person)
        if len(batch) == 2_000:
            Person.objects.bulk_update(batch, ["search_text"])
            batch = []
    Person.objects.bulk_update(batch, ["search_text"])


def _happening(
    person: Person, kind: Kind, actor: User, summary: str, *, fields: Sequence[str] = (), event_id: UUID | None = None
) -> Happening:
    return Happening(
        kind=kind,
        organization_id=person.organization_id,
        actor_id=actor.pk,
        event_id=event_id,
        account_id=person.account_id,
        person_id=person.pk,
        summary=summary,
        data={"fields": list(fields)} if fields else {},
    )
