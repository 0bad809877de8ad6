"""Sending identities: who a mail comes from, what carries it, when and how much may leave."""

from __future__ import annotations

import calendar
import json
from datetime import date, datetime, time
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from common.crypto import decrypt, encrypt
from common.models import TenantForeignKey, TenantModel
from common.places import holidays_in
from common.querysets import TenantQuerySet
from identity.models import User
from outreach.windows import IsHoliday, Window, no_holidays

WARM_UP_FIRST, WARM_UP_STEP = 10, 5
"""Mails a new address sends on its first day, and how many more on every following one."""


def working_days() -> list[int]:
    return [0, 1, 2, 3, 4]


class MailboxQuerySet(TenantQuerySet["Mailbox"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)

    def able_to_send(self, now: datetime) -> Self:
        """Neither put aside nor paused by a person or a refusal, and its next mail is allowed by the provider and its pace."""
        return self.in_use().filter(
            Q(throttled_until=None) | Q(throttled_until__lte=now),
            Q(next_slot_at=None) | Q(next_slot_at__lte=now),
            paused_at=None,
        )


class Mailbox(TenantModel):
    """A sending identity: the name and address people see, and the transport that carries its mail.

    ``credentials`` is encrypted JSON; read and write it with ``open_credentials`` and ``seal_credentials``.
    """

    class Kind(models.TextChoices):
        SENDGRID = "sendgrid", "SendGrid"
        SMTP = "smtp", "SMTP server"

    class Security(models.TextChoices):
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS"
        NONE = "none", "None (this machine only)"

    name = models.CharField(max_length=100)
    kind = models.CharField("transport", max_length=16, choices=Kind, default=Kind.SENDGRID)
    from_name = models.CharField("sender name", max_length=100)
    from_address = models.EmailField("sender address")
    from_domain = models.GeneratedField(
        expression=Lower(Func("from_address", Value("@"), Value(-1), function="split_part")),
        output_field=models.CharField(max_length=253),
        db_persist=True,
    )
    reply_to = models.EmailField("reply-to address", blank=True)
    reply_domain = models.CharField(
        "reply domain",
        max_length=253,
        blank=True,
        help_text="A domain whose mail SendGrid hands to us (Inbound Parse). Replies then arrive by themselves.",
    )
    signature = models.TextField(blank=True)
    daily_cap = models.PositiveIntegerField("mails a day at most", default=500)
    hourly_cap = models.PositiveIntegerField("mails an hour at most", null=True, blank=True)
    spacing_seconds = models.PositiveSmallIntegerField("seconds between two mails", default=0)
    warm_up_from = models.DateField(
        "warming up since", null=True, blank=True, help_text="A new address sends a few mails a day first, then more."
    )
    window_days = ArrayField(models.PositiveSmallIntegerField(), default=working_days, help_text="0 is Monday.")
    window_opens = models.TimeField("sends from", default=time(8, 30))
    window_closes = models.TimeField("sends until", default=time(17, 0))
    keeps_holidays = models.BooleanField("not on the recipient's public holidays", default=True)
    next_slot_at = models.DateTimeField(null=True, blank=True, editable=False)
    read_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Up to when the answers to this mailbox were read."
    )
    track_opens = models.BooleanField("notice opens", default=True)
    track_opens_in_europe = models.BooleanField(
        "notice opens in the EU, EEA, UK and Switzerland too",
        default=False,
        help_text="Only with the recipients' consent. Without a country, the ending of the address decides.",
    )
    track_clicks = models.BooleanField("notice clicks", default=True)
    credentials = models.TextField(blank=True, editable=False)
    smtp_host = models.CharField("server", max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField("port", default=587)
    smtp_username = models.CharField("user name", max_length=254, blank=True)
    smtp_security = models.CharField("encryption", max_length=8, choices=Security, default=Security.STARTTLS)
    webhook_key = models.TextField("event verification key", blank=True, editable=False)
    connected_at = models.DateTimeField(null=True, blank=True, editable=False)
    problem = models.CharField(max_length=300, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    throttled_until = models.DateTimeField(null=True, blank=True, editable=False)
    test_wanted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a member asked for a test mail that has not left yet."
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MailboxQuerySet.as_manager()  # type: ignore[misc]  # a cycle of modules hides it from the plugin

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "mailboxes"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="mailbox_name_once_per_organization"),
            models.CheckConstraint(condition=Q(kind__in=["sendgrid", "smtp"]), name="mailbox_kind_known"),
            models.CheckConstraint(condition=Q(window_opens__lt=F("window_closes")), name="mailbox_window_opens_first"),
            models.CheckConstraint(
                condition=Q(window_days__contained_by=list(range(7)), window_days__len__gte=1),
                name="mailbox_window_has_days",
            ),
            models.CheckConstraint(
                condition=Q(credentials="") | Q(credentials__startswith="v1|"), name="mailbox_credentials_encrypted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_name} <{self.from_address}>"

    @property
    def _place(self) -> str:
        return f"outreach_mailbox:{self.pk}:credentials"

    def seal_credentials(self, values: dict[str, str]) -> None:
        """Set ``credentials`` to the encrypted ``values``; the caller saves."""
        self.credentials = encrypt(json.dumps(values), place=self._place, organization_id=self.organization_id)

    def open_credentials(self) -> dict[str, str]:
        """The decrypted values; empty when there are none. Raises CannotDecrypt."""
        if not self.credentials:
            return {}
        values: dict[str, str] = json.loads(
            decrypt(self.credentials, place=self._place, organization_id=self.organization_id)
        )
        return values

    @property
    def domain(self) -> str:
        return self.from_address.rpartition("@")[2].lower()

    @property
    def window(self) -> Window:
        return Window(days=frozenset(self.window_days), opens=self.window_opens, closes=self.window_closes)

    @property
    def window_in_words(self) -> str:
        """``Mon, Tue, Wed, Thu, Fri, 08:30 to 17:00 there``."""
        days = ", ".join(calendar.day_abbr[day] for day in sorted(self.window_days))
        return f"{days}, {self.window_opens:%H:%M} to {self.window_closes:%H:%M} there"

    def holidays_of(self, country: str) -> IsHoliday:
        """Which days mail to this country waits out: its public holidays, or none when the mailbox does not keep them."""
        if not self.keeps_holidays or not country:
            return no_holidays
        return lambda day: day in holidays_in(country, day.year)

    def allowance(self, day: date) -> int:
        """How many mails may leave on a day of the organization's zone: fewer while a new address warms up."""
        if self.warm_up_from is None:
            return self.daily_cap
        warmed = max(0, (day - self.warm_up_from).days)
        return min(self.daily_cap, WARM_UP_FIRST + WARM_UP_STEP * warmed)

    def pause(self, *, reason: str, now: Any) -> None:
        self.paused_at, self.pause_reason = now, reason[:300]
        self.save(update_fields=["paused_at", "pause_reason", "updated_at"])

    def resume(self) -> None:
        self.paused_at, self.pause_reason, self.problem, self.throttled_until = None, "", "", None
        self.save(update_fields=["paused_at", "pause_reason", "problem", "throttled_until", "updated_at"])


class MailboxDay(TenantModel):
    """How many sends a mailbox has begun on a day of its organization's zone, and in the hour of it that ``hour`` names.

    Counted up only under the lock of the mailbox (``claiming``).
    """

    mailbox = TenantForeignKey(Mailbox, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)
    hour = models.PositiveSmallIntegerField(default=0)
    used_in_hour = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "day"], name="mailboxday_once")]


class HealthPause(TenantModel):
    """A mailbox was paused because of its bounces or complaints. Kept after a person resumed it, with what they said."""

    mailbox = TenantForeignKey(Mailbox, on_delete=models.CASCADE, related_name="health_pauses", db_index=False)
    reason = models.CharField(max_length=300)
    paused_at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True, blank=True)
    resumed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    resume_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-paused_at"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox"], condition=Q(resumed_at=None), name="healthpause_one_open"),
            models.CheckConstraint(
                condition=Q(resumed_at=None) | Q(resumed_at__gte=F("paused_at")), name="healthpause_resumed_later"
            ),
        ]
        indexes = [models.Index(fields=["organization", "mailbox", "paused_at"], name="healthpause_by_mailbox")]

    def __str__(self) -> str:
        return self.reason
