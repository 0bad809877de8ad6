"""Running sums over messages, meetings and people, so that a dashboard reads hundreds of rows instead of millions.

Triggers (migrations ``0002`` and ``0005``) append a row of differences with every change, inside its transaction; nobody waits
for a counter. The sum over all rows of a key is always exact. A worker folds the differences into one settled row per
key (``analytics.folding``), which changes no sum. Nothing but the triggers and the folding writes here.
"""

from django.db import models
from django.db.models import Q

from common.querysets import TenantQuerySet


class Tally(models.Model):
    """``event`` and ``account`` are plain ids: a row of differences may outlive what it counts, and then sums to zero.

    The indexes that rows of differences enter do not name the account: those rows then land at the end of each index,
    which makes a difference several times cheaper to write.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "identity.Organization", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    settled = models.BooleanField(default=False, db_default=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


class MessageTally(Tally):
    """Messages by show, day of sending (UTC; None: not sent) and status."""

    event_id = models.UUIDField(null=True)
    day = models.DateField(null=True)
    status = models.CharField(max_length=10)
    messages = models.IntegerField(default=0, db_default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    opened = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "event_id", "day", "status"],
                condition=Q(settled=True),
                nulls_distinct=False,
                name="messagetally_settled_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "event_id"], name="messagetally_by_event"),
            models.Index(fields=["id"], condition=Q(settled=False), name="messagetally_to_fold"),
        ]


class AccountTally(Tally):
    """What happened with an account at a show: whether it is targeted there, messages by how far they got, meetings that
    stand, are agreed, were held."""

    event_id = models.UUIDField(null=True)
    account_id = models.UUIDField()
    targets = models.IntegerField(default=0, db_default=0)
    messages = models.IntegerField(default=0, db_default=0)
    sent = models.IntegerField(default=0, db_default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    opened = models.IntegerField(default=0, db_default=0)
    replied = models.IntegerField(default=0, db_default=0)
    meetings = models.IntegerField(default=0, db_default=0)
    booked = models.IntegerField(default=0, db_default=0)
    held = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "event_id", "account_id"],
                condition=Q(settled=True),
                nulls_distinct=False,
                name="accounttally_settled_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "event_id"], name="accounttally_of_event"),
            models.Index(fields=["id"], condition=Q(settled=False), name="accounttally_to_fold"),
        ]


class PeopleTally(Tally):
    """People by account (None: of no account)."""

    account_id = models.UUIDField(null=True)
    people = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "account_id"],
                condition=Q(settled=True),
                nulls_distinct=False,
                name="peopletally_settled_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization"], name="peopletally_of_org"),
            models.Index(fields=["id"], condition=Q(settled=False), name="peopletally_to_fold"),
        ]
