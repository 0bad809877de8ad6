"""Writing to people: who sends, what is sent, to whom, what became of it, and who must not be written to."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When

from accounts.models import Account
from common.models import TenantForeignKey, TenantModel
from events.models import Event
from identity.models import User
from outreach.classifying import ReplyClass
from outreach.comparison_models import Comparison, Variant
from outreach.control_models import AccountHold, Installation, SendStop
from outreach.domain_models import DomainOverride, SendingDomain
from outreach.mailbox_models import HealthPause, Mailbox, MailboxDay, working_days
from outreach.querysets import (
    CampaignQuerySet,
    InboundMailQuerySet,
    MessageQuerySet,
    ProviderEventQuerySet,
    SuppressionQuerySet,
)
from outreach.template_models import Snippet, Template, TemplateCopy, TemplateVersion
from people.hygiene import Remark, remarks
from people.models import Person

__all__ = [
    "AccountHold",
    "Campaign",
    "Comparison",
    "DomainOverride",
    "HealthPause",
    "InboundMail",
    "Installation",
    "Mailbox",
    "MailboxDay",
    "Message",
    "ProviderEvent",
    "SendAttempt",
    "SendStop",
    "SendingDomain",
    "Snippet",
    "Suppression",
    "Template",
    "TemplateCopy",
    "TemplateVersion",
    "Variant",
    "working_days",
]


class Campaign(TenantModel):
    """One template written to a selection of people at one show; each of them at most once."""

    class Status(models.TextChoices):
        DRAFTING = "drafting", "Writing drafts"
        REVIEW = "review", "To review"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    name = models.CharField(max_length=200)
    event = TenantForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="campaigns")
    template = TenantForeignKey(Template, on_delete=models.SET_NULL, null=True, blank=True, related_name="campaigns")
    mailbox = TenantForeignKey(Mailbox, on_delete=models.RESTRICT, related_name="campaigns")
    comparison = TenantForeignKey(
        Comparison, on_delete=models.SET_NULL, null=True, blank=True, related_name="campaigns", editable=False
    )
    test_share = models.PositiveSmallIntegerField(
        "percent who get a wording before there is a winner", default=100, db_default=100
    )
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFTING)
    send_at = models.DateTimeField("leaves from", null=True, blank=True, help_text="Empty: as soon as it is approved.")
    keeps_window = models.BooleanField(
        "keep to each recipient's working hours", default=False, db_default=False,
        help_text="The sending days and hours of the mailbox, by the recipient's clock.",
    )  # fmt: skip
    per_hour = models.PositiveIntegerField("mails an hour at most", null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["drafting", "review", "sending", "paused", "done", "cancelled"]),
                name="campaign_status_known",
            ),
            models.CheckConstraint(condition=Q(test_share__gte=1, test_share__lte=100), name="campaign_test_share"),
            models.CheckConstraint(
                condition=Q(per_hour=None) | Q(per_hour__gte=1, per_hour__lte=3_600), name="campaign_per_hour"
            ),
        ]
        indexes = [models.Index(fields=["organization", "event", "-created_at"], name="campaign_by_event")]

    def __str__(self) -> str:
        return self.name


class Message(TenantModel):
    """One mail to one person, from the plan to what came back. The row is the intent to send; its identity never changes.

    ``body`` is what a person wrote and approved; ``text`` and ``html`` are what leaves, frozen when a worker first
    takes the message, so that every further try is the same mail. ``state`` says where the sending stands, ``reason``
    why in plain words; the timestamps say what came back and only ever move to an earlier moment, so that events may
    arrive in any order, any number of times. ``sequence_id``, ``enrollment_id`` and ``step_id`` belong to a higher app.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "Being written"
        DRAFT = "draft", "Draft"
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        ACCEPTED = "accepted", "Sent"
        HELD = "held", "Held"
        SKIPPED = "skipped", "Left out"
        REJECTED = "rejected", "Rejected"
        CANCELLED = "cancelled", "Cancelled"

    class Status(models.TextChoices):
        """The coarse status of the API (MOD-13), computed by the database."""

        DRAFT = "DRAFT", "Draft"
        SENT = "SENT", "Sent"
        RESPONDED = "RESPONDED", "Responded"
        BOUNCED = "BOUNCED", "Bounced"

    class Cause(models.TextChoices):
        """Why it has not left, in a word to filter by; ``reason`` says it in full."""

        WINDOW = "window", "Outside the sending hours"
        CONTACTED = "contacted", "Had a mail that day"
        DAILY_CAP = "daily_cap", "The day's mails are used up"
        HOURLY_CAP = "hourly_cap", "The hour's mails are used up"
        SPACING = "spacing", "Waits for its turn"
        UNREAD = "unread", "Answers are not read yet"
        ACCOUNT_HELD = "account_held", "The account is held"
        PAUSED = "paused", "Paused"
        PROVIDER = "provider", "The provider makes us wait"
        DOMAIN = "domain", "The sending domain is not ready"
        ADDRESS = "address", "The address takes no mail"
        SUPPRESSED = "suppressed", "Must not be written to"
        OBJECTED = "objected", "The person objected"
        REPLIED = "replied", "The person has answered"
        LATE = "late", "Its time has passed"
        UNFINISHED = "unfinished", "The text cannot be finished"
        UNKNOWN = "unknown", "Nobody knows whether it left"
        COMPARED = "compared", "Waits for the better wording"
        RESTORED = "restored", "The database was restored"
        FENCED = "fenced", "Not from this installation"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        LINKEDIN = "linkedin", "LinkedIn"
        PHONE = "phone", "Phone"
        OTHER = "other", "Other"

    person = TenantForeignKey(Person, on_delete=models.CASCADE, related_name="messages", db_index=False)
    account = TenantForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="messages", db_index=False
    )
    event = TenantForeignKey(
        Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False
    )
    campaign = TenantForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False
    )
    mailbox = TenantForeignKey(
        Mailbox, on_delete=models.RESTRICT, null=True, blank=True, related_name="messages", db_index=False
    )
    template = TenantForeignKey(
        Template, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    template_version = models.PositiveIntegerField(null=True, blank=True)
    sequence_id = models.UUIDField(null=True, blank=True)
    enrollment_id = models.UUIDField(null=True, blank=True)
    step_id = models.UUIDField(null=True, blank=True)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=16, choices=Channel, default=Channel.EMAIL)
    follows = TenantForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="followers",
        db_index=False,
        help_text="The mail whose thread this one goes on with.",
    )
    comparison = TenantForeignKey(
        Comparison, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    variant = models.CharField(
        max_length=1,
        blank=True,
        editable=False,
        help_text="Which wording of the comparison; given once, never changed.",
    )
    keeps_window = models.BooleanField(
        default=False, editable=False, help_text="Leaves only in the mailbox's window, in the recipient's zone."
    )
    time_zone = models.CharField(max_length=64, blank=True, editable=False, help_text="The recipient's.")
    resend_on_silence = models.BooleanField(default=False, editable=False)

    to_address = models.CharField(max_length=254, blank=True)
    address_hash = models.UUIDField(null=True, blank=True, editable=False)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    text = models.TextField(blank=True, editable=False)
    html = models.TextField(blank=True, editable=False)
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)

    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    cause = models.CharField(max_length=12, choices=Cause, blank=True, default="", db_default="")
    reason = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    attempts = models.PositiveIntegerField(default=0, editable=False)
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    unknown_since = models.DateTimeField(null=True, blank=True, editable=False)
    to_announce = models.BooleanField(
        default=False, editable=False, help_text="It came to an end, and whoever waits for it has not been told yet."
    )

    mail_message_id = models.CharField(max_length=255, blank=True, editable=False)
    mail_thread_id = models.CharField(max_length=255, blank=True, editable=False)
    provider_message_id = models.CharField(max_length=255, blank=True, editable=False)
    last_checked = models.DateTimeField(null=True, blank=True, editable=False)

    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    deferred_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField("opened by a person", null=True, blank=True)
    machine_opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField("clicked by a person", null=True, blank=True)
    machine_clicked_at = models.DateTimeField(null=True, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounced_for_good = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="The address does not exist."
    )
    bounce_reason = models.CharField(max_length=300, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    met_at = models.DateTimeField(
        "meeting booked", null=True, blank=True, help_text="Of the last mail before the meeting was booked."
    )
    status = models.GeneratedField(
        expression=Case(
            When(replied_at__isnull=False, then=Value("RESPONDED")),
            When(bounced_at__isnull=False, then=Value("BOUNCED")),
            When(sent_at__isnull=False, then=Value("SENT")),
            default=Value("DRAFT"),
        ),
        output_field=models.CharField(max_length=10, choices=Status),
        db_persist=True,
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "planned", "draft", "queued", "sending", "unknown", "accepted", "held", "skipped", "rejected",
                        "cancelled",
                    ]
                ),
                name="message_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(sent_at__isnull=False), name="message_sent_has_timestamp"
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(token__isnull=False, lease_until__isnull=False),
                name="message_sending_is_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["queued", "sending"])
                | Q(mailbox__isnull=False, due_at__isnull=False, address_hash__isnull=False),
                name="message_queued_can_be_sent",
            ),
            models.UniqueConstraint(
                fields=["campaign", "person"],
                condition=Q(campaign__isnull=False),
                name="message_once_per_campaign_and_person",
            ),
            models.UniqueConstraint(
                fields=["enrollment_id", "step_id"],
                condition=Q(enrollment_id__isnull=False),
                name="message_once_per_enrollment_step",
            ),
        ]  # fmt: skip
        indexes = [
            # What a worker claims; the id stands in it because many messages are due at the same moment.
            models.Index(fields=["mailbox", "due_at", "id"], condition=Q(state="queued"), name="message_due"),
            models.Index(
                fields=["organization", "sequence_id", "step_id"],
                condition=Q(sequence_id__isnull=False),
                name="message_by_step",
            ),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="message_leased"),
            models.Index(fields=["organization"], condition=Q(to_announce=True), name="message_to_announce"),
            models.Index(
                fields=["organization", "unknown_since"], condition=Q(state__in=["unknown", "held"]),
                name="message_unresolved",
            ),
            models.Index(fields=["organization", "created_at", "id"], name="message_by_creation"),
            models.Index(
                fields=["organization", "due_at", "id"], condition=Q(due_at__isnull=False), name="message_by_due_time"
            ),
            models.Index(fields=["organization", "event", "status", "sent_at"], name="message_by_event"),
            models.Index(fields=["organization", "person", "created_at"], name="message_by_person"),
            models.Index(fields=["organization", "account", "created_at"], name="message_by_account"),
            models.Index(fields=["organization", "campaign", "state", "id"], name="message_by_campaign"),
            models.Index(fields=["organization", "address_hash"], name="message_by_address"),
            models.Index(
                fields=["organization", "mail_message_id"], condition=~Q(mail_message_id=""),
                name="message_by_mail_id",
            ),
            # Health: the last mails of a mailbox, and its complaints.
            models.Index(fields=["mailbox", "-sent_at"], condition=Q(sent_at__isnull=False), name="message_sent"),
            models.Index(
                fields=["mailbox", "complained_at"], condition=Q(complained_at__isnull=False), name="message_complained"
            ),
            models.Index(fields=["template"], name="message_by_template"),
            models.Index(
                fields=["comparison", "variant"], condition=Q(comparison__isnull=False), name="message_by_comparison"
            ),
            models.Index(fields=["follows"], condition=Q(follows__isnull=False), name="message_by_first"),
        ]  # fmt: skip
        triggers = [
            # Whoever brings a message of a sequence to an end, the sequence hears of it.
            pgtrigger.Trigger(
                name="message_ended",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]  # untyped there
                condition=pgtrigger.Condition(
                    "NEW.enrollment_id IS NOT NULL AND NEW.state IS DISTINCT FROM OLD.state"
                    " AND NEW.state IN ('accepted', 'held', 'skipped', 'rejected', 'cancelled')"
                ),
                func="NEW.to_announce = true; RETURN NEW;",
            ),
            pgtrigger.Protect(
                name="message_variant_stays",
                operation=pgtrigger.UpdateOf("variant"),  # type: ignore[no-untyped-call]  # untyped there
                condition=pgtrigger.Condition("OLD.variant <> '' AND NEW.variant IS DISTINCT FROM OLD.variant"),
            ),
        ]

    def __str__(self) -> str:
        return self.subject or f"Mail to {self.to_address}"

    @property
    def is_automatic(self) -> bool:
        """Written by a sequence or a campaign, not by a person to a person."""
        return self.enrollment_id is not None or self.campaign_id is not None

    @property
    def address_remarks(self) -> list[Remark]:
        """What its address gives away: a slip, a department, a throw-away domain."""
        return remarks(self.to_address) if self.to_address else []

    @property
    def can_be_edited(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def needs_decision(self) -> bool:
        return self.state in {self.State.UNKNOWN, self.State.HELD}

    @property
    def outcome(self) -> str:
        """The furthest a message got, in a word for a page: ``replied``, ``clicked``, … or its state."""
        for name in ("complained", "unsubscribed", "bounced", "replied", "clicked", "opened", "delivered"):
            if getattr(self, f"{name}_at"):
                return name
        return self.state


class SendAttempt(TenantModel):
    """One try to hand a message to a provider. The database refuses a second open and a second accepted one."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        NOT_SENT = "not_sent", "Not sent"
        REJECTED = "rejected", "Rejected"
        UNKNOWN = "unknown", "Unknown"

    message = TenantForeignKey(Message, on_delete=models.CASCADE, related_name="tries", db_index=False)
    number = models.PositiveIntegerField()
    token = models.UUIDField()
    provider = models.CharField(max_length=16)
    provider_message_id = models.CharField(max_length=255, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.OPEN)
    detail = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="sendattempt_number_once"),
            models.UniqueConstraint(
                fields=["message"], condition=Q(outcome__in=["open", "unknown"]), name="sendattempt_one_open"
            ),
            models.UniqueConstraint(
                fields=["message"], condition=Q(outcome="accepted"), name="sendattempt_one_accepted"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["open", "accepted", "not_sent", "rejected", "unknown"]),
                name="sendattempt_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return f"try {self.number}: {self.outcome}"


class ProviderEvent(TenantModel):
    """One thing a provider told us about a message, kept once however often it was told."""

    provider = models.CharField(max_length=16)
    event_id = models.CharField(max_length=255)
    message = TenantForeignKey(Message, on_delete=models.CASCADE, related_name="provider_events", db_index=False)
    attempt = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=24)
    occurred_at = models.DateTimeField()
    is_machine = models.BooleanField(default=False)
    data = models.JSONField(default=dict, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    objects = ProviderEventQuerySet.as_manager()

    class Meta:
        ordering = ["occurred_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "provider", "event_id"], name="providerevent_once")
        ]
        indexes = [
            models.Index(fields=["message", "occurred_at"], name="providerevent_by_message"),
            models.Index(fields=["created_at"], condition=Q(processed_at=None), name="providerevent_unprocessed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class InboundMail(TenantModel):
    """A mail that came back. ``raw`` is kept as it arrived; pages show ``text``, or ``html`` after cleaning.

    ``kind`` says what it is to us, ``label`` what it says (``outreach.classifying``); ``evidence`` are the words that
    decided it. ``labelled_by`` is the member who overruled the rules.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", "Reply"
        AUTO_REPLY = "auto_reply", "Automatic reply"
        BOUNCE = "bounce", "Delivery report"
        OPT_OUT = "opt_out", "Asks to stop"
        OWN = "own", "Our own mail"
        UNMATCHED = "unmatched", "Not matched"

    mailbox = TenantForeignKey(Mailbox, on_delete=models.CASCADE, related_name="inbound", db_index=False)
    message = TenantForeignKey(Message, on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    person = TenantForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="inbound_mails")

    kind = models.CharField(max_length=16, choices=Kind, default=Kind.UNMATCHED)
    label = models.CharField("class", max_length=16, choices=ReplyClass, default=ReplyClass.OTHER)
    evidence = models.CharField(max_length=200, blank=True)
    label_on = models.DateField("date it names", null=True, blank=True)
    other_address = models.CharField("address it names", max_length=254, blank=True)
    labelled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    sorted_at = models.DateTimeField(null=True, blank=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the mail: one mail is kept once.")
    from_address = models.CharField(max_length=320, blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    message_id_header = models.CharField(max_length=998, blank=True)
    references = ArrayField(models.CharField(max_length=998), default=list, blank=True)
    raw = models.BinaryField(default=b"", editable=False)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = InboundMailQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["organization", "digest"], name="inboundmail_once")]
        indexes = [
            models.Index(fields=["organization", "kind", "received_at", "id"], name="inboundmail_by_kind"),
            models.Index(fields=["organization", "label", "received_at", "id"], name="inboundmail_by_label"),
            models.Index(fields=["organization", "person", "received_at"], name="inboundmail_by_person"),
            models.Index(fields=["created_at"], condition=Q(sorted_at=None), name="inboundmail_unsorted"),
        ]

    def __str__(self) -> str:
        return self.subject or f"Mail from {self.from_name or self.from_address}"


class Suppression(TenantModel):
    """An address that must not be written to. Knows only a keyed hash and outlives the person; never deleted, only lifted."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        COMPLAINT = "complaint", "Reported as spam"
        HARD_BOUNCE = "hard_bounce", "Address does not exist"
        PROVIDER = "provider", "Refused by the provider"
        ASKED = "asked", "Asked us to stop"
        MANUAL = "manual", "Added by hand"

    address_hash = models.UUIDField()
    hint = models.CharField(max_length=254, blank=True, help_text="The first letter and the domain.")
    scope = models.CharField(max_length=64, default="organization")
    reason = models.CharField(max_length=16, choices=Reason)
    source = models.CharField(max_length=60, blank=True, help_text="Where it came from: a link, a webhook, a member.")
    note = models.CharField(max_length=300, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    lift_reason = models.CharField(max_length=300, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "address_hash", "scope"],
                condition=Q(lifted_at=None),
                name="suppression_once_while_active",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | (~Q(lift_reason="") & Q(lifted_at__gte=F("created_at"))),
                name="suppression_lifted_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["organization", "created_at", "id"], name="suppression_by_time")]

    def __str__(self) -> str:
        return self.hint or str(self.pk)

    @property
    def scope_kind(self) -> str:
        """``organization``, ``event`` or ``sequence``."""
        return self.scope.partition(":")[0]
