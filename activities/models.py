"""The timeline: what happened, in the order it happened, plus notes and a person's to-dos."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from activities.querysets import ActivityQuerySet, TaskQuerySet
from common.happenings import Kind
from common.models import TenantForeignKey, TenantModel
from events.models import Event
from identity.models import User
from people.models import Person

UNDO = timedelta(minutes=1)
"""How long a visit at the booth can be taken back; nothing automatic follows from it before."""


class Activity(TenantModel):
    """One entry. ``data`` holds plain values for the page; never addresses, tokens or bodies."""

    kind = models.CharField(max_length=32, choices=Kind)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    event = TenantForeignKey(
        Event,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,
    )
    account = TenantForeignKey(
        Account,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,
    )
    person = TenantForeignKey(
        Person,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,
    )
    summary = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField()

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["organization", "occurred_at", "id"], name="activity_by_time"),
            models.Index(
                fields=["organization", "event", "occurred_at", "id"],
                name="activity_by_event",
            ),
            models.Index(
                fields=["organization", "account", "occurred_at", "id"],
                name="activity_by_account",
            ),
            models.Index(
                fields=["organization", "person", "occurred_at", "id"],
                name="activity_by_person",
            ),
        ]

    def __str__(self) -> str:
        return self.summary or self.get_kind_display()


class Note(TenantModel):
    account = TenantForeignKey(
        Account,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="note_set",
    )
    person = TenantForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="note_set")
    event = TenantForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    body = models.TextField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=False) | Q(person__isnull=False),
                name="note_is_about_somebody",
            )
        ]

    def __str__(self) -> str:
        return self.body[:80]


class Task(TenantModel):
    """Something a person has to do."""

    title = models.CharField(max_length=200)
    due_on = models.DateField(null=True, blank=True)
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    event = TenantForeignKey(Event, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks")
    account = TenantForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks")
    person = TenantForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "created_at"]
        indexes = [
            models.Index(
                fields=["organization", "assignee", "done_at", "due_on"],
                name="task_by_assignee",
            )
        ]

    def __str__(self) -> str:
        return self.title


class BoothVisit(TenantModel):
    """A person was met at our booth. ``minute`` is ``met_at`` without its seconds: two taps within it are one visit."""

    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="booth_visits", db_index=False)
    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="+", db_index=False)
    rep = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    met_at = models.DateTimeField()
    minute = models.DateTimeField(editable=False)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-met_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "person", "event", "minute"], name="boothvisit_once_a_minute"
            ),
        ]

    def __str__(self) -> str:
        return self.note or "Met at the booth"

    @property
    def may_be_undone(self) -> bool:
        return timezone.now() - self.created_at < UNDO
