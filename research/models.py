"""What makes a company or a person worth the organization's time: rules, thresholds and the runs that apply them."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pghistory
from django.db import models
from django.db.models import F, Q

from common.models import TenantForeignKey, TenantModel
from identity.models import Organization, User
from research.querysets import ScoringRunQuerySet


class Subject(models.TextChoices):
    """What a rule looks at."""

    ACCOUNT = "account", "Accounts"
    PERSON = "person", "People"


class Operator(models.TextChoices):
    BETWEEN = "between", "between"
    AT_LEAST = "at_least", "at least"
    AT_MOST = "at_most", "at most"
    ONE_OF = "one_of", "is one of"
    CONTAINS_ANY = "contains_any", "mentions any of"
    IS_SET = "is_set", "is known"
    IS_NOT_SET = "is_not_set", "is not known"


@pghistory.track(pghistory.UpdateEvent(row="OLD"), pghistory.DeleteEvent(), exclude=["updated_at"])
class ScoringProfile(TenantModel):
    """How the organization turns a score into a tier. Without a row the defaults hold (``research.defaults``)."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(default=1, help_text="Counts the times the rules were saved.")
    tier_a = models.PositiveSmallIntegerField("tier A from", default=80)
    tier_b = models.PositiveSmallIntegerField("tier B from", default=60)
    tier_c = models.PositiveSmallIntegerField("tier C from", default=40)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(tier_a__lte=100, tier_a__gt=F("tier_b"), tier_b__gt=F("tier_c"), tier_c__gt=0),
                name="scoringprofile_tiers_descend",
            )
        ]

    def __str__(self) -> str:
        return f"A from {self.tier_a}, B from {self.tier_b}, C from {self.tier_c}"


@pghistory.track(pghistory.UpdateEvent(row="OLD"), pghistory.DeleteEvent(), exclude=["updated_at"])
class ScoringRule(TenantModel):
    """One line of the profile: a fact, a question about it, and the points for a yes (negative: a deduction)."""

    profile = TenantForeignKey(ScoringProfile, on_delete=models.CASCADE, related_name="rules", db_index=False)
    subject = models.CharField(max_length=8, choices=Subject)
    position = models.PositiveSmallIntegerField()
    fact = models.CharField(max_length=32)
    operator = models.CharField(max_length=16, choices=Operator)
    value = models.JSONField(default=dict, blank=True)
    points = models.SmallIntegerField()
    label = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["subject", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=Subject.values), name="scoringrule_subject_known"),
            models.CheckConstraint(condition=Q(operator__in=Operator.values), name="scoringrule_operator_known"),
            models.CheckConstraint(
                condition=Q(points__gte=-100, points__lte=100) & ~Q(points=0), name="scoringrule_points_in_range"
            ),
        ]
        indexes = [models.Index(fields=["organization", "profile", "subject", "position"], name="rule_in_order")]

    def __str__(self) -> str:
        return self.label or f"{self.fact} {self.operator}"


class ScoringRun(TenantModel):
    """One pass over all accounts and people. It keeps its place, so that another worker can go on after a kill."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Scoring"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    LEASE = timedelta(minutes=2)
    MAX_ATTEMPTS = 5

    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    cause = models.CharField(max_length=120, help_text="Why it was asked for, in words a page can show.")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    rules_version = models.PositiveIntegerField(default=0)
    subject = models.CharField(max_length=8, choices=Subject, default=Subject.ACCOUNT)
    cursor = models.UUIDField(null=True, blank=True, help_text="The last row done of the subject.")
    accounts_total = models.PositiveIntegerField(default=0)
    people_total = models.PositiveIntegerField(default=0)
    accounts_done = models.PositiveIntegerField(default=0)
    people_done = models.PositiveIntegerField(default=0)
    accounts_changed = models.PositiveIntegerField(default=0)
    people_changed = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = ScoringRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(status__in=["queued", "running"]), name="scoringrun_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["done", "failed"]) | Q(finished_at__isnull=False),
                name="scoringrun_ended_has_timestamp",
            ),
        ]
        indexes = [models.Index(fields=["organization", "created_at"], name="scoringrun_by_creation")]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.cause}"

    @property
    def is_active(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def total(self) -> int:
        return self.accounts_total + self.people_total

    @property
    def done(self) -> int:
        return self.accounts_done + self.people_done

    @property
    def changed(self) -> int:
        return self.accounts_changed + self.people_changed

    def begin_again(self, *, cause: str, rules_version: int, accounts_total: int, people_total: int) -> None:
        """Start from the first row with the rules as they are now. Not saved."""
        self.cause, self.rules_version = cause[:120], rules_version
        self.subject, self.cursor = Subject.ACCOUNT, None
        self.accounts_total, self.people_total = accounts_total, people_total
        self.accounts_done = self.people_done = self.accounts_changed = self.people_changed = 0

    def claim(self, now: datetime) -> UUID | None:
        """Take the run for ``LEASE``; the token to keep it with, or ``None`` when another worker has it."""
        token = uuid4()
        taken = (
            ScoringRun.objects.due(now)
            .filter(pk=self.pk)
            .update(
                status=self.Status.RUNNING,
                lease_token=token,
                leased_until=now + self.LEASE,
                started_at=self.started_at or now,
                attempts=F("attempts") + 1,
                updated_at=now,
            )
        )
        return token if taken else None
