"""The people at the target companies: how to reach them and what they are responsible for."""

from typing import Any

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Q, Value

from accounts.models import Account, Tag
from common.models import TenantForeignKey, TenantModel, WebAddressField
from common.text import email_key, normalise
from identity.models import Organization, User
from people.import_models import ImportBlock, ImportCompany, ImportRow, ListImport, Outcome
from people.querysets import PersonQuerySet

__all__ = [
    "PERSONA_FLAGS",
    "ContactBasis",
    "ImportBlock",
    "ImportCompany",
    "ImportRow",
    "ListImport",
    "MailDomain",
    "Outcome",
    "Person",
    "PersonEmail",
    "PersonTag",
]

PERSONA_FLAGS = {
    "is_exec_ops": "Executive operations",
    "is_ops": "Operations",
    "is_proc": "Procurement",
    "is_sales": "Sales",
    "is_tech": "Technology",
    "is_non_ops": "Outside operations",
}
"""The six persona flags of a person and how a page names them."""


class ContactBasis(models.TextChoices):
    """Why we may write to a person (GDPR, article 6), or that we may not (articles 18 and 21)."""

    INTEREST = "interest", "Legitimate interest"
    CONSENT = "consent", "Consent"
    CONTRACT = "contract", "Customer or partner"
    OBJECTED = "objected", "Objected: do not contact"
    RESTRICTED = "restricted", "Restricted: do not contact"

    @property
    def allows_contact(self) -> bool:
        return self not in {ContactBasis.OBJECTED, ContactBasis.RESTRICTED}


@pghistory.track(
    pghistory.UpdateEvent(row="OLD"),
    pghistory.DeleteEvent(),
    exclude=[
        "search_text",
        "name_norm",
        "email_norm",
        "email_domain",
        "icp_score",
        "icp_reasons",
        "updated_at",
        "import_id",
    ],
)
class Person(TenantModel):
    """A contact. ``email`` is the primary address; all addresses, the primary one included, are ``PersonEmail`` rows."""

    account = TenantForeignKey(
        Account,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="people",
        db_index=False,
    )
    name = models.CharField(max_length=200)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    name_norm = models.CharField(max_length=200, editable=False)
    title = models.CharField("job title", max_length=200, blank=True)
    seniority = models.CharField(max_length=40, blank=True)
    department = models.CharField(max_length=100, blank=True)
    email = models.CharField("e-mail", max_length=254, blank=True)
    email_norm = models.CharField(max_length=254, blank=True, editable=False)
    email_domain = models.GeneratedField(
        expression=Func("email_norm", Value("@"), Value(2), function="split_part"),
        output_field=models.CharField(max_length=254),
        db_persist=True,
    )
    phone = models.CharField(max_length=60, blank=True)
    mobile = models.CharField(max_length=60, blank=True)
    linkedin = WebAddressField("LinkedIn", max_length=500, blank=True)
    city = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=80, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    notes = models.TextField(blank=True)
    source = models.CharField(max_length=120, blank=True)
    import_id = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The import they came with, and its entry on the timeline."
    )
    is_exec_ops = models.BooleanField(PERSONA_FLAGS["is_exec_ops"], default=False)
    is_ops = models.BooleanField(PERSONA_FLAGS["is_ops"], default=False)
    is_proc = models.BooleanField(PERSONA_FLAGS["is_proc"], default=False)
    is_sales = models.BooleanField(PERSONA_FLAGS["is_sales"], default=False)
    is_tech = models.BooleanField(PERSONA_FLAGS["is_tech"], default=False)
    is_non_ops = models.BooleanField(PERSONA_FLAGS["is_non_ops"], default=False)
    contact_basis = models.CharField(
        "may be contacted because of",
        max_length=10,
        choices=ContactBasis,
        default=ContactBasis.INTEREST,
        db_default=ContactBasis.INTEREST,
        help_text="Who objected, or whose data is restricted, gets no mail at all.",
    )
    icp_score = models.PositiveSmallIntegerField("ICP score", null=True, blank=True)
    icp_reasons = models.JSONField(default=list, blank=True)
    next_touchpoint_on = models.DateField("next touchpoint", null=True, blank=True)
    owner = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    tags = models.ManyToManyField(Tag, through="people.PersonTag", related_name="people")
    search_text = models.TextField(blank=True, editable=False)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="person_has_a_name"),
            models.CheckConstraint(
                condition=Q(icp_score=None) | Q(icp_score__lte=100),
                name="person_score_up_to_100",
            ),
            models.CheckConstraint(
                condition=Q(contact_basis__in=["interest", "consent", "contract", "objected", "restricted"]),
                name="person_contact_basis_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_norm", "id"], name="person_by_name"),
            models.Index(fields=["organization", "icp_score", "id"], name="person_by_score"),
            models.Index(fields=["organization", "account"], name="person_by_account"),
            models.Index(fields=["organization", "email_norm"], name="person_by_email"),
            models.Index(fields=["organization", "email_domain"], name="person_by_email_domain"),
            models.Index(fields=["organization", "owner"], name="person_by_owner"),
            models.Index(fields=["organization", "created_at", "id"], name="person_by_creation"),
            GinIndex(
                fields=["organization", "search_text"], opclasses=["uuid_ops", "gin_trgm_ops"], name="person_search"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def nearest_country(self) -> str:
        """Their country, or that of their company when theirs is not known; empty when neither is."""
        return self.country or (self.account.country if self.account else "")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def derive(self) -> None:
        """Fill the columns that are computed from others. The company's name is read from ``account``."""
        self.name_norm = normalise(self.name)[:200]
        self.email_norm = email_key(self.email)
        company = self.account.name_norm if self.account else ""
        self.search_text = " ".join(filter(None, [self.name_norm, self.email_norm, normalise(self.title), company]))

    @property
    def may_be_contacted(self) -> bool:
        return ContactBasis(self.contact_basis).allows_contact

    @property
    def personas(self) -> list[str]:
        return [label for flag, label in PERSONA_FLAGS.items() if getattr(self, flag)]


class PersonEmail(TenantModel):
    """One address of a person. An address names at most one person of an organization."""

    # The composite key to the person holds the organization; a second check per row would only cost.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="emails", db_index=False)
    email = models.CharField(max_length=254)
    email_norm = models.CharField(max_length=254, editable=False)
    is_primary = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_primary", "email_norm"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email_norm"],
                name="personemail_once_per_organization",
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(is_primary=True),
                name="personemail_one_primary_per_person",
            ),
            models.CheckConstraint(condition=~Q(email_norm=""), name="personemail_not_empty"),
        ]
        indexes = [models.Index(fields=["organization", "person"], name="personemail_by_person")]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_norm = email_key(self.email)
        super().save(*args, **kwargs)


class MailDomain(TenantModel):
    """A domain of our people's addresses. ``receives`` is empty until the DNS has said whether it takes mail."""

    domain = models.CharField(max_length=254)
    receives = models.BooleanField(null=True, blank=True)
    is_disposable = models.BooleanField(default=False)
    meant = models.CharField(max_length=254, blank=True, help_text="The great domain it is one slip away from.")
    asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "domain"], name="maildomain_once")]
        indexes = [models.Index(fields=["asked_at"], name="maildomain_by_age")]

    def __str__(self) -> str:
        return self.domain


class PersonTag(TenantModel):
    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    tag = TenantForeignKey(Tag, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "tag"], name="persontag_once")]
