"""What every drill stands on: the product's web server, workers as processes, the played vendors, an own organization."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import time as clock
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler

import redis
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection
from django.utils import timezone
from kombu.exceptions import KombuError

from eventops.celery import app as celery
from eventops.wsgi import application
from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import connecting, domains
from outreach.addresses import address_hash
from outreach.models import Mailbox, Message, ProviderEvent
from people.models import Person
from sandbox.courier import Courier
from sandbox.server import RunningSandbox
from sandbox.web import Request, Response, as_json
from sandbox.world import Delivery, World

WORKERS = "eventops-drill"
"""What the workers' connections are called in Postgres."""
WAIT = 5
"""Seconds a provider that is asked too much wants us to wait."""
_ALWAYS = {
    "window_days": list(range(7)),
    "window_opens": clock.min,
    "window_closes": clock.max,
    "keeps_holidays": False,
}


class FarSandbox(RunningSandbox):
    """A provider as far away as a real one, so that faults fall into requests that are under way; its reports get around."""

    distance = (0.02, 0.08)
    refusing = 0.0
    """The share of the sends that are told to wait (429)."""
    refused = 0

    def __init__(self, *, port: int, dice: random.Random, silent: float = 0.0) -> None:
        super().__init__(port=port)
        self.courier = GossipingCourier(self.world, dice, silent)

    def answer(self, request: Request) -> Response:
        time.sleep(random.uniform(*self.distance))
        if request.path == "/v3/mail/send" and random.random() < self.refusing:
            self.refused += 1
            said = {"errors": [{"field": None, "message": "too many requests"}]}
            return as_json(said, 429, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(time.time()) + WAIT))
        return super().answer(request)


class GossipingCourier(Courier):
    """Reports come in small batches, shuffled, up to three times; a share of the mails, ``silent``, is never reported."""

    def __init__(self, world: World, dice: random.Random, silent: float) -> None:
        super().__init__(world)
        self._dice, self._silent = dice, silent
        self._salt = dice.random()

    def is_silent(self, intent_id: str, attempt: str) -> bool:
        """Whether this try is one of those that are never reported."""
        return random.Random(f"{self._salt} {intent_id} {attempt}").random() < self._silent

    def flush(self) -> int:
        accepted = 0
        for owed in self.world.take_owed():
            events = [one for one in owed.events if not self.is_silent(one.get("eo_id", ""), one.get("eo_n", ""))]
            events *= 2
            self._dice.shuffle(events)
            for start in range(0, len(events), 100):
                batch = Delivery(owed.hook, events[start : start + 100])
                for _ in range(self._dice.choice((1, 1, 2))):
                    status = self.deliver(batch.hook.url, *self.envelope(batch))
                if 200 <= status < 300:
                    accepted += 1
                else:
                    self.world.owe(batch)
        return accepted


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        pass


@contextlib.contextmanager
def product() -> Iterator[None]:
    """The product's web server on the address that ``BASE_URL`` names."""
    web = ThreadedWSGIServer(("127.0.0.1", urlsplit(settings.BASE_URL).port or 0), _Silent)
    web.set_app(application)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        web.shutdown()
        web.server_close()


@contextlib.contextmanager
def provider(dice: random.Random, *, silent: float = 0.0) -> Iterator[FarSandbox]:
    """The sandbox on the address that ``SENDGRID_BASE_URL`` names; its reports are on their way by themselves."""
    sandbox = FarSandbox(port=urlsplit(settings.SENDGRID_BASE_URL).port or 0, dice=dice, silent=silent)
    sandbox.courier.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


# --- Rows ------------------------------------------------------------------------------------------------------------


def new_organization(name: str) -> UUID:
    """An organization of the drill's own; what earlier drills left to send is called off."""
    with system_scope():
        organization = Organization.objects.create(
            name="Drill", slug=f"drill-{name}-{time.time_ns()}", postal_address="Drill Street 1, Testville"
        )
        Message.objects.exclude(organization=organization).filter(
            state__in=[Message.State.QUEUED, Message.State.SENDING], organization__slug__startswith="drill-"
        ).update(state=Message.State.CANCELLED, token=None, lease_until=None)
    return organization.pk


def new_mailboxes(organization_id: UUID, number: int, **fields: Any) -> list[Mailbox]:
    """Mailboxes that may send at any hour, introduced to their provider."""
    mailboxes = []
    for place in range(number):
        with org_scope(organization_id):
            mailbox = Mailbox(
                **{
                    "organization_id": organization_id, "name": f"Drill {place}", "from_name": "Drill",
                    "from_address": "drill@nordlicht.example", "daily_cap": 10_000_000,
                    "reply_domain": "replies.nordlicht.example", **_ALWAYS, **fields,
                }
            )  # fmt: skip
            if mailbox.kind == Mailbox.Kind.SENDGRID:
                mailbox.seal_credentials({"api_key": "SG.drill-key-of-the-sandbox"})
            mailbox.save(force_insert=True)
            domains.override(organization_id, mailbox.domain, reason="A drill: all mail stays here.", actor=None)
        connecting.connect(organization_id, mailbox.pk)
        mailboxes.append(mailbox)
    return mailboxes


def queue_messages(organization_id: UUID, mailboxes: list[Mailbox], number: int, **fields: Any) -> None:
    """``number`` messages to as many people, due now, dealt out to the mailboxes; every second one may be sent again."""
    now = timezone.now()
    mine = {"organization_id": organization_id}
    with org_scope(organization_id):
        people = [
            Person(name=f"Person {n}", first_name="Person", email=f"p{n}@drill.example", **mine) for n in range(number)
        ]
        for person in people:
            person.derive()
        Person.objects.bulk_create(people, batch_size=2_000)
        Message.objects.bulk_create(
            (
                Message(
                    person=person, mailbox=mailboxes[place % len(mailboxes)], to_address=person.email,
                    address_hash=address_hash(organization_id, person.email), subject="Drill", body="Hello.",
                    state=Message.State.QUEUED, due_at=now, resend_on_silence=bool(place // len(mailboxes) % 2),
                    **mine, **fields,
                )
                for place, person in enumerate(people)
            ),
            batch_size=2_000,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE outreach_message")


def states_of(organization_id: UUID) -> Counter[str]:
    """How many messages stand in each state."""
    with org_scope(organization_id):
        return Counter(Message.objects.for_org(organization_id).values_list("state", flat=True))


def is_settled(organization_id: UUID) -> bool:
    """Whether nothing waits or is claimed, and every report was worked on."""
    with org_scope(organization_id):
        moving = Message.objects.for_org(organization_id).filter(state__in=["queued", "sending"]).exists()
        return not moving and not ProviderEvent.objects.for_org(organization_id).unprocessed().exists()


# --- Workers ---------------------------------------------------------------------------------------------------------


class Crew:
    """Celery workers as in production: ``workers`` parents, each with ``children`` forks that do the work."""

    def __init__(self, *, workers: int, children: int) -> None:
        self.size, self.children_each = workers, children
        self._parents: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Crew:
        self.mend()
        return self

    def __exit__(self, *args: object) -> None:
        for parent in self._parents:
            _kill_group(parent)

    def mend(self) -> None:
        """Start the workers that are missing."""
        self._parents = [parent for parent in self._parents if parent.poll() is None]
        while len(self._parents) < self.size:
            self._parents.append(self._start())

    def kill_worker(self, dice: random.Random) -> None:
        """SIGKILL to a whole worker, parent and children."""
        _kill_group(dice.choice(self._parents))
        self.mend()

    def children(self) -> list[int]:
        """The processes that do the work."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout  # noqa: S607
        pairs = (line.split() for line in listed.splitlines())
        parents = {parent.pid for parent in self._parents}
        return [int(pid) for pid, ppid in pairs if int(ppid) in parents]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-m", "celery", "-A", "eventops", "worker", "--pool", "prefork", "--concurrency",
            str(self.children_each), "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR",
            "--hostname", f"drill-{time.time_ns()}@localhost",
        ]  # fmt: skip
        own = os.environ | {"PGAPPNAME": WORKERS, "WORKER_HEALTH_PORT": "0"}
        return subprocess.Popen(  # noqa: S603
            command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )


def _kill_group(parent: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()


def ring(task: str, *, times: int = 1) -> None:
    """Ring a bell, as the beat does; a broker that is away does not matter."""
    for _ in range(times):
        with contextlib.suppress(OSError, KombuError):
            celery.send_task(task, retry=False)


def broker() -> redis.Redis:
    """The broker itself, behind any relay."""
    return redis.Redis.from_url(settings.CELERY_BROKER_URL)


def ring_until(is_done: Callable[[], bool], crew: Crew, *, longest: float, meanwhile: Callable[[], object]) -> float:
    """Ring as the beat does, only more often, until ``is_done``; call ``meanwhile`` all the time. Returns the seconds."""
    begun, second = time.monotonic(), 0
    while time.monotonic() - begun < longest:
        if waiting_bells() < crew.size * 2:
            ring("outreach.sweep" if second % 2 else "outreach.send_due", times=crew.size)
        next_second = time.monotonic() + 1
        while time.monotonic() < next_second:
            meanwhile()
            time.sleep(0.01)
        crew.mend()
        second += 1
        if is_done():
            break
    return time.monotonic() - begun


def waiting_bells() -> int:
    """How many messages stand in the broker's queue; none when it is away."""
    try:
        with contextlib.closing(broker()) as opened:
            return int(opened.llen("celery"))
    except redis.RedisError:
        return 0


def empty_broker() -> None:
    """Everything the broker held is gone."""
    with contextlib.suppress(redis.RedisError), contextlib.closing(broker()) as opened:
        opened.flushdb()


def cut_workers_off_postgres() -> int:
    """End every connection of the workers in the middle of whatever they do. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [WORKERS],
        )
        return int(cursor.fetchone()[0])
