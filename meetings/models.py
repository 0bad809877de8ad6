"""Meetings at the show: who sits with whom, when, at which table of our booth, and what came of it."""

from datetime import UTC, date, datetime, time, timedelta

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Account
from common.models import TenantForeignKey, TenantModel
from common.ranges import TsTzRange
from events.models import Event
from identity.models import User
from meetings.querysets import MeetingQuerySet
from people.models import Person


class Schedule(TenantModel):
    """When the booth is open on every day of a show, and how long a slot is. Times are the show's own."""

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    opens_at = models.TimeField("booth opens", default=time(9))
    closes_at = models.TimeField("booth closes", default=time(18))
    slot_minutes = models.PositiveSmallIntegerField("minutes per slot", default=30)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event"], name="schedule_once_per_event"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="schedule_closes_after_it_opens"),
            models.CheckConstraint(
                condition=Q(slot_minutes__gte=5, slot_minutes__lte=240), name="schedule_slot_is_sensible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opens_at:%H:%M}\N{EN DASH}{self.closes_at:%H:%M}"

    def slots(self, day: date) -> list[datetime]:
        """The beginnings of the slots of a day, in the show's zone."""
        zone = self.event.zone
        slot = datetime.combine(day, self.opens_at, tzinfo=zone).astimezone(UTC)
        end = datetime.combine(day, self.closes_at, tzinfo=zone)
        step = timedelta(minutes=self.slot_minutes)
        found = []
        while slot + step <= end:
            found.append(slot.astimezone(zone))
            slot += step
        return found


class BoothTable(TenantModel):
    """A place at our booth where a meeting can be held."""

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="booth_tables")
    name = models.CharField(max_length=60)
    seats = models.PositiveSmallIntegerField(default=4)
    is_active = models.BooleanField("can be booked", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["event", "name"], name="boothtable_name_once_per_event"),
            models.CheckConstraint(condition=~Q(name=""), name="boothtable_has_a_name"),
            models.CheckConstraint(condition=Q(seats__gte=1), name="boothtable_has_a_seat"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(pghistory.UpdateEvent(row="OLD"), pghistory.DeleteEvent(), exclude=["updated_at"])
class Meeting(TenantModel):
    """A span of time with a person of an account. No rep and no table sits in two meetings at once: see the constraints."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        CONFIRMED = "confirmed", "Confirmed"
        CHECKED_IN = "checked_in", "Checked in"
        HELD = "held", "Held"
        NO_SHOW = "no_show", "No-show"
        CANCELLED = "cancelled", "Cancelled"

    class Type(models.TextChoices):
        INTRO = "INTRO", "Introduction"
        DEMO = "DEMO", "Demo"
        DISCOVERY = "DISCOVERY", "Discovery"
        NEGOTIATION = "NEGOTIATION", "Negotiation"
        FOLLOW_UP = "FOLLOW_UP", "Follow-up"
        EXECUTIVE = "EXECUTIVE", "Executive"
        OTHER = "OTHER", "Other"

    OCCUPYING = (Status.REQUESTED, Status.CONFIRMED, Status.CHECKED_IN, Status.HELD)
    UPCOMING = (Status.REQUESTED, Status.CONFIRMED)

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="meetings", db_index=False)
    account = TenantForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="meetings", db_index=False
    )
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    location = models.CharField(max_length=200, blank=True)
    table = TenantForeignKey(
        BoothTable, on_delete=models.RESTRICT, null=True, blank=True, related_name="meetings", db_index=False
    )
    rep = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.REQUESTED)
    meeting_type = models.CharField("kind", max_length=12, choices=Type, default=Type.INTRO)
    notes = models.TextField(blank=True)
    outcome = models.TextField(blank=True, help_text="What was agreed, and what happens next.")
    checked_in_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)
    sequence = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counts the changes a calendar must be told (RFC 5545, 3.8.7.4)."
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="meeting_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("starts_at") + timedelta(hours=24)), name="meeting_lasts_at_most_a_day"
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at=None)),
                name="meeting_cancelled_has_timestamp",
            ),
            ExclusionConstraint(
                name="meeting_rep_sits_in_one_at_a_time",
                expressions=[
                    ("organization", RangeOperators.EQUAL),
                    ("rep", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=["requested", "confirmed", "checked_in", "held"]),
            ),
            ExclusionConstraint(
                name="meeting_table_holds_one_at_a_time",
                expressions=[
                    ("organization", RangeOperators.EQUAL),
                    ("table", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=["requested", "confirmed", "checked_in", "held"]),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "event", "starts_at", "id"], name="meeting_by_time"),
            models.Index(fields=["organization", "event", "status"], name="meeting_by_status"),
            models.Index(fields=["organization", "account"], name="meeting_by_account"),
            models.Index(fields=["organization", "rep", "starts_at"], name="meeting_by_rep"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def local_start(self) -> datetime:
        """The beginning on the show's clocks."""
        return self.starts_at.astimezone(self.event.zone)

    @property
    def local_end(self) -> datetime:
        return self.ends_at.astimezone(self.event.zone)

    @property
    def where(self) -> str:
        """The table, the place in words, or both."""
        return " · ".join(filter(None, [self.table.name if self.table else "", self.location]))

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= timezone.now()

    @property
    def has_come(self) -> bool:
        """Whether its day is here, by the clocks of the show: somebody may come to the booth for it."""
        return self.local_start.date() <= timezone.now().astimezone(self.event.zone).date()

    @property
    def is_open(self) -> bool:
        """Whether it can still happen."""
        return self.status in (*self.UPCOMING, self.Status.CHECKED_IN)


class Attendee(TenantModel):
    """Somebody from the other side of the table."""

    class Response(models.TextChoices):
        WAITING = "waiting", "No answer yet"
        ACCEPTED = "accepted", "Accepted"
        TENTATIVE = "tentative", "Tentative"
        DECLINED = "declined", "Declined"

    meeting = TenantForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendees")
    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="attendances", db_index=False)
    is_primary = models.BooleanField(default=False)
    response = models.CharField(max_length=12, choices=Response, default=Response.WAITING)

    class Meta:
        ordering = ["-is_primary", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "person"], name="attendee_once_per_meeting"),
            models.UniqueConstraint(
                fields=["meeting"], condition=Q(is_primary=True), name="attendee_one_primary_per_meeting"
            ),
        ]
        indexes = [models.Index(fields=["organization", "person"], name="attendee_by_person")]

    def __str__(self) -> str:
        return self.person.name


class Invitation(TenantModel):
    """One calendar mail to one attendee: the record of the work, so that a worker sends it exactly once."""

    class Method(models.TextChoices):
        REQUEST = "REQUEST", "Invitation"
        CANCEL = "CANCEL", "Cancellation"

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        SKIPPED = "skipped", "Not sent"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown whether it was sent"

    meeting = TenantForeignKey(Meeting, on_delete=models.CASCADE, related_name="invitations")
    attendee = TenantForeignKey(Attendee, on_delete=models.CASCADE, related_name="invitations", db_index=False)
    method = models.CharField(max_length=8, choices=Method)
    sequence = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["attendee", "method", "sequence"], name="invitation_once_per_attendee_and_change"
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | Q(sent_at__isnull=False), name="invitation_sent_has_timestamp"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status="queued"), name="invitation_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.sequence}"
