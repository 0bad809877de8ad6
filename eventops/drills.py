"""Sending under fire: the product's own web server and Celery workers, the sandbox as provider, and kills in between.

A worker process is killed with SIGKILL wherever it stands, so a send is cut before, during or after its request. The
provider's reports come back through the real webhook, doubled and shuffled. In the end every message must be accepted
exactly once at the provider, or stand in a state a person sees; and none may have been accepted twice without need.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler

from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer
from django.utils import timezone

from eventops.celery import app as celery
from eventops.demo.clock import let_pass
from eventops.wsgi import application
from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import claiming, connecting, reconciling, reports
from outreach.addresses import address_hash
from outreach.models import Mailbox, Message, SendAttempt
from people.models import Person
from sandbox.server import RunningSandbox
from sandbox.web import Request, Response

STALL = 4.0
"""Seconds without progress after which nobody works any more: the rest is claimed by the dead."""
LONGEST = 1_500.0


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        pass


class FarSandbox(RunningSandbox):
    """A provider as far away as a real one, so that kills fall into requests that are under way."""

    def answer(self, request: Request) -> Response:
        time.sleep(random.uniform(0.02, 0.08))
        return super().answer(request)


class SendDrill:
    """One drill in an organization of its own. ``run`` answers with plain numbers."""

    def __init__(self, *, messages: int, kills: int, seed: int, workers: int) -> None:
        self.messages, self.kills, self.workers = messages, kills, workers
        self.seed, self.dice = seed, random.Random(seed)
        self.killed = self.paused = 0

    def run(self, *, say: Callable[[str], Any]) -> dict[str, Any]:
        sandbox = FarSandbox(port=urlsplit(settings.SENDGRID_BASE_URL).port or 0)
        web = ThreadedWSGIServer(("127.0.0.1", urlsplit(settings.BASE_URL).port or 0), _Silent)
        web.set_app(application)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            self.organization_id, mailbox_id = self._prepare()
            connecting.connect(self.organization_id, mailbox_id)
            sandbox.courier.start()
            begun = time.monotonic()
            self._send_all(sandbox, say)
            seconds = time.monotonic() - begun
            self._outlast_silence(sandbox, say)
            say(f"{self._states()} when silence had been long enough to mean something")
            return self._count(sandbox, seconds)
        finally:
            sandbox.stop()
            web.shutdown()
            web.server_close()

    # --- The stage ---

    def _prepare(self) -> tuple[UUID, UUID]:
        now = timezone.now()
        with system_scope():
            organization = Organization.objects.create(
                name="Drill", slug=f"drill-{self.seed}-{int(time.time())}", postal_address="Drill Street 1, Testville"
            )
            Message.objects.exclude(organization=organization).filter(
                state=Message.State.QUEUED, organization__slug__startswith="drill-"
            ).update(state=Message.State.CANCELLED)
        with org_scope(organization.pk):
            mailbox = Mailbox(
                organization=organization, name="Drill", from_name="Drill", from_address="drill@nordlicht.example",
                daily_cap=10_000_000, reply_domain="replies.nordlicht.example",
            )  # fmt: skip
            mailbox.seal_credentials({"api_key": "SG.drill-key-of-the-sandbox"})
            mailbox.save(force_insert=True)
            people = [
                Person(organization=organization, name=f"Person {n}", first_name="Person", email=f"p{n}@drill.example")
                for n in range(self.messages)
            ]
            for person in people:
                person.derive()
            Person.objects.bulk_create(people, batch_size=2_000)
            Message.objects.bulk_create(
                (
                    Message(
                        organization=organization, person=person, mailbox=mailbox, to_address=person.email,
                        address_hash=address_hash(organization.pk, person.email), subject="Drill", body="Hello.",
                        state=Message.State.QUEUED, due_at=now, resend_on_silence=bool(number % 2),
                    )
                    for number, person in enumerate(people)
                ),
                batch_size=2_000,
            )  # fmt: skip
        return organization.pk, mailbox.pk

    # --- A shift of workers ---

    def _shift(self) -> None:
        """Workers send and are killed until nothing moves any more; then all of them are killed at once."""
        command = [
            sys.executable, "-m", "celery", "-A", "eventops", "worker", "--pool", "prefork", "--concurrency",
            str(self.workers), "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR",
        ]  # fmt: skip
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        try:
            self._watch(worker)
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def _watch(self, worker: subprocess.Popen[bytes]) -> None:
        left, moved_at = self._open(), time.monotonic() + 15
        while left and time.monotonic() - moved_at < STALL:
            for _ in range(self.workers):
                celery.send_task("outreach.send_due", retry=False)
            for _ in range(25):
                time.sleep(0.02)
                self._strike(worker.pid)
            now_left = self._open()
            if now_left != left:
                left, moved_at = now_left, time.monotonic()

    def _strike(self, parent: int) -> None:
        """Kill one worker, or stop it for a moment, when it is time for the next fault."""
        done = self.messages - self._queued()
        if self.killed >= self.kills or done < self.killed * self.messages / max(self.kills, 1):
            return
        children = _children_of(parent)
        if not children:
            return
        victim = self.dice.choice(children)
        try:
            if self.dice.random() < 0.06:
                os.kill(victim, signal.SIGSTOP)
                time.sleep(0.3)
                os.kill(victim, signal.SIGCONT)
                self.paused += 1
            else:
                os.kill(victim, signal.SIGKILL)
                self.killed += 1
        except ProcessLookupError:
            return

    def _settle(self, sandbox: RunningSandbox) -> None:
        """What happens between shifts: leases end, reports come in, doubled and in any order."""
        reconciling.reconcile()
        deadline = time.monotonic() + 30
        while sandbox.world.owed and time.monotonic() < deadline:
            sandbox.courier.flush()
        reports.process(self.organization_id)
        reconciling.reconcile()

    def _send_all(self, sandbox: RunningSandbox, say: Callable[[str], Any]) -> None:
        """Shift after shift, until nothing waits or is claimed; between two of them the leases of the dead run out."""
        deadline = time.monotonic() + LONGEST
        while self._open() and time.monotonic() < deadline:
            self._shift()
            let_pass(self.organization_id, claiming.LEASE + timedelta(seconds=1))
            self._settle(sandbox)
            say(f"{self._states()} after {self.killed} kills")

    def _outlast_silence(self, sandbox: RunningSandbox, say: Callable[[str], Any]) -> None:
        """A day later: what the provider never reported is sent again where that is allowed, and held where it is not."""
        let_pass(self.organization_id, reconciling.SILENCE + timedelta(hours=1))
        self._settle(sandbox)
        self._send_all(sandbox, say)

    # --- Counting ---

    def _mine(self) -> Any:
        return Message.objects.for_org(self.organization_id)

    def _queued(self) -> int:
        with org_scope(self.organization_id):
            return int(self._mine().filter(state=Message.State.QUEUED).count())

    def _open(self) -> int:
        with org_scope(self.organization_id):
            return int(self._mine().filter(state__in=[Message.State.QUEUED, Message.State.SENDING]).count())

    def _states(self) -> str:
        with org_scope(self.organization_id):
            return ", ".join(
                f"{count} {state}" for state, count in Counter(self._mine().values_list("state", flat=True)).items()
            )

    def _count(self, sandbox: RunningSandbox, seconds: float) -> dict[str, Any]:
        """Lost: neither with the provider nor in a state a person sees. Extra: accepted more than once for one intent."""
        accepted = Counter(mail.custom_args.get("eo_id", "") for mail in sandbox.world.mails.values())
        with org_scope(self.organization_id):
            states = dict(self._mine().values_list("id", "state"))
            doubled = SendAttempt.objects.for_org(self.organization_id).filter(outcome="accepted").count()
        visible = {Message.State.ACCEPTED, Message.State.UNKNOWN, Message.State.HELD, Message.State.REJECTED}
        lost = sum(
            state not in visible or (state == Message.State.ACCEPTED and not accepted[str(pk)])
            for pk, state in states.items()
        )
        parked = Counter(state for state in states.values() if state != Message.State.ACCEPTED)
        return {
            "drill": "sends", "adapter": "sendgrid", "seed": self.seed, "messages": self.messages, "kills": self.killed,
            "pauses": self.paused, "lost": lost, "extra_accepts": sum(n - 1 for n in accepted.values() if n > 1),
            "provable_minimum": 0, "accepted": sum(state == Message.State.ACCEPTED for state in states.values()),
            "accepted_attempts": doubled, "parked": dict(parked), "seconds": round(seconds, 1),
            "sends_per_s": round(self.messages / seconds, 1),
        }  # fmt: skip


def _children_of(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout  # noqa: S607
    pairs = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]
