"""Sequences: what to do with a person, step by step, and how long to wait between."""

from django.db import models
from django.db.models import Deferrable, Q

from common.models import TenantForeignKey, TenantModel
from events.models import Event
from identity.models import User
from outreach.models import Template
from sequences.querysets import SequenceQuerySet, StepQuerySet


class Sequence(TenantModel):
    """A plan of steps. Nothing in it happens by itself: it says what to write and do, and when."""

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


class Step(TenantModel):
    """One thing to do. A mail is written from a template; everything else is a task with a title and instructions."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        CALL = "call", "Call"
        LINKEDIN = "linkedin", "LinkedIn"
        TASK = "task", "Task"

    class DelayFrom(models.TextChoices):
        PREVIOUS = "previous", "after the step before"
        START = "start", "after the start"

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    delay_hours = models.PositiveIntegerField("wait", default=0)
    delay_from = models.CharField(max_length=8, choices=DelayFrom, default=DelayFrom.PREVIOUS)
    business_days = models.BooleanField("count only Monday to Friday", default=False)
    template = TenantForeignKey(Template, on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    subject = models.CharField("title", max_length=300, blank=True)
    body = models.TextField("instructions", blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "position"], name="step_position_once", deferrable=Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(kind="email", template__isnull=False) | (~Q(kind="email") & ~Q(subject="")),
                name="step_says_what_to_do",
            ),
            models.CheckConstraint(condition=Q(delay_hours__lte=8_760), name="step_waits_a_year_at_most"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What the card says: the template's name for a mail, the task's title otherwise."""
        return self.template.name if self.template else self.subject

    @property
    def wait(self) -> str:
        """The line above the card: ``at once``, ``3 days after the step before``, ``2 days and 4 hours after the start``."""
        days, hours = divmod(self.delay_hours, 24)
        day = "working day" if self.business_days else "day"
        parts = [
            f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((days, day), (hours, "hour")) if count
        ]
        length = " and ".join(parts)
        if self.position == 0:
            return f"{length} after the start" if length else "At the start"
        if not length:
            return "At the start as well" if self.delay_from == self.DelayFrom.START else "Right after"
        return f"{length} {self.get_delay_from_display()}"
