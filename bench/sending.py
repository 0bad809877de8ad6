"""``send_messages_per_s``: claim, all gates, render, hand over by HTTP to the sandbox, record; two worker processes.

Run as a module with a role (``work`` or ``sandbox``) it is one of the processes the bench starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import time as clock
from uuid import UUID, uuid4

from bench.registry import Figure, bench, note, scaled, stopwatch

WORKERS = 2
MESSAGES = 3_000


@bench("send_messages_per_s")
def send_messages() -> Iterator[Figure]:
    """Messages a second over one mailbox, from the first claim to the last record, every one accepted once."""
    from identity.scope import org_scope
    from outreach.models import Message

    number = scaled(MESSAGES)
    organization_id, mailbox_id = ensure_queue(number)
    sandbox = start("sandbox")
    url = line_of(sandbox)
    workers = [start("work", str(organization_id), str(mailbox_id), SENDGRID_BASE_URL=url) for _ in range(WORKERS)]
    try:
        for worker in workers:
            line_of(worker)
        with stopwatch() as seconds:
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
            sent = [int(line_of(worker)) for worker in workers]
    finally:
        for process in [*workers, sandbox]:
            process.terminate()
            process.wait()
    note(f"{sum(sent)} messages by {len(sent)} workers ({sent}) in {seconds():.1f} s")
    with org_scope(organization_id):
        accepted = Message.objects.for_org(organization_id).filter(mailbox=mailbox_id, state="accepted").count()
    assert accepted == number == sum(sent), (accepted, number, sent)
    yield Figure("send_messages_per_s", number / seconds(), "1/s")


def ensure_queue(number: int) -> tuple[UUID, UUID]:
    """A fresh mailbox with ``number`` messages that are due, in the bench's own organization."""
    from django.utils import timezone

    from accounts.models import Account
    from identity.models import Organization
    from identity.scope import org_scope, system_scope
    from outreach import domains
    from outreach.addresses import address_hash
    from outreach.models import Campaign, Mailbox, Message, Suppression
    from people.models import Person

    with system_scope():
        organization, _ = Organization.objects.get_or_create(
            slug="bench-sending",
            defaults={"name": "Bench sending", "postal_address": "1 Harbour Street, 20095 Hamburg"},
        )
    now = timezone.now()
    with org_scope(organization.pk):
        mine = {"organization_id": organization.pk}
        people = list(Person.objects.for_org(organization).order_by("id")[:number])
        if len(people) < number:
            account = Account.objects.create(name="Acme GmbH", **mine)
            fresh = [
                Person(name=f"Ada {n}", first_name="Ada", email=f"ada{n}@acme.example", account=account, **mine)
                for n in range(len(people), number)
            ]
            for person in fresh:
                person.derive()
            people += Person.objects.bulk_create(fresh, batch_size=1_000)
            # A list that the gate has to look into.
            Suppression.objects.bulk_create(
                (Suppression(address_hash=uuid4(), reason="unsubscribed", **mine) for _ in range(number)),
                batch_size=1_000,
            )
        Mailbox.objects.for_org(organization).update(archived_at=now)
        Message.objects.for_org(organization).delete()
        mailbox = Mailbox(
            name=f"Bench {uuid4()}", from_name="Nora Nord", from_address="nora@nordlicht.example",
            daily_cap=10_000_000, connected_at=now, reply_domain="replies.nordlicht.example",
            window_days=list(range(7)), window_opens=clock.min, window_closes=clock.max, **mine,
        )  # fmt: skip
        mailbox.seal_credentials({"api_key": "SG.bench-key-of-the-sandbox"})
        mailbox.save(force_insert=True)
        domains.override(organization.pk, mailbox.domain, reason="A bench: all mail goes to the sandbox.", actor=None)
        # Automatic mail in a window: every gate has something to look at.
        campaign = Campaign.objects.create(name="Bench", mailbox=mailbox, status="sending", **mine)
        Message.objects.bulk_create(
            (
                Message(
                    person=person, account_id=person.account_id, mailbox=mailbox, to_address=person.email,
                    address_hash=address_hash(organization.pk, person.email), subject="Meet us at TechExpo",
                    body=f"Hello {person.first_name},\n\nmay we show you our robots at booth A-12?\n\n- fast\n- quiet\n\n"
                    "See https://nordlicht.example/robots for more.\n\nBest regards\nNora Nord",
                    state="queued", due_at=now, campaign=campaign, keeps_window=True, time_zone="Asia/Tokyo", **mine,
                )
                for person in people
            ),
            batch_size=1_000,
        )  # fmt: skip
    return organization.pk, mailbox.pk


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.sending", *arguments],
        env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, "a process of the bench ended too early"
    return line


def play_sandbox() -> None:
    from sandbox.app import Sandbox
    from sandbox.web import Server

    server = Server(Sandbox().answer)
    print(server.url, flush=True)
    server.serve_forever()


def work(organization_id: UUID, mailbox_id: UUID) -> None:
    """Wait for the word, then send until nothing is due."""
    import django

    django.setup()
    from django.db import connection

    from outreach import delivery

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.process_time()
    sent = delivery.deliver_mailbox(organization_id, mailbox_id, until=lambda: False)
    print(sent, flush=True)
    note(f"worker used {1000 * (time.process_time() - begun) / max(sent, 1):.1f} ms of processor per message")


if __name__ == "__main__":
    if sys.argv[1] == "sandbox":
        play_sandbox()
    else:
        work(UUID(sys.argv[2]), UUID(sys.argv[3]))
