"""Signed event batches over real HTTP into the real server, while a real worker works them off."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from queue import Empty, Queue
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from bench.registry import Figure, bench, note, p95, scaled
from bench.sending import ensure_queue
from identity.scope import org_scope
from outreach import tokens
from outreach.models import Mailbox, Message, ProviderEvent
from sandbox.world import World

MESSAGES = 6_000
KINDS = ("processed", "delivered", "open")
BATCH = 25
"""Events in one delivery."""
PACE = 650.0
"""Events a second that the provider hands over; what is slower than that is the product."""
SENDERS = 4
PATIENCE = 120.0


@bench("webhook_events_per_s", "webhook_ack_p95_ms")
def webhooks() -> Iterator[Figure]:
    """Events a second from the first delivery to the last one worked off, and how long the provider waits for its 204."""
    number = scaled(MESSAGES)
    organization_id, mailbox_id = ensure_queue(number)
    world = World()
    deliveries = prepare(world, organization_id, mailbox_id)
    events = number * len(KINDS)
    address = f"/api/webhooks/sendgrid/{tokens.mailbox_token(mailbox_id)}"
    port = free_port()
    processes = [start_server(port), start_worker()]
    try:
        wait_for(port)
        hand_over(port, address, deliveries[:10], pace=1e9)  # server and worker have read everything they need
        time.sleep(1)
        begun = time.perf_counter()
        taken = hand_over(port, address, deliveries[10:], pace=PACE)
        handed_over = time.perf_counter() - begun
        while left(organization_id) and time.perf_counter() - begun < PATIENCE:
            time.sleep(0.1)
        seconds = time.perf_counter() - begun
        assert not left(organization_id), "the worker did not get through"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
    with org_scope(organization_id):
        stored = ProviderEvent.objects.for_org(organization_id).count()
        opened = Message.objects.for_org(organization_id).filter(opened_at__isnull=False).count()
    assert (stored, opened) == (events, number), (stored, opened)
    note(f"{events:,} events handed over in {handed_over:.1f} s, worked off after {seconds:.1f} s")
    yield Figure("webhook_events_per_s", (events - 10 * BATCH) / seconds, "1/s")
    yield Figure("webhook_ack_p95_ms", p95(taken), "ms")


def prepare(world: World, organization_id: UUID, mailbox_id: UUID) -> list[tuple[dict[str, str], bytes]]:
    """The mails as sent ten minutes ago, and everything a provider has to say about them in signed deliveries."""
    sent = timezone.now() - timedelta(minutes=10)
    with org_scope(organization_id):
        ProviderEvent.objects.for_org(organization_id).delete()
        Mailbox.objects.for_org(organization_id).filter(pk=mailbox_id).update(webhook_key=world.public_key)
        mine = Message.objects.for_org(organization_id)
        mine.update(state="accepted", sent_at=sent)
        ids = list(mine.order_by("id").values_list("id", flat=True))
    events = [event(pk, kind, place, sent.timestamp()) for place, kind in enumerate(KINDS) for pk in ids]
    deliveries = []
    for start in range(0, len(events), BATCH):
        body = json.dumps(events[start : start + BATCH]).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "X-Twilio-Email-Event-Webhook-Signature": world.sign(timestamp, body),
        }
        deliveries.append((headers, body))
    return deliveries


def event(message_id: UUID, kind: str, place: int, sent: float) -> dict[str, Any]:
    return {
        "email": "ada@acme.example", "timestamp": int(sent) + 60 * (place + 1), "event": kind, "sg_event_id": uuid4().hex,
        "sg_message_id": f"{message_id}.recvd", "smtp-id": f"<{message_id}@bench>", "eo_id": str(message_id), "eo_n": "1",
        "useragent": "Mozilla/5.0", "ip": "192.0.2.1",
    }  # fmt: skip


def hand_over(port: int, address: str, deliveries: list[tuple[dict[str, str], bytes]], *, pace: float) -> list[float]:
    """Post the deliveries over a few kept connections, ``pace`` events a second. Returns the milliseconds each took."""
    waiting: Queue[tuple[float, dict[str, str], bytes]] = Queue()
    begun = time.perf_counter()
    for number, (headers, body) in enumerate(deliveries):
        waiting.put((begun + number * BATCH / pace, headers, body))
    taken: list[float] = []

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            try:
                due, headers, body = waiting.get_nowait()
            except Empty:
                connection.close()
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            at = time.perf_counter()
            connection.request("POST", address, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            taken.append(1000 * (time.perf_counter() - at))
            assert answer.status == 204, answer.status

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(taken) == len(deliveries), "a delivery was refused"
    return taken


def left(organization_id: UUID) -> bool:
    with org_scope(organization_id):
        return ProviderEvent.objects.for_org(organization_id).unprocessed().exists()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start_server(port: int) -> subprocess.Popen[bytes]:
    """The web server as in production."""
    own = {
        "PORT": str(port),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_POOL": "1",
    }
    return _start("gunicorn", "eventops.wsgi", **own)


def start_worker() -> subprocess.Popen[bytes]:
    return _start("celery", "-A", "eventops", "worker", "--concurrency", "1", "--purge", "--loglevel", "ERROR")


def _start(*command: str, **own: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *command], env=os.environ | {"WORKER_HEALTH_PORT": "0"} | own, stdout=subprocess.DEVNULL
    )


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server did not start")
