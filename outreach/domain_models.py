"""The domains an organization sends from: what their DNS says, and who lets them send in spite of it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from common.models import TenantForeignKey, TenantModel
from common.querysets import TenantQuerySet
from identity.models import User
from outreach.mailbox_models import Mailbox


class SendingDomainQuerySet(TenantQuerySet["SendingDomain"]):
    def in_use(self) -> Self:
        """Those that a mailbox sends from."""
        used = Mailbox.objects.in_use().filter(organization=OuterRef("organization"), from_domain=OuterRef("domain"))
        return self.filter(Exists(used))

    def with_override(self) -> Self:
        """Adds ``is_overridden``."""
        return self.annotate(is_overridden=Exists(DomainOverride.objects.filter(domain=OuterRef("pk"), ended_at=None)))


class SendingDomain(TenantModel):
    """A domain behind the sender address of a mailbox, as its last check found it.

    ``findings`` are those of ``outreach.domain_checks``, as JSON. A check that nobody answered keeps the state.
    """

    class State(models.TextChoices):
        UNCHECKED = "unchecked", "Not checked yet"
        PASSED = "passed", "Ready to send"
        FAILED = "failed", "Not ready"

    domain = models.CharField(max_length=253)
    state = models.CharField(max_length=10, choices=State, default=State.UNCHECKED)
    findings = models.JSONField(default=list, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When a person last asked for a check.")
    checked_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is in this state.")
    dkim_selector = models.CharField("DKIM selector", max_length=63, blank=True)

    objects = SendingDomainQuerySet.as_manager()  # type: ignore[misc]  # a cycle of modules hides it from the plugin

    class Meta:
        ordering = ["domain"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "domain"], name="sendingdomain_once_per_organization"),
            models.CheckConstraint(
                condition=Q(state__in=["unchecked", "passed", "failed"]), name="sendingdomain_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def is_being_checked(self) -> bool:
        """A person has asked for a check that is not done."""
        return self.asked_at is not None and (self.checked_at is None or self.checked_at < self.asked_at)


class DomainOverride(TenantModel):
    """While such a row is open, the domain sends though its checks do not pass. Kept after it was ended.

    ``made_by`` is empty for what the upgrade made, which began to check domains that had long been sending.
    """

    domain = TenantForeignKey(SendingDomain, on_delete=models.CASCADE, related_name="overrides", db_index=False)
    reason = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=Q(ended_at=None), name="domainoverride_one_open"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("made_at")), name="domainoverride_ended_later"
            ),
        ]
        indexes = [models.Index(fields=["organization", "domain", "made_at"], name="domainoverride_by_domain")]

    def __str__(self) -> str:
        return self.reason
