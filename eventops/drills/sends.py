"""G-1, sending under fire: workers are killed with SIGKILL wherever they stand, stopped for longer than their lease, cut off
from Postgres, and their broker is emptied, while thousands of mails leave.

A send is cut before, during or after its request. The provider's reports come back through the real webhook, shuffled and
more than once. In the end every message must be accepted exactly once at the provider, or stand in a state a person sees;
and none may have been accepted twice without need.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Protocol

from django.db import connection

from eventops.demo.clock import let_pass
from eventops.drills import stage
from identity.scope import org_scope
from outreach import claiming, reconciling
from outreach.models import Mailbox, Message, SendAttempt
from sandbox.smtp import MailServer

PACE = 20
"""Seconds of a claim's lease that pass in one second, so that the dead are found out soon."""
PAUSE = 2.5 * claiming.LEASE.total_seconds() / PACE
LONGEST = 3_600.0
MAILBOXES = 4
LOSSES = 5
"""How often in a drill Postgres ends the workers' connections, and how often the broker forgets everything."""

State, Outcome = Message.State, SendAttempt.Outcome


class Adapter(Protocol):
    """Who takes the mails, and knows what it took."""

    def mailbox_fields(self) -> dict[str, Any]: ...

    def taken(self) -> int:
        """How many mails were accepted so far."""

    def accepts(self) -> Counter[str]:
        """How often each intent was accepted, by the id of its message."""

    def is_quiet(self) -> bool:
        """Whether everything that could be reported was."""

    def unproved(self, message_id: str, attempt: int) -> bool:
        """Whether this try is one that no evidence will ever prove."""


class OverSendGrid:
    def __init__(self, sandbox: stage.FarSandbox) -> None:
        self._sandbox = sandbox

    def mailbox_fields(self) -> dict[str, Any]:
        return {}

    def taken(self) -> int:
        return len(self._sandbox.world.mails)

    def accepts(self) -> Counter[str]:
        return Counter(mail.custom_args.get("eo_id", "") for mail in list(self._sandbox.world.mails.values()))

    def is_quiet(self) -> bool:
        return not self._sandbox.world.owed

    def unproved(self, message_id: str, attempt: int) -> bool:
        courier = self._sandbox.courier
        return isinstance(courier, stage.GossipingCourier) and courier.is_silent(message_id, str(attempt))


class OverSmtp:
    """A mail server never reports, so every interrupted try is held for a person."""

    def __init__(self, server: MailServer, ids: Callable[[], dict[str, str]]) -> None:
        self._server, self._ids = server, ids

    def mailbox_fields(self) -> dict[str, Any]:
        return {
            "kind": Mailbox.Kind.SMTP, "smtp_host": "127.0.0.1", "smtp_port": self._server.port,
            "smtp_security": Mailbox.Security.NONE,
        }  # fmt: skip

    def taken(self) -> int:
        return len(self._server.taken)

    def accepts(self) -> Counter[str]:
        by_header = self._ids()
        return Counter({by_header[name]: times for name, times in self._server.accepts().items()})

    def is_quiet(self) -> bool:
        return True

    def unproved(self, message_id: str, attempt: int) -> bool:
        return True


class SendDrill:
    """One drill with one adapter in an organization of its own. ``run`` answers with plain numbers.

    ``silent`` is the share of the mails that the provider never reports.
    """

    def __init__(
        self, *, adapter: str, messages: int, kills: int, seed: int, workers: int, children: int, silent: float = 0.0
    ) -> None:
        self.adapter, self.messages, self.kills, self.silent = adapter, messages, kills, silent
        self.seed, self.dice = seed, random.Random(seed)
        self.crew = stage.Crew(workers=workers, children=children)
        self.faults: Counter[str] = Counter()
        self._stopped: dict[int, float] = {}

    def run(self, *, say: Callable[[str], Any]) -> dict[str, Any]:
        self.organization_id = stage.new_organization(f"sends-{self.seed}")
        with stage.product(), self._provider() as provider:
            mailboxes = stage.new_mailboxes(self.organization_id, MAILBOXES, **provider.mailbox_fields())
            stage.queue_messages(self.organization_id, mailboxes, self.messages)
            stage.empty_broker()
            begun = time.monotonic()
            with self.crew:
                self._until_nothing_moves(provider, say)
            seconds = time.monotonic() - begun
            # A day later what was never reported is sent again where that is allowed, and held where it is not.
            let_pass(self.organization_id, reconciling.SILENCE + timedelta(hours=1))
            reconciling.reconcile()
            with self.crew:
                self._until_nothing_moves(provider, say)
            return self._count(provider, seconds)

    @contextlib.contextmanager
    def _provider(self) -> Iterator[Adapter]:
        if self.adapter == "smtp":
            server = MailServer(distance=stage.FarSandbox.distance)
            try:
                yield OverSmtp(server, self._message_ids)
            finally:
                server.stop()
        else:
            with stage.provider(self.dice, silent=self.silent) as sandbox:
                yield OverSendGrid(sandbox)

    # --- The fire ---

    def _until_nothing_moves(self, provider: Adapter, say: Callable[[str], Any]) -> None:
        """Ring, strike, let leases end, until nothing is due or claimed and every report has been worked on."""
        seconds = 0

        def is_done() -> bool:
            nonlocal seconds
            seconds += 1
            self._wake_stopped()
            self._age_claims()
            if seconds % 10 == 0:
                say(f"{dict(stage.states_of(self.organization_id))}; {self.faults['kills']} kills")
            return provider.is_quiet() and stage.is_settled(self.organization_id)

        stage.ring_until(is_done, self.crew, longest=LONGEST, meanwhile=lambda: self._strike(provider))
        self._wake_stopped(everybody=True)

    def _strike(self, provider: Adapter) -> None:
        """The next fault, when it is time for it: a kill for every so many mails, and now and then something else."""
        kills = self.faults["kills"]
        if kills >= self.kills or provider.taken() < kills * self.messages / self.kills * 0.9:
            return
        if kills >= self.faults["database_losses"] * self.kills / LOSSES:
            stage.cut_workers_off_postgres()
            self.faults["database_losses"] += 1
        if kills >= (self.faults["broker_losses"] + 0.5) * self.kills / LOSSES:
            stage.empty_broker()
            self.faults["broker_losses"] += 1
        chance = self.dice.random()
        if chance < 0.02:
            self.crew.kill_worker(self.dice)
            self.faults["kills"] += 1
            self.faults["whole_workers"] += 1
            return
        children = self.crew.children()
        if not children:
            return
        victim = self.dice.choice(children)
        with contextlib.suppress(ProcessLookupError):
            if chance < 0.08 and len(self._stopped) < len(children) - 1:
                os.kill(victim, signal.SIGSTOP)
                self._stopped.setdefault(victim, time.monotonic() + PAUSE)
                self.faults["pauses"] += 1
            else:
                os.kill(victim, signal.SIGKILL)
                self.faults["kills"] += 1

    def _wake_stopped(self, *, everybody: bool = False) -> None:
        now = time.monotonic()
        for pid in [pid for pid, until in self._stopped.items() if everybody or until <= now]:
            del self._stopped[pid]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _age_claims(self) -> None:
        with org_scope(self.organization_id), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE outreach_message SET lease_until = lease_until - make_interval(secs => %s) WHERE id IN "
                "(SELECT id FROM outreach_message WHERE organization_id = %s AND state = 'sending' "
                "AND lease_until IS NOT NULL FOR UPDATE SKIP LOCKED)",
                [PACE - 1, self.organization_id],
            )

    # --- Counting ---

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result["lost"] or result["extra_accepts"] > result["provable_minimum"])

    def _mine(self) -> Any:
        return Message.objects.for_org(self.organization_id)

    def _message_ids(self) -> dict[str, str]:
        with org_scope(self.organization_id):
            named = self._mine().exclude(mail_message_id="").values_list("mail_message_id", "id")
            return {header: str(pk) for header, pk in named}

    def _count(self, provider: Adapter, seconds: float) -> dict[str, Any]:
        """Lost: neither with the provider nor in a state a person sees. Extra: accepted more than once for one intent."""
        accepts = provider.accepts()
        with org_scope(self.organization_id):
            states = {str(pk): state for pk, state in self._mine().values_list("id", "state")}
            again = SendAttempt.objects.for_org(self.organization_id).filter(outcome=Outcome.NOT_SENT)
            resent = [
                (str(pk), number)
                for pk, number in again.filter(detail=reconciling.NEVER_REPORTED).values_list("message_id", "number")
            ]
        visible = {State.ACCEPTED, State.UNKNOWN, State.HELD, State.REJECTED}
        lost = sum(
            state not in visible or (state == State.ACCEPTED and not accepts[pk]) for pk, state in states.items()
        )
        # A try that was accepted and never reported, sent again because its author allowed that: no algorithm could know.
        unavoidable = sum(provider.unproved(pk, number) and accepts[pk] > 1 for pk, number in resent)
        return {
            "drill": "sends", "adapter": str(self.adapter), "seed": self.seed, "messages": self.messages,
            "lost": lost, "extra_accepts": sum(times - 1 for times in accepts.values()), "provable_minimum": unavoidable,
            "accepted": sum(state == State.ACCEPTED for state in states.values()),
            "parked": dict(Counter(state for state in states.values() if state != State.ACCEPTED)),
            **{name: self.faults[name] for name in FAULTS},
            "silent": self.silent, "seconds": round(seconds, 1), "sends_per_s": round(self.messages / seconds, 1),
        }  # fmt: skip


FAULTS = ("kills", "whole_workers", "pauses", "database_losses", "broker_losses")
