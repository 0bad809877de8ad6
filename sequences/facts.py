"""The facts that rules ask about, read for many enrollments at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from accounts.models import AccountTag, TargetAccount
from activities.models import BoothVisit
from outreach.models import Message
from people.models import PERSONA_FLAGS, Person, PersonTag
from sequences.conditions import Facts, Value
from sequences.models import Enrollment


def facts_of(organization_id: UUID, enrollments: Sequence[Enrollment]) -> dict[UUID, Facts]:
    """The value of every fact, by enrollment. Works inside the scope; eight queries however many there are."""
    people = {
        person.pk: person
        for person in Person.objects.for_org(organization_id)
        .filter(pk__in=[one.person_id for one in enrollments])
        .select_related("account", "owner")
    }
    targets: dict[tuple[UUID | None, UUID | None], TargetAccount] = {
        (target.account_id, target.event_id): target
        for target in TargetAccount.objects.for_org(organization_id)
        .filter(
            account__in={person.account_id for person in people.values() if person.account_id},
            event__in={one.event_id for one in enrollments if one.event_id},
        )
        .select_related("owner")
    }
    tags, company_tags = _tags(organization_id, people)
    met = _met(organization_id, people)
    opened, clicked, replied = _engagement(organization_id, enrollments)
    found: dict[UUID, Facts] = {}
    for one in enrollments:
        person = people[one.person_id]
        account = person.account
        target = targets.get((person.account_id, one.event_id))
        values: dict[str, Value] = {
            "person.title": person.title,
            "person.seniority": person.seniority,
            "person.department": person.department,
            "person.city": person.city,
            "person.country": person.country,
            "person.icp_score": person.icp_score,
            "person.tags": tuple(tags[one.person_id]),
            "person.owner": person.owner.name if person.owner else "",
            "person.met_at_booth": (one.person_id, one.event_id) in met,
            "person.has_phone": bool(person.phone or person.mobile),
            "person.has_linkedin": bool(person.linkedin),
            "account.industry": account.industry if account else "",
            "account.country": account.country if account else "",
            "account.employee_count": account.employee_count if account else None,
            "account.tags": tuple(company_tags[person.account_id]),
            "target.tier": target.tier if target else "",
            "target.owner": target.owner.name if target and target.owner else "",
            "target.status": target.status if target else "",
            "target.stage": target.stage if target else "",
            "target.icp_score": target.icp_score if target else None,
            "mail.opened": one.pk in opened,
            "mail.clicked": one.pk in clicked,
            "mail.replied": one.pk in replied,
        }
        found[one.pk] = values | {f"person.{flag}": bool(getattr(person, flag)) for flag in PERSONA_FLAGS}
    return found


def _tags(
    organization_id: UUID, people: Mapping[UUID, Person]
) -> tuple[defaultdict[UUID, list[str]], defaultdict[UUID | None, list[str]]]:
    """The names of the tags by person, and by account."""
    own: defaultdict[UUID, list[str]] = defaultdict(list)
    company: defaultdict[UUID | None, list[str]] = defaultdict(list)
    mine = PersonTag.objects.for_org(organization_id).filter(person__in=people)
    for person_id, name in mine.values_list("person", "tag__name"):
        own[person_id].append(name)
    accounts = {person.account_id for person in people.values() if person.account_id}
    theirs = AccountTag.objects.for_org(organization_id).filter(account__in=accounts)
    for account_id, name in theirs.values_list("account", "tag__name"):
        company[account_id].append(name)
    return own, company


def _met(organization_id: UUID, people: Mapping[UUID, Person]) -> set[tuple[UUID, UUID | None]]:
    """Who was met at the booth of which show; with ``None``, at any."""
    visits = BoothVisit.objects.for_org(organization_id).filter(person__in=people).order_by()
    found = set(visits.values_list("person", "event"))
    return found | {(person_id, None) for person_id, _ in found}


def _engagement(
    organization_id: UUID, enrollments: Sequence[Enrollment]
) -> tuple[Collection[UUID | None], Collection[UUID | None], Collection[UUID | None]]:
    """The enrollments in which a person opened, clicked or answered one of the mails."""
    rows = list(
        Message.objects.for_org(organization_id)
        .filter(enrollment_id__in=[one.pk for one in enrollments])
        .values_list("enrollment_id", "opened_at", "clicked_at", "replied_at")
    )
    return (
        {pk for pk, opened, _, _ in rows if opened},
        {pk for pk, _, clicked, _ in rows if clicked},
        {pk for pk, _, _, replied in rows if replied},
    )
