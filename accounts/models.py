"""Target companies: an ``Account`` belongs to the organization, a ``TargetAccount`` ties it to one show."""

from typing import Any

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.querysets import TargetAccountQuerySet
from common.models import TenantForeignKey, TenantModel, WebAddressField
from common.text import company_key, domain_key, normalise
from events.models import Event
from identity.models import User


class Tag(TenantModel):
    """A free label for accounts and people."""

    name = models.CharField(max_length=60)
    name_norm = models.CharField(max_length=60, editable=False)

    class Meta:
        ordering = ["name_norm"]
        constraints = [models.UniqueConstraint(fields=["organization", "name_norm"], name="tag_once_per_organization")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_norm = normalise(self.name)
        super().save(*args, **kwargs)


@pghistory.track(
    pghistory.UpdateEvent(row="OLD"),
    pghistory.DeleteEvent(),
    exclude=["search_text", "name_norm", "name_key", "updated_at"],
)
class Account(TenantModel):
    """A company we may sell to. ``name_norm`` is sorted and searched, ``name_key`` and ``domain`` find duplicates."""

    name = models.CharField(max_length=300)
    name_norm = models.CharField(max_length=300, editable=False)
    name_key = models.CharField(max_length=300, editable=False)
    website = WebAddressField(max_length=500, blank=True)
    domain = models.CharField(max_length=255, blank=True, editable=False)
    industry = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    headquarters = models.CharField(max_length=300, blank=True)
    street = models.CharField(max_length=300, blank=True)
    postal_code = models.CharField(max_length=40, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    linkedin = WebAddressField(max_length=500, blank=True)
    revenue = models.DecimalField("annual revenue (USD)", max_digits=15, decimal_places=2, null=True, blank=True)
    employee_count = models.PositiveIntegerField("employees", null=True, blank=True)
    notes = models.TextField(blank=True)
    source = models.CharField(max_length=120, blank=True)
    owner = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    tags = models.ManyToManyField(Tag, through="accounts.AccountTag", related_name="accounts")
    search_text = models.TextField(blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="account_has_a_name"),
            models.CheckConstraint(
                condition=Q(revenue=None) | Q(revenue__gte=0),
                name="account_revenue_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_norm", "id"], name="account_by_name"),
            models.Index(fields=["organization", "name_key"], name="account_by_name_key"),
            models.Index(fields=["organization", "domain"], name="account_by_domain"),
            models.Index(fields=["organization", "owner"], name="account_by_owner"),
            models.Index(fields=["organization", "created_at", "id"], name="account_by_creation"),
            GinIndex(
                fields=["organization", "search_text"], opclasses=["uuid_ops", "gin_trgm_ops"], name="account_search"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def derive(self) -> None:
        """Fill the columns that are computed from others."""
        self.name_norm = normalise(self.name)[:300]
        self.name_key = company_key(self.name)[:300]
        self.domain = domain_key(self.website)
        self.search_text = " ".join(filter(None, [self.name_norm, self.domain, normalise(self.city)]))


class AccountTag(TenantModel):
    account = TenantForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    tag = TenantForeignKey(Tag, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "tag"], name="accounttag_once")]


class Tier(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    C = "C", "C"
    D = "D", "D"


@pghistory.track(
    pghistory.UpdateEvent(
        row="OLD",
        condition=pghistory.AnyChange("tier", "status", "stage", "owner", "notes"),
    ),
    pghistory.DeleteEvent(),
    exclude=["icp_score", "icp_reasons", "proposed_tier", "updated_at"],
)
class TargetAccount(TenantModel):
    """An account at one show: what we think of it there, how far we are, and who looks after it."""

    class Status(models.TextChoices):
        PROSPECTING = "PROSPECTING", "Prospecting"
        ENGAGED = "ENGAGED", "Engaged"
        MEETING_SCHEDULED = "MEETING_SCHEDULED", "Meeting scheduled"
        WON = "WON", "Won"
        LOST = "LOST", "Lost"

    class Stage(models.TextChoices):
        LEAD = "Lead", "Lead"
        QUALIFIED = "Qualified", "Qualified"
        BOOKED = "Booked", "Booked"
        CHECKED_IN = "Checked In", "Checked in"
        NO_SHOW = "No Show", "No-show"

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="targets", db_index=False)
    account = TenantForeignKey(Account, on_delete=models.CASCADE, related_name="targets", db_index=False)
    tier = models.CharField(max_length=1, choices=Tier, blank=True)
    status = models.CharField(max_length=20, choices=Status, blank=True, default=Status.PROSPECTING)
    stage = models.CharField(max_length=12, choices=Stage, blank=True, default=Stage.LEAD)
    owner = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    notes = models.TextField(blank=True)
    icp_score = models.PositiveSmallIntegerField("ICP score", null=True, blank=True)
    icp_reasons = models.JSONField(default=list, blank=True)
    proposed_tier = models.CharField(max_length=1, choices=Tier, blank=True)
    name_norm = models.CharField(
        max_length=300,
        editable=False,
        help_text="The account's, so that the list sorts here.",
    )

    objects = TargetAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "account"], name="targetaccount_once_per_event"),
            models.CheckConstraint(
                condition=Q(icp_score=None) | Q(icp_score__lte=100),
                name="targetaccount_score_up_to_100",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "event", "name_norm", "id"],
                name="target_by_name",
            ),
            models.Index(
                fields=["organization", "event", "icp_score", "id"],
                name="target_by_score",
            ),
            models.Index(fields=["organization", "event", "created_at", "id"], name="target_by_creation"),
            models.Index(fields=["organization", "event", "tier"], name="target_by_tier"),
            models.Index(fields=["organization", "updated_at", "id"], name="target_by_change"),
            models.Index(fields=["organization", "event", "status"], name="target_by_status"),
            models.Index(fields=["organization", "event", "owner"], name="target_by_owner"),
            models.Index(fields=["organization", "account"], name="target_by_account"),
        ]

    def __str__(self) -> str:
        return self.name_norm

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_norm = self.account.name_norm
        super().save(*args, **kwargs)


class Stand(TenantModel):
    """One stand of an account at a show; a company may have several."""

    target = TenantForeignKey(TargetAccount, on_delete=models.CASCADE, related_name="stands")
    hall = models.CharField(max_length=80, blank=True)
    number = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["hall", "number"]
        constraints = [models.UniqueConstraint(fields=["target", "hall", "number"], name="stand_once_per_target")]
        indexes = [models.Index(fields=["organization", "hall"], name="stand_by_hall")]

    def __str__(self) -> str:
        return " · ".join(filter(None, [self.hall, self.number]))


class BulkJob(TenantModel):
    """One action on many rows, done in the background chunk by chunk; ``after`` is how far it has come.

    The rows are those of ``ids``, or else all that the list's ``query`` finds and that were there when it was asked.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    subject = models.CharField(max_length=20)
    action = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True)
    query = models.TextField(blank=True)
    ids = ArrayField(models.UUIDField(), default=list, blank=True)
    event = TenantForeignKey(Event, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=12, choices=Status, default=Status.WAITING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, blank=True, help_text="How many rows were left out, by reason.")
    after = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    file_name = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["leased_until"], condition=Q(status__in=["waiting", "running"]), name="bulkjob_to_be_done"
            ),
            models.Index(fields=["organization", "created_at"], name="bulkjob_by_creation"),
        ]

    def __str__(self) -> str:
        return f"{self.action} on {self.total} {self.subject}"

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why rows were left out, the most frequent reason first."""
        return sorted(self.left_out.items(), key=lambda pair: -pair[1])

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED}


class JobFile(TenantModel):
    """A part of the file a job made. Kept in the database, so that every web host can hand it out."""

    job = TenantForeignKey(BulkJob, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="jobfile_part_once")]

    def __str__(self) -> str:
        return f"Part {self.number}"
