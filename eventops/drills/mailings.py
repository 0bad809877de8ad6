"""What has many mails on their way while something else goes wrong: the broker is lost (G-3), the provider is asked too much
(G-6), every mailbox has a cap (G-7), people are taken out (G-8), or somebody pulls the switch (G-12)."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import redis
from django.conf import settings
from django.utils import timezone

from eventops.drills import stage
from eventops.drills.relay import Relay
from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import switches
from outreach.models import MailboxDay, Message, SendAttempt, Suppression
from outreach.suppressing import suppress_addresses

LONGEST = 1_500.0
REAL_BROKER = "EVENTOPS_DRILL_BROKER"
"""The environment variable that names the broker behind the relay."""


class Mailing:
    """Mails to as many people on their way through real workers. A drill says what goes wrong meanwhile, and counts."""

    name: str
    mailboxes = 4

    def __init__(self, *, messages: int, times: int, seed: int, workers: int, children: int) -> None:
        self.messages, self.times, self.seed = messages, times, seed
        self.dice = random.Random(seed)
        self.crew = stage.Crew(workers=workers, children=children)

    def run(self, *, say: Callable[[str], Any]) -> dict[str, Any]:
        self.organization_id: UUID = stage.new_organization(f"{self.name}-{self.seed}")
        with stage.product(), stage.provider(self.dice) as self.sandbox:
            self.prepare()
            stage.empty_broker()
            with self.crew, self.trouble():
                self.seconds = stage.ring_until(self.is_done, self.crew, longest=LONGEST, meanwhile=self.meanwhile)
            result = {"drill": self.name, "seed": self.seed, "messages": self.messages, "times": self.times}
            return result | self.count() | {"seconds": round(self.seconds, 1)}

    def prepare(self) -> None:
        boxes = stage.new_mailboxes(self.organization_id, self.mailboxes)
        stage.queue_messages(self.organization_id, boxes, self.messages)

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        """Around the whole mailing."""
        yield

    def meanwhile(self) -> None:
        """Many times a second."""

    def is_done(self) -> bool:
        """Asked every second."""
        return not self.sandbox.world.owed and stage.is_settled(self.organization_id)

    def count(self) -> dict[str, Any]:
        """Lost: with neither the provider nor a person. Extra: accepted more than once for one intent."""
        accepts = self.accepts()
        states = stage.states_of(self.organization_id)
        return {
            "lost": self.messages - len(accepts) - sum(states[seen] for seen in ("unknown", "held", "cancelled", "skipped")),
            "extra_accepts": sum(times - 1 for times in accepts.values()), "states": dict(states),
        }  # fmt: skip

    def accepts(self) -> Counter[str]:
        return Counter(mail.custom_args.get("eo_id", "") for mail in list(self.sandbox.world.mails.values()))

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result["lost"] or result["extra_accepts"])


class BrokerLost(Mailing):
    """The broker forgets everything and cannot be reached for a moment, ``times`` times. Postgres remembers."""

    name = "broker"
    away = 2.0

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        real = urlsplit(os.environ[REAL_BROKER])
        self.losses, self.delays, self.cut_at, self.back_at = 0, [0.0], 0.0, 0.0
        self.relay = Relay(
            real.hostname or "127.0.0.1", real.port or 6379, at=urlsplit(settings.CELERY_BROKER_URL).port or 0
        )
        try:
            yield
        finally:
            self.relay.stop()

    def meanwhile(self) -> None:
        taken, now = len(self.sandbox.world.mails), time.monotonic()
        if self.cut_at:
            if now - self.cut_at > self.away:
                self.relay.mend()
                self.cut_at, self.back_at, self.taken_then = 0.0, now, taken
        elif self.back_at:
            if taken > self.taken_then or taken >= self.messages:
                self.delays.append(now - self.back_at)
                self.back_at = 0.0
        elif self.losses < self.times and taken >= self.losses * self.messages / (self.times + 1):
            self.relay.cut()
            with contextlib.closing(redis.Redis.from_url(os.environ[REAL_BROKER])) as broker:
                broker.flushdb()
            self.losses, self.cut_at = self.losses + 1, now

    def count(self) -> dict[str, Any]:
        return super().count() | {"losses": self.losses, "longest_delay_s": round(max(self.delays), 1)}

    def failed(self, result: dict[str, Any]) -> bool:
        return super().failed(result) or result["losses"] < self.times


class Storm(Mailing):
    """The provider tells 95 of 100 sends to wait, for ``times`` seconds; then it is itself again."""

    name = "storm"

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        self.sandbox.refusing, self.ends_at, self.recovery = 0.95, time.monotonic() + self.times, 0.0
        self.during = self.taken_then = 0
        yield

    def meanwhile(self) -> None:
        now, taken = time.monotonic(), len(self.sandbox.world.mails)
        if self.sandbox.refusing and now >= self.ends_at:
            self.sandbox.refusing, self.during, self.taken_then = (
                0.0,
                self.sandbox.world.requests + self.sandbox.refused,
                taken,
            )
        if not self.sandbox.refusing and not self.recovery and taken > self.taken_then:
            self.recovery = now - self.ends_at

    def count(self) -> dict[str, Any]:
        children = self.crew.size * self.crew.children_each
        naive = children * self.times / (sum(self.sandbox.distance) / 2)
        return super().count() | {
            "refused": self.sandbox.refused, "requests_in_storm": self.during,
            "share_of_naive": round(self.during / naive, 4), "recovery_s": round(self.recovery, 1),
        }  # fmt: skip

    def failed(self, result: dict[str, Any]) -> bool:
        return super().failed(result) or result["share_of_naive"] > 0.02 or result["recovery_s"] > 120


class Caps(Mailing):
    """``times`` mailboxes, each with a cap of half of what it has to send."""

    name = "caps"

    def prepare(self) -> None:
        self.cap = self.messages // self.times // 2
        boxes = stage.new_mailboxes(self.organization_id, self.times, daily_cap=self.cap)
        stage.queue_messages(self.organization_id, boxes, self.messages)

    def is_done(self) -> bool:
        with org_scope(self.organization_id):
            due = Message.objects.for_org(self.organization_id).filter(state="queued", due_at__lte=timezone.now())
            sending = Message.objects.for_org(self.organization_id).filter(state="sending")
            return not due.exists() and not sending.exists()

    def count(self) -> dict[str, Any]:
        with org_scope(self.organization_id):
            sent = Counter(
                Message.objects.for_org(self.organization_id)
                .filter(state="accepted")
                .values_list("mailbox_id", flat=True)
            )
            counted = MailboxDay.objects.for_org(self.organization_id).filter(used__gt=self.cap).count()
        counts = super().count()
        waiting = counts["states"].get("queued", 0)
        return counts | {
            "cap": self.cap, "over_cap": sum(number > self.cap for number in sent.values()) + counted,
            "full": sum(number == self.cap for number in sent.values()), "lost": counts["lost"] - waiting,
        }  # fmt: skip

    def failed(self, result: dict[str, Any]) -> bool:
        return super().failed(result) or bool(result["over_cap"])


class Stops(Mailing):
    """Every second person opts out at some moment of the mailing. Whose try was not open then gets nothing."""

    name = "stops"

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        self.stopped: dict[str, Any] = {}
        with org_scope(self.organization_id):
            self.organization = Organization.objects.get(pk=self.organization_id)
            self.left = list(
                Message.objects.for_org(self.organization_id).order_by("due_at", "id").values_list("id", "to_address")
            )[::2]
        yield

    def meanwhile(self) -> None:
        # Those whose turn is about to come: the races are there.
        place = max(0, len(self.sandbox.world.mails) // 2 - len(self.stopped))
        if not self.left:
            return
        message_id, address = self.left.pop(min(len(self.left) - 1, place + self.dice.randrange(20)))
        with org_scope(self.organization_id):
            suppress_addresses(
                self.organization, addresses=[address], reason=Suppression.Reason.UNSUBSCRIBED, source="drill"
            )
        self.stopped[str(message_id)] = timezone.now()

    def is_done(self) -> bool:
        return not self.left and super().is_done()

    def count(self) -> dict[str, Any]:
        accepts = self.accepts()
        with org_scope(self.organization_id):
            tries = SendAttempt.objects.for_org(self.organization_id).filter(message__in=list(self.stopped))
            opened = {str(pk): at for pk, at in tries.values_list("message_id", "started_at")}
        after = [pk for pk, at in self.stopped.items() if accepts[pk] and opened[pk] > at]
        past_the_gate = sum(bool(accepts[pk]) for pk in self.stopped) - len(after)
        return super().count() | {
            "stopped": len(self.stopped), "sent_after_stop": len(after), "sent_before_or_past_the_gate": past_the_gate,
        }  # fmt: skip

    def failed(self, result: dict[str, Any]) -> bool:
        return super().failed(result) or bool(result["sent_after_stop"])


class Switch(Mailing):
    """The organization's sending is stopped in full flight, ``times`` times; each time nothing leaves 5 seconds later."""

    name = "switch"
    rest = 6.0

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        with system_scope():
            self.organization = Organization.objects.get(pk=self.organization_id)
        self.stops: list[tuple[float, float]] = []
        self.next_at = 0
        yield

    def meanwhile(self) -> None:
        taken = len(self.sandbox.world.mails)
        if len(self.stops) >= self.times or taken < self.next_at + 20:
            return
        with org_scope(self.organization_id):
            switches.stop(self.organization, reason="Drill", actor=None)
        stopped = time.time()
        time.sleep(self.rest)
        with org_scope(self.organization_id):
            switches.start(self.organization, actor=None)
        self.stops.append((stopped, time.time()))
        self.next_at = len(self.sandbox.world.mails) + self.messages // (self.times + 1) - 40

    def count(self) -> dict[str, Any]:
        times = [mail.at for mail in list(self.sandbox.world.mails.values())]
        late = [max((at - stop for at in times if stop < at < start), default=0.0) for stop, start in self.stops]
        return super().count() | {"stops": len(late), "latest_accept_after_stop_s": round(max(late, default=0.0), 2)}

    def failed(self, result: dict[str, Any]) -> bool:
        return super().failed(result) or result["latest_accept_after_stop_s"] > 5 or result["stops"] < self.times


MAILINGS = {kind.name: kind for kind in (BrokerLost, Storm, Caps, Stops, Switch)}
