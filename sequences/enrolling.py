"""Letting people begin: who may, who is left out and why, a rehearsal, and the beginning itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from common.ids import uuid7
from events.models import Event
from identity.models import Organization, User
from outreach import merging, rendering
from outreach.addresses import hashes_of
from outreach.drafting import zone_of
from outreach.models import Suppression, Template
from people import hygiene, mail_domains
from people.models import Person
from sequences import journeys
from sequences.journeys import Guide
from sequences.models import Enrollment, Sequence, SequenceVersion
from sequences.plan import Plan

CHUNK = 2_000
EXAMPLES = 50


class CannotEnroll(Exception):
    """Nobody can be enrolled as it stands; its text says what to do."""


@dataclass
class Enrolled:
    """What an enrollment came to: how many began, and how many were left out for which reason. ``examples`` are some."""

    begun: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[UUID, str]] = field(default_factory=list)

    def add(self, other: Enrolled) -> None:
        self.begun += other.begun
        self.examples += other.examples[: EXAMPLES - len(self.examples)]
        self.left_out += other.left_out


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """Everything that decides who may begin."""

    organization: Organization
    sequence: Sequence
    version: SequenceVersion
    plan: Plan
    templates: dict[UUID, Template]
    event: Event | None


def entrance(sequence: Sequence) -> Entrance:
    """What is needed to enroll into what is published. Raises ``CannotEnroll``."""
    version = SequenceVersion.objects.for_org(sequence.organization_id).filter(sequence=sequence).first()
    if version is None:
        raise CannotEnroll("Publish the sequence first.")
    if sequence.status != Sequence.Status.ACTIVE:
        raise CannotEnroll(f"The sequence is {sequence.get_status_display().lower()}: nobody can begin.")
    if sequence.mailbox is None or sequence.mailbox.archived_at:
        raise CannotEnroll("Choose a mailbox for the sequence first.")
    plan = journeys.plan_of(version)
    templates = Template.objects.for_org(sequence.organization_id).in_bulk({step.template_id for step in plan.mails})
    return Entrance(
        organization=sequence.organization, sequence=sequence, version=version, plan=plan, templates=templates,
        event=sequence.event,
    )  # fmt: skip


def judge(door: Entrance, people: Many[Person], *, sender: User | None, again: bool = False) -> dict[UUID, str]:
    """Why each person would be left out; an empty text for those who may begin. Works inside the scope."""
    organization_id = door.organization.pk
    ids = [person.pk for person in people]
    mine = Enrollment.objects.for_org(organization_id).filter(person__in=ids)
    here = dict(mine.filter(sequence=door.sequence).order_by("started_at").values_list("person_id", "state"))
    elsewhere = (
        dict(
            mine.live()
            .filter(is_exclusive=True)
            .exclude(sequence=door.sequence)
            .values_list("person_id", "sequence__name")
        )
        if door.sequence.is_exclusive
        else {}
    )
    hashes = hashes_of(organization_id, {person.email for person in people if person.email})
    blocked = {
        hashes[found]
        for found in Suppression.objects.for_org(organization_id)
        .of(list(hashes), event_id=door.event.pk if door.event else None, sequence_id=door.sequence.pk)
        .values_list("address_hash", flat=True)
    }
    unusable = mail_domains.unusable(organization_id, (person.email for person in people)) if door.plan.mails else {}
    words = {
        step.label: (template.subject, template.body)
        for step in door.plan.mails
        if step.template_id and (template := door.templates.get(step.template_id))
    }

    def reason(person: Person) -> str:
        state = here.get(person.pk)
        if state in Enrollment.LIVE:
            return "Is in this sequence already."
        if state and not again:
            return "Was in this sequence before."
        if person.pk in elsewhere:
            return f"Is in the sequence “{elsewhere[person.pk]}”."
        if door.plan.mails and not person.email:
            return "There is no e-mail address."
        if person.email in blocked:
            return "The address is on the suppression list."
        if person.email in unusable:
            return unusable[person.email]
        return _missing(door, person, words, sender)

    return {person.pk: reason(person) for person in people}


def _missing(door: Entrance, person: Person, words: dict[str, tuple[str, str]], sender: User | None) -> str:
    values = rendering.merge_values(
        person, account=person.account, event=door.event, sender=sender, organization=door.organization
    )
    for label, texts in words.items():
        if lacking := merging.missing_fields(values, *texts):
            return f"The {merging.FIELDS[lacking[0]]} is missing (step {label})."
    return ""


@dataclass
class Rehearsal:
    """What enrolling would come to. ``examples`` are some of those left out, each with the reason; ``remarks`` are on
    the addresses of those who would begin."""

    begun: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[Person, str]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        """How many would be left out."""
        return self.left_out.total()

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why, the most frequent reason first."""
        return self.left_out.most_common()


def rehearse(sequence: Sequence, person_ids: Iterable[UUID], *, sender: User | None, again: bool = False) -> Rehearsal:
    """Who would begin and who would be left out, and why; nothing is stored. Raises ``CannotEnroll``."""
    door, result, ids = entrance(sequence), Rehearsal(), list(person_ids)
    for start in range(0, len(ids), CHUNK):
        chunk = Person.objects.for_org(door.organization).filter(pk__in=ids[start : start + CHUNK])
        people = list(chunk.select_related("account").order_by("name_norm"))
        reasons = judge(door, people, sender=sender, again=again)
        left = [(person, reasons[person.pk]) for person in people if reasons[person.pk]]
        result.begun += len(people) - len(left)
        if door.plan.mails:
            begun = (person for person in people if not reasons[person.pk])
            result.remarks.update(remark.heading for person in begun for remark in hygiene.remarks(person.email))
        result.left_out.update(reason for _, reason in left)
        result.examples += left[: EXAMPLES - len(result.examples)]
    return result


def enroll(
    sequence: Sequence, person_ids: Iterable[UUID], *, actor: User | None, source: str, again: bool = False
) -> Enrolled:
    """Let people begin; those who may not are counted with the reason. Raises ``CannotEnroll``.

    Each chunk of 2,000 is a transaction of its own in the caller's scope; doing it again enrolls nobody twice.
    """
    door = entrance(sequence)
    total, ids = Enrolled(), list(person_ids)
    for start in range(0, len(ids), CHUNK):
        total.add(_enroll_chunk(door, ids[start : start + CHUNK], actor=actor, source=source, again=again))
    return total


@transaction.atomic
def _enroll_chunk(door: Entrance, ids: list[UUID], *, actor: User | None, source: str, again: bool) -> Enrolled:
    organization_id = door.organization.pk
    people = list(
        Person.objects.for_org(organization_id)
        .filter(pk__in=ids)
        .select_related("account")
        .order_by("id")
        .select_for_update(of=("self",), no_key=True)
    )
    reasons = judge(door, people, sender=actor, again=again)
    now = timezone.now()
    guide = Guide(organization_id, now=now)
    for person in people:
        if reasons[person.pk]:
            continue
        enrollment = Enrollment(
            id=uuid7(),
            organization=door.organization,
            sequence=door.sequence,
            version=door.version,
            person=person,
            account_id=person.account_id,
            event=door.event,
            owner_id=person.owner_id or (actor.pk if actor else None),
            mailbox=door.sequence.mailbox,
            is_exclusive=door.sequence.is_exclusive,
            enrolled_by=actor,
            source=source[:60],
            started_at=now,
            previous_at=now,
        )
        enrollment.time_zone = str(zone_of(person, event=enrollment.event, organization=enrollment.organization))
        guide.begin(enrollment)
    begun = len(guide.moved)
    guide.write(new=True)
    left_out = Counter(reason for reason in reasons.values() if reason)
    left_out["Is not in the list any more."] += len(set(ids)) - len(people)
    return Enrolled(begun, +left_out, [(pk, reason) for pk, reason in reasons.items() if reason][:EXAMPLES])
