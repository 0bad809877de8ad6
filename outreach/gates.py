"""Every reason for which a due mail does not leave now, and when it is tried next. Asked for a batch at a time.

The order is that of finality: what ends a mail comes before what postpones it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, Q

from common.places import first_zone
from identity.models import Organization
from outreach import guard, switches, windows
from outreach.addresses import address_hashes
from outreach.models import Mailbox, Message, Suppression
from people.mail_domains import unusable

State, Cause = Message.State, Message.Cause

ASK_AGAIN = timedelta(minutes=15)
"""How soon a mail is looked at again that waits for a person: for an inbox to be read, for an account to be released."""
LONGEST_DAY = timedelta(hours=50)
"""A calendar day is over everywhere after this long."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a mail that may not leave now. Without ``next_try`` its time stays as it is."""

    state: str
    cause: str
    reason: str
    next_try: datetime | None = None


class Gates:
    """The gates for one batch of due messages of one mailbox. Works inside the scope; a handful of queries in all."""

    def __init__(
        self, organization: Organization, mailbox: Mailbox, messages: Sequence[Message], *, now: datetime
    ) -> None:
        self.organization, self.mailbox, self.messages, self.now = organization, mailbox, messages, now
        self.standings = guard.standings(organization.pk, [message.person_id for message in messages], now=now)
        self.unusable = unusable(organization.pk, {message.to_address for message in messages})
        self.contacted = _contacted(organization, messages, now)

    def verdict(self, message: Message) -> Verdict | None:
        """``None`` when the message may leave now; its person then counts as contacted for the rest of the batch."""
        stopped = self._ends(message) or self._waits(message)
        if stopped is None and message.is_automatic:
            for key in _keys(message):
                self.contacted[key].append(self.now)
        return stopped

    def _ends(self, message: Message) -> Verdict | None:
        if message.is_suppressed or is_suppressed(message):  # type: ignore[attr-defined]
            return Verdict(State.SKIPPED, Cause.SUPPRESSED, "The address is on the suppression list.")
        if message.to_address in self.unusable:
            return Verdict(State.SKIPPED, Cause.ADDRESS, self.unusable[message.to_address])
        if message.has_replied_since:  # type: ignore[attr-defined]
            return Verdict(State.SKIPPED, Cause.REPLIED, "The person has answered since this was written.")
        refusal = self._refusal(message)
        if refusal and refusal.for_good:
            return Verdict(State.SKIPPED, refusal.cause, refusal.reason)
        if message.not_after and self.now > message.not_after:
            return Verdict(State.HELD, Cause.LATE, "It is too late for this mail: its time has passed.")
        if switches.is_outside(message.to_address):
            return Verdict(State.HELD, Cause.FENCED, "This installation must not write to addresses of this domain.")
        return None

    def _waits(self, message: Message) -> Verdict | None:
        refusal = self._refusal(message)
        if refusal:
            return self._postponed(refusal.cause, refusal.reason, self.now + ASK_AGAIN)
        by_hand = message.approved_by_id is not None and not message.is_automatic
        if not by_hand and not self._is_read(message):
            words = "Nobody has read the answers to this mailbox since the mail before, and one may be there."
            return self._postponed(Cause.UNREAD, words, self.now + ASK_AGAIN)
        if message.keeps_window:
            opens = self._first_open(message, self.now)
            if opens > self.now:
                words = f"Outside the sending hours of the recipient: {self._there(message, opens)}."
                return self._postponed(Cause.WINDOW, words, opens)
        if message.is_automatic and self._was_contacted(message):
            morning = self._next_morning(message)
            words = f"The person had a mail on that day already: {self._there(message, morning)}."
            return self._postponed(Cause.CONTACTED, words, morning)
        return None

    def _postponed(self, cause: str, reason: str, next_try: datetime) -> Verdict:
        return Verdict(State.QUEUED, cause, reason, next_try)

    # --- Consent and the account ---

    def _refusal(self, message: Message) -> guard.Refusal | None:
        return self.standings[message.person_id].refusal(automatic=message.is_automatic)

    # --- Answers ---

    def _is_read(self, message: Message) -> bool:
        """A follow-up waits until the mailbox was read since the mail before; what Inbound Parse brings is read at once."""
        if self.mailbox.reply_domain:
            return True
        before = self._sent_before.get(message.enrollment_id or message.follows_id)
        read = self.mailbox.read_until
        return before is None or (read is not None and read > before)

    @cached_property
    def _sent_before(self) -> dict[UUID | None, datetime]:
        """When the last mail of an enrollment, or the one that is followed, was sent."""
        sent = Message.objects.for_org(self.organization).sent()
        enrollments = {message.enrollment_id for message in self.messages if message.enrollment_id}
        by_enrollment = sent.filter(enrollment_id__in=enrollments).order_by().values("enrollment_id")
        follows = {message.follows_id for message in self.messages if message.follows_id and not message.enrollment_id}
        return dict(by_enrollment.annotate(last=Max("sent_at")).values_list("enrollment_id", "last")) | dict(
            sent.filter(pk__in=follows).values_list("pk", "sent_at")
        )

    # --- Hours and days there ---

    def _zone(self, message: Message) -> ZoneInfo:
        return first_zone(message.time_zone, self.organization.time_zone)

    def _day(self, message: Message, moment: datetime) -> date:
        return moment.astimezone(self._zone(message)).date()

    def _first_open(self, message: Message, moment: datetime) -> datetime:
        is_holiday = self.mailbox.holidays_of(self.standings[message.person_id].country)
        return windows.first_open(moment, self.mailbox.window, zone=self._zone(message), is_holiday=is_holiday)

    def _next_morning(self, message: Message) -> datetime:
        zone = self._zone(message)
        tomorrow = self.now.astimezone(zone).date() + timedelta(days=1)
        return self._first_open(message, windows.local(tomorrow, self.mailbox.window_opens, zone))

    def _there(self, message: Message, moment: datetime) -> str:
        return in_words(moment, self._zone(message))

    def _was_contacted(self, message: Message) -> bool:
        today = self._day(message, self.now)
        return any(self._day(message, sent) == today for key in _keys(message) for sent in self.contacted[key])


def is_suppressed(message: Message) -> bool:
    """Whether the address may not be written to, under any key its hash may have been made with."""
    hashes = address_hashes(message.organization_id, message.to_address)
    # With one key the hash in the message is the only one, and the claim has asked for it already.
    if len(hashes) == 1:
        return False
    entries = Suppression.objects.for_org(message.organization_id)
    return entries.of(hashes, event_id=message.event_id, sequence_id=message.sequence_id).exists()


def in_words(moment: datetime, zone: ZoneInfo) -> str:
    """``it leaves on Mon 23 Nov, 08:30 (Europe/Berlin)``."""
    return f"it leaves on {moment.astimezone(zone):%a %-d %b, %H:%M} ({zone})"


def _keys(message: Message) -> list[UUID]:
    """What stands for the recipient: the person, and the address, which two people may share."""
    return [key for key in (message.person_id, message.address_hash) if key]


_LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"


def _contacted(
    organization: Organization, messages: Sequence[Message], now: datetime
) -> defaultdict[UUID, list[datetime]]:
    """When automatic mail left to these people and addresses lately, or is leaving now, from any mailbox.

    Holds a lock on each of them until the claim is committed, so two mailboxes cannot both find nothing.
    """
    found: defaultdict[UUID, list[datetime]] = defaultdict(list)
    keys = {key for message in messages if message.is_automatic for key in _keys(message)}
    if not keys:
        return found
    with connection.cursor() as cursor:
        # In one order, so that two claims wait for each other instead of both giving up.
        cursor.execute(_LOCK, [sorted(key.int & 0x7FFF_FFFF_FFFF_FFFF for key in keys)])
    left = (
        Message.objects.for_org(organization)
        .automatic()
        .filter(Q(person__in=keys) | Q(address_hash__in=keys))
        .filter(
            Q(sent_at__gt=now - LONGEST_DAY) | Q(sent_at=None, state__in=[State.SENDING, State.UNKNOWN]),
        )
        .values_list("person_id", "address_hash", "sent_at", "unknown_since")
    )
    for person_id, address_hash, sent_at, unknown_since in left:
        for key in (person_id, address_hash):
            if key:
                found[key].append(sent_at or unknown_since or now)
    return found
