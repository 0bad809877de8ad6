"""Is this person here already? Asked before one is added."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz

from common.search import alike
from common.text import email_key, normalise
from people.models import Person

NEARLY = 86
"""From which likeness of names (0 to 100) on two people of one company are shown as possibly one."""


@dataclass(frozen=True)
class Similar:
    """A person who looks like the new one, and why."""

    person: Person
    reason: str


def find_similar(
    organization_id: UUID,
    *,
    name: str,
    emails: Sequence[str] = (),
    account_id: UUID | None = None,
    exclude: UUID | None = None,
    limit: int = 5,
) -> list[Similar]:
    """People with one of the addresses, or of (nearly) the same name at the same account; the surest first."""
    people = (
        Person.objects.for_org(organization_id).exclude(pk__in=[exclude] if exclude else []).select_related("account")
    )
    keys = [email_key(email) for email in emails if email.strip()]
    found: dict[UUID, Similar] = {}
    if keys:
        for person in people.filter(emails__email_norm__in=keys)[:limit]:
            found.setdefault(person.pk, Similar(person, "has the same e-mail address"))
    wanted = normalise(name)
    if account_id:
        for person in people.filter(account_id=account_id)[:5_000]:
            likeness = fuzz.token_sort_ratio(wanted, person.name_norm)
            if likeness >= NEARLY:
                reason = "has the same name here" if likeness == 100 else "has nearly the same name here"
                found.setdefault(person.pk, Similar(person, reason))
    elif len(wanted) > 3:
        for person in people.filter(pk__in=alike("people_person", wanted, cap=25)):
            if person.name_norm == wanted:
                found.setdefault(person.pk, Similar(person, "has the same name"))
    return list(found.values())[:limit]
