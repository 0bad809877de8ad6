"""What keeps mail from leaving by decision: an account that is held, and the switches of an organization and of all."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import Account, TargetAccount
from common.models import TenantForeignKey, TenantModel
from common.querysets import TenantQuerySet
from events.models import Event
from identity.models import User
from people.models import Person


class AccountHoldQuerySet(TenantQuerySet["AccountHold"]):
    def active(self, now: datetime) -> Self:
        return self.filter(Q(until=None) | Q(until__gt=now), lifted_at=None)

    def for_owner(self, user: User) -> Self:
        """At accounts that ``user`` owns, as such or at a show, and at those that nobody owns."""
        owned = TargetAccount.objects.filter(
            organization_id=OuterRef("organization_id"), account=OuterRef("account"), owner__isnull=False
        )
        nobody = ~Exists(owned) & Q(account__owner=None)
        return self.filter(Exists(owned.filter(owner=user)) | Q(account__owner=user) | nobody)

    def with_outlook(self, event: Event | None) -> Self:
        """With ``owner_name`` (at the show, else of the account), and ``mails``, how many planned mails wait."""
        here = TargetAccount.objects.filter(
            organization_id=OuterRef("organization_id"), account=OuterRef("account"), event=event
        )
        planned = apps.get_model("outreach", "Message")._default_manager.filter(
            Q(enrollment_id__isnull=False) | Q(campaign__isnull=False),
            organization_id=OuterRef("organization_id"), person__account=OuterRef("account"),
            state__in=["planned", "queued"], due_at__isnull=False,
        )  # fmt: skip
        counted = planned.order_by().values("person__account").annotate(number=Count("pk")).values("number")
        return self.annotate(
            owner_name=Coalesce(Subquery(here.values("owner__name")[:1]), F("account__owner__name"), Value("")),
            mails=Coalesce(Subquery(counted, output_field=models.IntegerField()), 0),
        )


class AccountHold(TenantModel):
    """No automatic mail to anybody at the account until its owner decides. Kept after it was lifted."""

    class Cause(models.TextChoices):
        REPLY = "reply", "Somebody answered"
        MEETING = "meeting", "A meeting is booked"
        SCAN = "scan", "Somebody came to the booth"
        OPT_OUT = "opt_out", "Somebody asked us to stop"
        MANUAL = "manual", "Held by a member"

    account = TenantForeignKey(Account, on_delete=models.CASCADE, related_name="holds", db_index=False)
    person = TenantForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    cause = models.CharField(max_length=10, choices=Cause)
    reason = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lift_reason = models.CharField(max_length=300, blank=True)

    objects = AccountHoldQuerySet.as_manager()  # type: ignore[misc]  # a cycle of modules hides it from the plugin

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(lifted_at=None), name="accounthold_once_while_held"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=["reply", "meeting", "scan", "opt_out", "manual"]), name="accounthold_cause_known"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("since")), name="accounthold_lifted_later"
            ),
        ]
        indexes = [models.Index(fields=["organization", "account", "since"], name="accounthold_by_account")]

    def __str__(self) -> str:
        return f"{self.get_cause_display()}: {self.reason}" if self.reason else self.get_cause_display()


class SendStop(TenantModel):
    """While such a row is open, nothing leaves the organization. Kept after it was ended: it is the record of the stop."""

    stopped_at = models.DateTimeField()
    stopped_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-stopped_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(ended_at=None), name="sendstop_once_per_organization"
            )
        ]

    def __str__(self) -> str:
        return self.reason


class Installation(models.Model):
    """The one row about sending from this database as a whole.

    ``epoch`` says which installation the database belongs to; a worker whose ``EVENTOPS_SEND_EPOCH`` differs sends
    nothing, so a restored or copied database cannot write to anybody before a person has looked.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    epoch = models.CharField(max_length=64, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one")]

    def __str__(self) -> str:
        return self.epoch or "installation"
