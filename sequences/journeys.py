"""How enrollments move: arrive at a step, do it, go on, stand still, end. Everything here works inside a scope.

A ``Guide`` moves many enrollments of one organization in memory and writes them down at once with ``write``. A mail that
a sequence plans is a ``Message`` from the moment the step before it is done, so whoever waits for a mail has a row in the
ledger that says when it is due and why it has not left. The enrollment goes on only when that row has come to an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone

from activities.models import Task
from common.bulk import insert_many, update_many
from common.ids import uuid7
from outreach.addresses import address_hash
from outreach.comparing import Deal, deals
from outreach.models import Message
from outreach.pacing import take_back
from sequences import timing
from sequences.facts import facts_of
from sequences.models import Enrollment, SequenceVersion, StepRun
from sequences.plan import BY_HAND, Kind, Plan, PlannedStep

State, Cause, Outcome = Enrollment.State, Enrollment.Cause, StepRun.Outcome
MOVING = [
    "state", "cause", "reason", "step_id", "due_at", "previous_at", "finished_at", "message", "task", "first_message",
    "updated_at",
]  # fmt: skip
NOT_GONE = [
    Message.State.PLANNED, Message.State.DRAFT, Message.State.QUEUED, Message.State.HELD, Message.State.SENDING,
]  # fmt: skip


@lru_cache(maxsize=256)
def _plan(version_id: UUID, organization_id: UUID) -> Plan:
    # A version never changes, so its plan is read once per process.
    return SequenceVersion.objects.for_org(organization_id).get(pk=version_id).read()


def plan_of(version: SequenceVersion | Enrollment) -> Plan:
    """The plan of a version, or the one an enrollment runs through."""
    version_id = version.pk if isinstance(version, SequenceVersion) else version.version_id
    return _plan(version_id, version.organization_id)


class Guide:
    """Moves enrollments of one organization and writes them down together.

    The enrollments must have everything of ``runner.at_hand`` at hand.
    """

    def __init__(self, organization_id: UUID, *, now: datetime | None = None) -> None:
        self.organization_id = organization_id
        self.now = now or timezone.now()
        self.moved: dict[UUID, Enrollment] = {}
        self.messages: list[Message] = []
        self.tasks: list[Task] = []
        self.runs: list[StepRun] = []
        self._deals: dict[UUID, Deal] = {}

    # --- Moving ---

    def begin(self, enrollment: Enrollment) -> None:
        """Bring a new enrollment to its first step."""
        plan = plan_of(enrollment)
        self._arrive(enrollment, plan.step(plan.first))

    def go_on(self, enrollment: Enrollment, *, at: datetime, outcome: str, detail: str = "") -> None:
        """The step under way is behind: note how it went, and go to the next."""
        plan = plan_of(enrollment)
        step = plan.step(enrollment.step_id)
        if step is None:
            self.end(enrollment, State.COMPLETED, Cause.COMPLETED)
            return
        self._note(enrollment, step, at=at, outcome=outcome, detail=detail)
        enrollment.previous_at = at
        self._arrive(enrollment, plan.after(step))

    def place(self, enrollment: Enrollment, step: PlannedStep) -> None:
        """Put it before this step, as if the step before had just been done."""
        enrollment.previous_at = self.now
        self._arrive(enrollment, step)

    def act(self, enrollments: Sequence[Enrollment]) -> None:
        """Do what is due: end waits, answer branches, hand out tasks, and so on until something lies in the future."""
        waiting = list(enrollments)
        while waiting:
            to_ask = [(enrollment, step) for enrollment in waiting if (step := self._do(enrollment))]
            facts = facts_of(self.organization_id, [enrollment for enrollment, _ in to_ask]) if to_ask else {}
            for enrollment, step in to_ask:
                self._answer(enrollment, step, bool(step.rule and step.rule.holds(facts[enrollment.pk])))
            waiting = [one for one in waiting if one.state == State.ACTIVE and one.due_at and one.due_at <= self.now]

    def _do(self, enrollment: Enrollment) -> PlannedStep | None:
        """Do the step that is due, or return it when it is a branch, which has to be asked first."""
        plan = plan_of(enrollment)
        step = plan.step(enrollment.step_id)
        due = enrollment.due_at or self.now
        if step is None or step.kind == Kind.END:
            if step is not None:
                self._note(enrollment, step, at=self.now, outcome=Outcome.DONE)
            self.end(enrollment, State.COMPLETED, Cause.COMPLETED)
        elif step.kind == Kind.BRANCH:
            return step
        elif step.kind == Kind.WAIT:
            self._note(enrollment, step, at=self.now, outcome=Outcome.WAITED)
            enrollment.previous_at = due
            self._arrive(enrollment, plan.after(step))
        elif step.kind in BY_HAND:
            self._hand_out(enrollment, step)
        else:
            self._arrive(enrollment, step)
        return None

    def _answer(self, enrollment: Enrollment, step: PlannedStep, answer: bool) -> None:
        outcome = Outcome.YES if answer else Outcome.NO
        self._note(enrollment, step, at=self.now, outcome=outcome, detail=str(step.rule))
        enrollment.previous_at = enrollment.due_at or self.now
        self._arrive(enrollment, plan_of(enrollment).after(step, answer=answer))

    def _arrive(self, enrollment: Enrollment, step: PlannedStep | None) -> None:
        """Set when the step is due; a mail is written into the ledger at once."""
        enrollment.message, enrollment.task, enrollment.reason = None, None, ""
        if step is None:
            self.end(enrollment, State.COMPLETED, Cause.COMPLETED)
            return
        enrollment.step_id = step.id
        try:
            due = self.due(enrollment, step)
        except timing.NoAnchor as error:
            self.stand(enrollment, State.HELD, Cause.NO_EVENT, str(error))
            return
        enrollment.due_at = due
        if step.kind == Kind.EMAIL:
            self._plan_mail(enrollment, step, due)
        else:
            self.stand(enrollment, State.ACTIVE, Cause.SCHEDULED)

    def due(self, enrollment: Enrollment, step: PlannedStep) -> datetime:
        """When the step is due (UTC); mails keep to the mailbox's window. Raises ``timing.NoAnchor``."""
        event, mailbox = enrollment.event, enrollment.mailbox
        anchors = timing.Anchors(
            started_at=enrollment.started_at,
            previous_at=enrollment.previous_at,
            event_starts_on=event.starts_on if event else None,
            event_ends_on=event.ends_on if event else None,
            event_zone=event.zone if event else None,
        )
        mail = step.kind == Kind.EMAIL
        return timing.next_slot(
            step.delay,
            anchors,
            zone=ZoneInfo(enrollment.time_zone),
            window=mailbox.window if mail else None,
            is_holiday=mailbox.holidays_of(enrollment.person.nearest_country),
            not_before=self.now if mail else None,
        )

    # --- What a step makes ---

    def _plan_mail(self, enrollment: Enrollment, step: PlannedStep, due: datetime) -> None:
        person = enrollment.person
        hashed = address_hash(self.organization_id, person.email) if person.email else None
        if hashed is None:
            self.end(enrollment, State.STOPPED, Cause.BOUNCED, "There is no e-mail address any more.")
            return
        variant, template_id = self._wording(step, person.pk)
        message = Message(
            id=uuid7(),
            organization_id=self.organization_id,
            person_id=person.pk,
            account_id=person.account_id,
            event_id=enrollment.event_id,
            mailbox_id=enrollment.mailbox_id,
            template_id=template_id,
            comparison_id=step.comparison_id if variant else None,
            variant=variant,
            sequence_id=enrollment.sequence_id,
            enrollment_id=enrollment.pk,
            step_id=step.id,
            owner_id=enrollment.owner_id,
            approved_by_id=enrollment.enrolled_by_id,
            approved_at=enrollment.started_at,
            follows_id=enrollment.first_message_id if step.same_thread else None,
            keeps_window=True,
            time_zone=enrollment.time_zone,
            resend_on_silence=step.resend_on_silence,
            to_address=person.email,
            address_hash=hashed,
            state=Message.State.QUEUED,
            due_at=due,
            not_after=due + timedelta(hours=enrollment.sequence.late_after_hours),
        )
        self.messages.append(message)
        enrollment.message = message
        self.stand(enrollment, State.WAITING, Cause.MAIL)

    def _wording(self, step: PlannedStep, person_id: UUID) -> tuple[str, UUID | None]:
        """Which wording of the step the person gets, and its template; no letter where there is only one."""
        if step.comparison_id is None:
            return "", step.template_id
        if step.comparison_id not in self._deals:
            self._deals |= deals(self.organization_id, [step.comparison_id])
        deal = self._deals.get(step.comparison_id)
        return deal.draw(person_id) if deal else ("", step.template_id)

    def _hand_out(self, enrollment: Enrollment, step: PlannedStep) -> None:
        zone = ZoneInfo(enrollment.time_zone)
        task = Task(
            id=uuid4(),
            organization_id=self.organization_id,
            title=step.title[:200],
            due_on=(enrollment.due_at or self.now).astimezone(zone).date(),
            assignee_id=enrollment.owner_id,
            person_id=enrollment.person_id,
            account_id=enrollment.account_id,
            event_id=enrollment.event_id,
        )
        self.tasks.append(task)
        enrollment.task = task
        self.stand(enrollment, State.WAITING, Cause.TASK)

    # --- Standing and ending ---

    def stand(self, enrollment: Enrollment, state: str, cause: str, reason: str = "") -> None:
        enrollment.state, enrollment.cause, enrollment.reason = state, cause, reason[:300]
        enrollment.updated_at = self.now
        self.moved[enrollment.pk] = enrollment

    def end(self, enrollment: Enrollment, state: str, cause: str, reason: str = "") -> None:
        """Complete or stop it; mails and tasks that have not begun are withdrawn by ``write``."""
        enrollment.finished_at, enrollment.due_at = self.now, None
        if state == State.COMPLETED:
            enrollment.step_id = None
        self.stand(enrollment, state, cause, reason)

    def _note(self, enrollment: Enrollment, step: PlannedStep, *, at: datetime, outcome: str, detail: str = "") -> None:
        self.runs.append(
            StepRun(
                organization_id=self.organization_id,
                enrollment_id=enrollment.pk,
                sequence_id=enrollment.sequence_id,
                step_id=step.id,
                kind=step.kind,
                label=step.label,
                due_at=enrollment.due_at or at,
                done_at=at,
                outcome=outcome,
                detail=detail[:300],
                message_id=enrollment.message_id,
                task_id=enrollment.task_id,
            )
        )

    # --- Writing ---

    def write(self, *, new: bool = False) -> None:
        """Write everything that moved, in the transaction of the caller. ``new`` enrollments are inserted.

        A step runs once: a message or a run that is there already is left as it is.
        """
        moved = list(self.moved.values())
        insert_many(self.messages)
        insert_many(self.tasks)
        if new:
            insert_many(moved)
        else:
            update_many(moved, MOVING)
        insert_many(self.runs, ignore_conflicts=True)
        finished = [one.pk for one in moved if not one.is_live]
        if finished and not new:
            withdraw(self.organization_id, finished)


def withdraw(organization_id: UUID, enrollment_ids: Iterable[UUID], *, reason: str = "The sequence has ended.") -> None:
    """Cancel the mails of these enrollments that have not left, and drop their open tasks.

    A mail whose try is open is past the last gate: it may have left, so it stays. One that a worker has claimed and not
    begun is taken from it; its last gate finds the token gone.
    """
    ids = list(enrollment_ids)
    waiting = Message.objects.for_org(organization_id).filter(enrollment_id__in=ids, state__in=NOT_GONE)
    take_back(waiting, state=Message.State.CANCELLED, reason=reason[:300])
    open_tasks = Enrollment.objects.for_org(organization_id).filter(pk__in=ids, task__isnull=False)
    Task.objects.for_org(organization_id).filter(
        pk__in=list(open_tasks.values_list("task", flat=True)), done_at=None
    ).delete()
