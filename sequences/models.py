"""Sequences: what to do with a person, step by step, how long to wait between, and who is where in it."""

from django.db import models
from django.db.models import Deferrable, Q

from accounts.models import Account
from activities.models import Task
from common.models import TenantForeignKey, TenantModel
from events.models import Event
from identity.models import User
from outreach.models import Comparison, Mailbox, Message, Template
from people.models import Person
from sequences.conditions import read_rule
from sequences.plan import Kind, Lane, Plan
from sequences.querysets import EnrollmentQuerySet, SequenceQuerySet, StepQuerySet
from sequences.timing import Anchor


class Sequence(TenantModel):
    """A plan of steps. Its ``steps`` are the draft; people run through the ``SequenceVersion`` that was published last.

    ``paused`` holds everybody in it where they are. ``late_after_hours`` is how late a mail may leave before a person
    is asked.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    event = TenantForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    mailbox = TenantForeignKey(Mailbox, on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    is_exclusive = models.BooleanField(
        "only one sequence at a time", default=True, help_text="Nobody is in this and another such sequence at once."
    )
    late_after_hours = models.PositiveSmallIntegerField("hours a mail may be late", default=72)

    objects = SequenceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="sequence_name_once_per_organization"),
            models.CheckConstraint(condition=~Q(name=""), name="sequence_has_a_name"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "paused", "archived"]), name="sequence_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_archived(self) -> bool:
        return self.status == self.Status.ARCHIVED


class SequenceVersion(TenantModel):
    """What was published once, and never changes: people finish on the version they started."""

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    plan = models.JSONField()
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["sequence", "number"], name="sequenceversion_once")]

    def __str__(self) -> str:
        return f"version {self.number}"

    def read(self) -> Plan:
        return Plan.model_validate(self.plan)


class Step(TenantModel):
    """One thing to do, as the builder keeps it. A mail is written from a template; a person does everything else.

    A step stands in the main lane, or in the "yes" or "no" lane of its ``parent``, a branch. Its ``id`` is its identity
    in every version, wherever it is moved.
    """

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps", db_index=False)
    parent = TenantForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="inner")
    lane = models.CharField(max_length=3, choices=Lane, blank=True, default=Lane.MAIN)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    delay_days = models.SmallIntegerField("days", default=0, help_text="Negative: before the show.")
    delay_hours = models.PositiveSmallIntegerField("hours", default=0)
    delay_from = models.CharField("counted", max_length=12, choices=Anchor, default=Anchor.PREVIOUS)
    business_days = models.BooleanField("count only working days", default=False)
    at_time = models.TimeField("at this time of the day", null=True, blank=True)
    template = TenantForeignKey(Template, on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    comparison = TenantForeignKey(
        Comparison, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    same_thread = models.BooleanField("answer in the thread of the first mail", default=True)
    resend_on_silence = models.BooleanField(
        "send again when the provider never reported it",
        default=False,
        help_text="Otherwise a person is asked: a missed mail is better than a doubled one.",
    )
    subject = models.CharField("title", max_length=300, blank=True)
    body = models.TextField("instructions", blank=True)
    rule = models.JSONField(null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "parent", "lane", "position"],
                name="step_place_once",
                nulls_distinct=False,
                deferrable=Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(kind="email", template__isnull=False)
                | Q(kind__in=["wait", "branch", "end"])
                | (Q(kind__in=["call", "linkedin", "visit", "task"]) & ~Q(subject="")),
                name="step_says_what_to_do",
            ),
            models.CheckConstraint(
                condition=Q(kind="branch", rule__isnull=False) | (~Q(kind="branch") & Q(rule=None)),
                name="step_branch_asks",
            ),
            models.CheckConstraint(
                condition=Q(delay_days__gte=-365, delay_days__lte=365, delay_hours__lt=24),
                name="step_waits_a_year_at_most",
            ),
            models.CheckConstraint(
                condition=Q(delay_days__gte=0) | Q(delay_from__in=["event_start", "event_end"]),
                name="step_before_a_show_only",
            ),
            models.CheckConstraint(
                condition=Q(parent=None, lane="") | Q(parent__isnull=False, lane__in=["yes", "no"]),
                name="step_stands_in_a_lane",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What the card says: the template's name for a mail, the task's title otherwise."""
        return self.template.name if self.template else self.subject or self.get_kind_display()

    @property
    def wait(self) -> str:
        """The line above the card: ``At once``, ``3 days after the step before``, ``7 days before the show``."""
        return wait_in_words(self)


class EnrollmentRule(TenantModel):
    """Lets people begin by themselves once the facts hold: the target becomes tier A, or they are met at the booth.

    Changes from before the rule was made, or while it is paused, do not count. ``left_out`` names the last people for
    whom it held and who may not begin, each with the reason; ``problem`` says why nobody can begin at all.
    """

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="rules", db_index=False)
    rule = models.JSONField()
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    begun = models.PositiveIntegerField("people who began by it", default=0)
    begun_at = models.DateTimeField("when somebody began by it last", null=True, blank=True)
    looked_at = models.DateTimeField("when it was asked last", null=True, blank=True)
    left_out = models.JSONField(default=list, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["organization", "sequence"], name="enrollmentrule_by_sequence")]

    def __str__(self) -> str:
        return str(read_rule(self.rule))


class RuleNotice(TenantModel):
    """A person, or everybody at an account, changed: a rule has to look. Written by triggers (migration 0005), so nothing
    that changes rows can forget it; deleted in the transaction that has looked, so nobody is looked at twice for it.
    """

    rule = TenantForeignKey(EnrollmentRule, on_delete=models.CASCADE, related_name="notices", db_index=False)
    person_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    due_at = models.DateTimeField(
        help_text="A visit at the booth counts a minute later: until then it can be taken back."
    )

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["rule", "due_at", "id"], name="rulenotice_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.person_id or self.account_id}"


class Enrollment(TenantModel):
    """One person on the way through one version of a sequence. ``step_id`` is the step that comes next or is under way.

    ``active`` waits for ``due_at``; ``waiting`` for its mail or its task; ``held`` and ``paused`` for a person. ``cause``
    and ``reason`` say why it stands where it stands, so everybody enrolled has exactly one reason.
    """

    class State(models.TextChoices):
        ACTIVE = "active", "On the way"
        WAITING = "waiting", "Under way"
        HELD = "held", "Needs a decision"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        STOPPED = "stopped", "Stopped"

    class Cause(models.TextChoices):
        SCHEDULED = "scheduled", "Waits for its time"
        MAIL = "mail", "Its mail is on the way"
        TASK = "task", "Waits for a task"
        OUT_OF_OFFICE = "out_of_office", "Out of the office"
        PAUSED = "paused", "Paused by a member"
        SEQUENCE_PAUSED = "sequence_paused", "The sequence is paused"
        LATE = "late", "Too late: somebody has to decide"
        MAIL_HELD = "mail_held", "A mail needs a decision"
        GUARD = "guard", "The account is held"
        COMPLETED = "completed", "Went through"
        REPLIED = "replied", "Answered"
        MEETING = "meeting", "Booked a meeting"
        BOUNCED = "bounced", "The address does not work"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        COMPLAINED = "complained", "Reported as spam"
        SUPPRESSED = "suppressed", "Must not be written to"
        REJECTED = "rejected", "The provider refused the mail"
        MANUAL = "manual", "Taken out by a member"
        NO_EVENT = "no_event", "The show of a step is gone"

    LIVE = ("active", "waiting", "held", "paused")

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="enrollments", db_index=False)
    version = TenantForeignKey(SequenceVersion, on_delete=models.RESTRICT, related_name="+", db_index=False)
    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="enrollments", db_index=False)
    account = TenantForeignKey(
        Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    event = TenantForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    mailbox = TenantForeignKey(Mailbox, on_delete=models.RESTRICT, related_name="+", db_index=False)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="The recipient's.")
    is_exclusive = models.BooleanField(default=True, editable=False)
    enrolled_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    source = models.CharField(max_length=60, blank=True, help_text="A list, a rule, or one by one.")

    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    cause = models.CharField(max_length=16, choices=Cause, default=Cause.SCHEDULED)
    reason = models.CharField(max_length=300, blank=True)
    step_id = models.UUIDField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    previous_at = models.DateTimeField(help_text="When the step before was done.")
    finished_at = models.DateTimeField(null=True, blank=True)
    message = TenantForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    task = TenantForeignKey(Task, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    first_message = TenantForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "person"],
                condition=Q(state__in=["active", "waiting", "held", "paused"]),
                name="enrollment_once_while_live",
            ),
            models.UniqueConstraint(
                fields=["organization", "person"],
                condition=Q(state__in=["active", "waiting", "held", "paused"], is_exclusive=True),
                name="enrollment_exclusive_per_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "waiting", "held", "paused", "completed", "stopped"]),
                name="enrollment_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(due_at__isnull=False, step_id__isnull=False),
                name="enrollment_active_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["completed", "stopped"], finished_at__isnull=False)
                | Q(state__in=["active", "waiting", "held", "paused"], finished_at=None),
                name="enrollment_finished_has_time",
            ),
        ]
        indexes = [
            # What the runner sweeps; it holds live rows only, so ten million finished ones cost it nothing.
            models.Index(fields=["due_at", "id"], condition=Q(state="active"), name="enrollment_due"),
            models.Index(fields=["organization", "sequence", "state", "cause"], name="enrollment_by_sequence"),
            models.Index(fields=["organization", "sequence", "started_at", "id"], name="enrollment_by_start"),
            models.Index(fields=["organization", "person"], name="enrollment_by_person"),
            models.Index(fields=["organization", "account"], name="enrollment_by_account"),
            models.Index(fields=["task"], condition=Q(task__isnull=False), name="enrollment_by_task"),
            # Whoever deletes a mail looks whether it is named here.
            models.Index(fields=["message"], condition=Q(message__isnull=False), name="enrollment_by_message"),
            models.Index(
                fields=["first_message"], condition=Q(first_message__isnull=False), name="enrollment_by_first_mail"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.sequence_id}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE


class StepRun(TenantModel):
    """A step that is behind one enrollment: when it was due, when it was done, and how it went."""

    class Outcome(models.TextChoices):
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        WAITED = "waited", "Waited"
        YES = "yes", "Yes"
        NO = "no", "No"
        SKIPPED = "skipped", "Skipped"
        CANCELLED = "cancelled", "Did not happen"

    enrollment = TenantForeignKey(Enrollment, on_delete=models.CASCADE, related_name="runs", db_index=False)
    sequence_id = models.UUIDField()
    step_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=Kind)
    label = models.CharField(max_length=60)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    detail = models.CharField(max_length=300, blank=True)
    message = TenantForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    task = TenantForeignKey(Task, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["done_at", "id"]
        constraints = [models.UniqueConstraint(fields=["enrollment", "step_id"], name="steprun_once")]
        indexes = [
            models.Index(fields=["organization", "sequence_id", "step_id", "outcome"], name="steprun_by_step"),
            models.Index(fields=["message"], condition=Q(message__isnull=False), name="steprun_by_message"),
            models.Index(fields=["task"], condition=Q(task__isnull=False), name="steprun_by_task"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.outcome}"


def wait_in_words(step: Step) -> str:
    """How a page says when a step is due."""
    day = "working day" if step.business_days else "day"
    counts = ((abs(step.delay_days), day), (step.delay_hours, "hour"))
    length = " and ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)
    clock = f" at {step.at_time:%H:%M}" if step.at_time else ""
    match step.delay_from:
        case Anchor.EVENT_START | Anchor.EVENT_END:
            day_of = "first" if step.delay_from == Anchor.EVENT_START else "last"
            side = "before" if step.delay_days < 0 else "after"
            return (
                f"{length} {side} the {day_of} day of the show" if length else f"On the {day_of} day of the show"
            ) + clock
        case Anchor.START:
            return (f"{length} after the start" if length else "At the start as well") + clock
    if step.position == 0 and step.parent_id is None:
        return (f"{length} after the start" if length else "At the start") + clock
    return (f"{length} after the step before" if length else "Right after") + clock
