"""What a person can ask of enrollments: rehearse, enroll, pause, resume, skip, move, stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from common.ids import uuid7
from common.places import first_zone
from events.models import Event
from identity.models import Organization, User
from outreach import merging, rendering, windows
from outreach.addresses import hashes_of
from outreach.models import Message, SendAttempt, Suppression, Template
from people.models import Person
from sequences import journeys, runner
from sequences.journeys import Cause, Guide, Outcome, State
from sequences.models import Enrollment, Sequence, SequenceVersion, StepRun
from sequences.plan import Plan
from sequences.querysets import EnrollmentQuerySet
from sequences.services.plans import latest_version

CHUNK = 2_000
EXAMPLES = 50


class CannotEnroll(Exception):
    """Nobody can be enrolled as it stands; its text says what to do."""


class CannotMove(Exception):
    """The enrollment cannot do this any more, or not yet; its text says why."""


@dataclass
class Enrolled:
    """What an enrollment came to: how many began, and how many were left out for which reason."""

    begun: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: Enrolled) -> None:
        self.begun += other.begun
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
    version = latest_version(sequence)
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
    needed = {
        step.label: merging.needed_fields(template.subject, template.body)
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
        return _missing(door, person, needed, sender)

    return {person.pk: reason(person) for person in people}


def _missing(door: Entrance, person: Person, needed: dict[str, frozenset[str]], sender: User | None) -> str:
    if not any(needed.values()):
        return ""
    values = rendering.merge_values(
        person, account=person.account, event=door.event, sender=sender, organization=door.organization
    )
    for label, names in needed.items():
        for name in sorted(names):
            if not merging.clean_value(values.get(name, "")):
                return f"The {merging.FIELDS[name]} is missing (step {label})."
    return ""


@dataclass
class Rehearsal:
    """What enrolling would come to. ``examples`` are some of those left out, each with the reason."""

    begun: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[Person, str]] = field(default_factory=list)

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
            person_id=person.pk,
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
        enrollment.time_zone = str(journeys.zone_of(person, enrollment))
        guide.begin(enrollment, person)
    begun = len(guide.moved)
    guide.write(new=True)
    left_out = Counter(reason for reason in reasons.values() if reason)
    left_out["Is not in the list any more."] += len(set(ids)) - len(people)
    return Enrolled(begun, +left_out)


# --- One or many on the way ------------------------------------------------------------------------------------------


def stop(organization_id: UUID, enrollments: EnrollmentQuerySet, *, cause: str = Cause.MANUAL, reason: str = "") -> int:
    """Take people out for good: what has not left is cancelled in this transaction. Returns how many were on the way."""
    with transaction.atomic():
        found = _locked(organization_id, enrollments)
        guide = Guide(organization_id)
        for enrollment in found:
            guide.end(enrollment, State.STOPPED, cause, reason)
        guide.write()
        return len(found)


def suspend(
    organization_id: UUID, enrollments: EnrollmentQuerySet, *, cause: str = Cause.PAUSED, reason: str = ""
) -> int:
    """Let people stand where they are until ``resume``; nothing is sent meanwhile. Returns how many were moving."""
    with transaction.atomic():
        found = [one for one in _locked(organization_id, enrollments) if one.state in {State.ACTIVE, State.WAITING}]
        guide = Guide(organization_id)
        for enrollment in found:
            guide.stand(enrollment, State.HELD if cause == Cause.GUARD else State.PAUSED, cause, reason)
        guide.write()
        # A mail that a worker has claimed and not begun is taken from it; its last gate finds the token gone.
        begun = SendAttempt.objects.filter(message=OuterRef("pk"), outcome__in=["open", "unknown"])
        claimed = Q(state=Message.State.SENDING) & ~Exists(begun)
        _mails_of(organization_id, found).filter(Q(state=Message.State.QUEUED) | claimed).update(
            state=Message.State.PLANNED, token=None, lease_until=None, updated_at=guide.now,
            cause=Message.Cause.ACCOUNT_HELD if cause == Cause.GUARD else Message.Cause.PAUSED,
            reason=(reason or Cause(cause).label)[:300],
        )  # fmt: skip
        return len(found)


def resume(organization_id: UUID, enrollments: EnrollmentQuerySet, *, causes: Iterable[str] = (Cause.PAUSED,)) -> int:
    """Let people who were suspended for one of ``causes`` go on; what is late leaves in the next open window."""
    with transaction.atomic():
        found = [one for one in _locked(organization_id, enrollments) if one.cause in set(causes) and one.is_live]
        guide = Guide(organization_id)
        for enrollment in found:
            if enrollment.message_id:
                guide.stand(enrollment, State.WAITING, Cause.MAIL)
            elif enrollment.task_id:
                guide.stand(enrollment, State.WAITING, Cause.TASK)
            else:
                guide.stand(enrollment, State.ACTIVE, Cause.SCHEDULED)
        guide.write()
        _release_mails(organization_id, found, guide.now)
        return len(found)


def _release_mails(organization_id: UUID, enrollments: Many[Enrollment], now: datetime) -> None:
    by_mail = {one.message_id: one for one in enrollments if one.message_id}
    waiting = list(Message.objects.for_org(organization_id).filter(pk__in=by_mail, state=Message.State.PLANNED))
    for message in waiting:
        one = by_mail[message.pk]
        message.state, message.cause, message.reason = Message.State.QUEUED, "", ""
        message.updated_at = now
        message.due_at = postponed(one, message.due_at or now, now)
        message.not_after = message.due_at + timedelta(hours=one.sequence.late_after_hours)
    Message.objects.bulk_update(
        waiting, ["state", "cause", "reason", "due_at", "not_after", "updated_at"], batch_size=500
    )


def postponed(enrollment: Enrollment, due: datetime, earliest: datetime) -> datetime:
    """The slot of a mail that must not leave before ``earliest``: the first open moment of its window from then on."""
    moment = max(due, earliest)
    if not moment > due:
        return due
    person = enrollment.person
    country = person.country or (person.account.country if person.account else "")
    is_holiday = journeys.is_holiday_for(country) if enrollment.mailbox.keeps_holidays else windows.no_holidays
    return windows.first_open(
        moment, enrollment.mailbox.window, zone=first_zone(enrollment.time_zone), is_holiday=is_holiday
    )


@transaction.atomic
def wait_until(enrollment: Enrollment, moment: datetime, *, reason: str) -> None:
    """The person is away: nothing is due before ``moment``. Raises ``CannotMove`` when it has ended."""
    found = _one(enrollment)
    guide = Guide(found.organization_id)
    if found.state == State.ACTIVE:
        found.due_at = max(found.due_at or moment, moment)
    guide.stand(found, found.state, Cause.OUT_OF_OFFICE, reason)
    guide.write()
    mail = _mails_of(found.organization_id, [found]).filter(state=Message.State.QUEUED).first()
    if mail is not None:
        due = postponed(found, mail.due_at or moment, moment)
        Message.objects.filter(pk=mail.pk, state=Message.State.QUEUED).update(
            due_at=due, not_after=due + timedelta(hours=found.sequence.late_after_hours), reason=reason[:300],
            updated_at=guide.now,
        )  # fmt: skip


@transaction.atomic
def skip(enrollment: Enrollment) -> None:
    """Leave the step under way out and go to the next. Raises ``CannotMove`` when its mail may have left."""
    found = _one(enrollment)
    _withdraw_mail(found, reason="The step was skipped.")
    guide = Guide(found.organization_id)
    guide.go_on(found, at=guide.now, outcome=Outcome.SKIPPED)
    guide.write()


@transaction.atomic
def move_to(enrollment: Enrollment, *, step_id: UUID, version: SequenceVersion | None = None) -> None:
    """Go on at another step, of the same or of a newer version. Raises ``CannotMove``: no step runs twice."""
    found = _one(enrollment)
    if version is not None:
        found.version = version
    step = journeys.plan_of(found).step(step_id)
    if step is None:
        raise CannotMove("This step is not in that version.")
    if StepRun.objects.for_org(found.organization_id).filter(enrollment=found, step_id=step_id).exists():
        raise CannotMove("This step is behind already, and no step runs twice.")
    if Message.objects.for_org(found.organization_id).filter(enrollment_id=found.pk, step_id=step_id).exists():
        raise CannotMove("The mail of this step exists already, and no mail is sent twice.")
    _withdraw_mail(found, reason="Moved to another step.")
    guide = Guide(found.organization_id)
    guide.place(found, step)
    guide.write()
    if version is not None:
        found.save(update_fields=["version", "updated_at"])


def _withdraw_mail(enrollment: Enrollment, *, reason: str) -> None:
    journeys.withdraw(enrollment.organization_id, [enrollment.pk], reason=reason)
    in_flight = [Message.State.SENDING, Message.State.UNKNOWN]
    if _mails_of(enrollment.organization_id, [enrollment]).filter(state__in=in_flight).exists():
        raise CannotMove("Its mail is on the way, or may be: wait until that is known.")
    # Cancelling it was our own wish, so nobody has to be told.
    _mails_of(enrollment.organization_id, [enrollment]).update(to_announce=False)


def _one(enrollment: Enrollment) -> Enrollment:
    found = _locked(enrollment.organization_id, Enrollment.objects.filter(pk=enrollment.pk))
    if not found:
        raise CannotMove("This person is not in the sequence any more.")
    return found[0]


def _locked(organization_id: UUID, enrollments: EnrollmentQuerySet) -> list[Enrollment]:
    """The live ones among them, their mails locked before themselves: the order everybody locks in."""
    ids = list(enrollments.filter(organization_id=organization_id).live().values_list("pk", flat=True))
    mails = Message.objects.for_org(organization_id).filter(enrollment_id__in=ids).order_by("id")
    list(mails.select_for_update().values_list("pk", flat=True))
    locked = Enrollment.objects.for_org(organization_id).live().filter(pk__in=ids).order_by("id")
    return list(runner.at_hand(locked).select_for_update(of=("self",)))


def _mails_of(organization_id: UUID, enrollments: Many[Enrollment]) -> QuerySet[Message]:
    return Message.objects.for_org(organization_id).filter(
        pk__in=[one.message_id for one in enrollments if one.message_id]
    )


# --- The whole sequence ----------------------------------------------------------------------------------------------


@transaction.atomic
def pause_sequence(sequence: Sequence) -> int:
    """Hold everybody in it where they are. Returns how many."""
    Sequence.objects.for_org(sequence.organization_id).filter(pk=sequence.pk).update(
        status=Sequence.Status.PAUSED, updated_at=timezone.now()
    )
    sequence.status = Sequence.Status.PAUSED
    own = Enrollment.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    return suspend(sequence.organization_id, own, cause=Cause.SEQUENCE_PAUSED)


@transaction.atomic
def resume_sequence(sequence: Sequence) -> int:
    """Let everybody whom the pause held go on. Returns how many."""
    Sequence.objects.for_org(sequence.organization_id).filter(pk=sequence.pk).update(
        status=Sequence.Status.ACTIVE, updated_at=timezone.now()
    )
    sequence.status = Sequence.Status.ACTIVE
    own = Enrollment.objects.for_org(sequence.organization_id).filter(sequence=sequence)
    return resume(sequence.organization_id, own, causes=[Cause.SEQUENCE_PAUSED])


@transaction.atomic
def archive(sequence: Sequence, *, archived: bool, actor: User) -> Sequence:
    """Put the sequence away, which stops everybody in it, or take it out again as a draft."""
    sequence.status = Sequence.Status.ARCHIVED if archived else Sequence.Status.DRAFT
    sequence.save(update_fields=["status", "updated_at"])
    if archived:
        own = Enrollment.objects.for_org(sequence.organization_id).filter(sequence=sequence)
        stop(sequence.organization_id, own, cause=Cause.MANUAL, reason=f"{actor.name} put the sequence away.")
    return sequence
