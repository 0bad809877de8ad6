"""A list on its way in: the file, what its columns mean, its rows while they wait, and what became of each."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.models import TenantForeignKey, TenantModel
from common.querysets import TenantQuerySet
from events.models import Event
from identity.models import Organization, User


class ListImport(TenantModel):
    """One file on its way to accounts and people. The counts of a checked import foretell, of a finished one tell."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Ready to run"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"
        UNDOING = "undoing", "Being taken back"
        UNDONE = "undone", "Taken back"

    class Phase(models.TextChoices):
        """How far a check or a run has come; a worker that takes over goes on from here."""

        READ = "read", "Reading the file"
        GROUP = "group", "Looking for repeated rows"
        PEOPLE = "rows", "Companies and people"
        UNDO = "undo", "Taking it back"

    class Mode(models.TextChoices):
        BOTH = "both", "Create new and update existing"
        CREATE = "create", "Only create new"
        UPDATE = "update", "Only update existing"

    AT_WORK = (Status.CHECKING, Status.RUNNING, Status.UNDOING)

    event = TenantForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    file_name = models.CharField(max_length=255)
    file_bytes = models.BigIntegerField()
    file_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.READ)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.BOTH)
    layout = models.JSONField(default=dict, help_text="encoding, delimiter, sheet, header_row")
    sheets = models.JSONField(default=list, blank=True)
    headers = models.JSONField(default=list, blank=True)
    headers_key = models.CharField(max_length=64, blank=True, help_text="Finds the mapping of an earlier file.")
    sample = models.JSONField(default=list, blank=True, help_text="The cells of the first rows.")
    mapping = models.JSONField(default=list, blank=True, help_text="Per column: target and policy.")
    mapped_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0, help_text="Rows the present phase has behind it.")
    rows_ahead = models.JSONField(
        default=list, blank=True, help_text="Stretches of rows, [low, high], done before those in front of them."
    )
    companies_done = models.PositiveIntegerField(default=0, help_text="Rows whose companies are settled.")
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    rows_repeated = models.PositiveIntegerField(default=0, help_text="Rows about somebody an earlier row was about.")
    rows_cleaned = models.PositiveIntegerField(default=0, help_text="Rows with a value that was not one.")
    accounts_created = models.PositiveIntegerField(default=0)
    accounts_updated = models.PositiveIntegerField(default=0)
    people_created = models.PositiveIntegerField(default=0)
    people_updated = models.PositiveIntegerField(default=0)
    worker = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    people_removed = models.PositiveIntegerField(default=0)
    accounts_removed = models.PositiveIntegerField(default=0)
    records_put_back = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="finished")
                | Q(rows_total=F("rows_created") + F("rows_updated") + F("rows_unchanged") + F("rows_rejected")),
                name="listimport_every_row_accounted",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "created_at"], name="listimport_by_creation"),
            models.Index(fields=["organization", "headers_key", "mapped_at"], name="listimport_by_headers"),
            models.Index(
                fields=["leased_until"],
                name="listimport_at_work",
                condition=Q(status__in=["checking", "running", "undoing"]),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def look(self) -> str:
        """The status word of the shared palette (``common.tones``)."""
        looks = {
            "checking": "processing", "checked": "preview", "running": "importing",
            "undoing": "processing", "undone": "cancelled",
        }  # fmt: skip
        return looks.get(self.status, self.status)

    @property
    def rows_settled(self) -> int:
        """How many rows have found their end so far."""
        return self.rows_created + self.rows_updated + self.rows_unchanged + self.rows_rejected

    @property
    def is_at_work(self) -> bool:
        return self.status in self.AT_WORK


class ImportBlock(TenantModel):
    """A piece of the original file. It lies in the database because web and workers may be on different hosts."""

    list_import = TenantForeignKey(ListImport, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["list_import", "number"], name="importblock_once")]


class Outcome(models.TextChoices):
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    REJECTED = "rejected", "Rejected"


class StagedModel(models.Model):
    """A row of an import that is under way: many, narrow, written in bulk, gone with their import."""

    # The composite key to the import holds the organization; a second check per row would only cost.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


class ImportCompany(StagedModel):
    """A company of the file, however many rows name it; the first row that says something wins.

    ``key`` is its name without spaces and legal form, a bar, and the label of its web domain: two companies of one
    name with different sites stay two.
    """

    pk = models.CompositePrimaryKey("list_import_id", "key")
    list_import = TenantForeignKey(ListImport, on_delete=models.CASCADE, related_name="companies", db_index=False)
    key = models.TextField()
    first_row = models.PositiveIntegerField()
    name_key = models.TextField()
    domain = models.TextField(blank=True, default="")
    data = models.JSONField()
    target = models.JSONField(default=dict)
    tags = ArrayField(models.TextField(), default=list)
    same_as = models.TextField(blank=True, default="", help_text="The key of the company this one turned out to be.")
    account_id = models.UUIDField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    resembles = models.TextField(
        blank=True, default="", help_text="An account that may be the same, for a person to judge."
    )

    class Meta:
        indexes = [
            models.Index(fields=["list_import", "first_row"], name="importcompany_by_row"),
            models.Index(fields=["organization", "account_id"], name="importcompany_by_account"),
        ]


class ImportRow(StagedModel):
    """One row of the file. ``first_row`` names the earlier row about the same person, if there is one."""

    pk = models.CompositePrimaryKey("list_import_id", "row_no")
    list_import = TenantForeignKey(ListImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row_no = models.PositiveIntegerField(help_text="1 for the first row below the header.")
    line = models.PositiveIntegerField(help_text="Where the row starts in the file.")
    company_key = models.TextField(null=True)
    domain = models.TextField(blank=True, default="", help_text="Names the company when its name is missing.")
    hall = models.TextField(blank=True, default="")
    stand = models.TextField(blank=True, default="")
    person = models.JSONField(null=True)
    emails = ArrayField(models.TextField(), default=list, help_text="As written; the first is the primary one.")
    emails_norm = ArrayField(models.TextField(), default=list)
    tags = ArrayField(models.TextField(), default=list)
    excerpt = models.TextField(blank=True, default="", help_text="The beginning of a row that could not be read.")
    cleaned = models.JSONField(null=True, help_text="[column, value, why] of each value that was not one.")
    first_row = models.PositiveIntegerField(null=True)
    reason = models.TextField(blank=True, default="", help_text="Why the row is rejected, or what to know about it.")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    person_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "person_id"], name="importrow_by_person")]

    def shown(self) -> dict[str, Any]:
        """The person's values as a page lists them."""
        return self.person or {}
