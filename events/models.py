"""The shows: when and where they are, our booth, what we want from them and what they cost."""

from datetime import date
from zoneinfo import ZoneInfo

import pghistory
from django.db import models
from django.db.models import F, Q

from common.models import TenantForeignKey, TenantModel, WebAddressField
from events.querysets import EventQuerySet
from identity.models import User


@pghistory.track(pghistory.UpdateEvent(row="OLD"), pghistory.DeleteEvent())
class Event(TenantModel):
    """A show or conference. Its dates are days in its own time zone."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    starts_on = models.DateField()
    ends_on = models.DateField()
    time_zone = models.CharField(max_length=64, default="UTC")
    venue = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=80, blank=True)
    website = WebAddressField(blank=True)
    booth = models.CharField("our booth", max_length=60, blank=True)
    goal_meetings = models.PositiveIntegerField("meetings to hold", default=0)
    goal_leads = models.PositiveIntegerField("leads to capture", default=0)
    notes = models.TextField(blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="event_name_once_per_organization"),
            models.UniqueConstraint(fields=["organization", "slug"], name="event_slug_once_per_organization"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="event_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["organization", "starts_on"], name="event_by_date")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def days(self) -> list[date]:
        """Every day of the show, first to last."""
        return [date.fromordinal(n) for n in range(self.starts_on.toordinal(), self.ends_on.toordinal() + 1)]


class EventCost(TenantModel):
    """One item of what a show costs, in the organization's currency."""

    class Kind(models.TextChoices):
        BOOTH = "booth", "Booth space"
        CONSTRUCTION = "construction", "Stand construction"
        TRAVEL = "travel", "Travel and hotels"
        STAFF = "staff", "Staff"
        MARKETING = "marketing", "Marketing"
        SPONSORSHIP = "sponsorship", "Sponsorship"
        OTHER = "other", "Other"

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="costs")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.OTHER)
    description = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["kind", "created_at"]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="eventcost_not_negative")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.amount}"
