"""``manage.py drill NAME``: put the product under faults on this machine, then count what was lost or doubled."""

import json
import os
import socket
import sys
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

MARK = "EVENTOPS_DRILL"
SIZES = {
    "sends": (10_000, 0), "broker": (5_000, 10), "storm": (5_000, 600), "caps": (20_000, 1_000), "stops": (10_000, 0),
    "switch": (6_000, 20),
}  # fmt: skip
"""The full size of every drill: messages, and how often what goes wrong goes wrong."""


class Command(BaseCommand):
    help = (
        "Prove the product against faults: real Celery workers, played vendors, kills and storms. One JSON line each."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=SIZES)
        parser.add_argument("--messages", type=int, help="how many mails are on their way")
        parser.add_argument("--times", type=int, help="losses of the broker, seconds of the storm, mailboxes, stops")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--workers", type=int, default=2, help="Celery workers")
        parser.add_argument("--children", type=int, default=3, help="processes of each worker")
        parser.add_argument("--adapter", choices=["sendgrid", "smtp"], default="sendgrid", help="of the drill “sends”")
        parser.add_argument("--kills", type=int, default=1_000, help="of the drill “sends”")
        parser.add_argument("--silent", type=float, default=0.0, help="share of the mails the provider never reports")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if not (settings.EVENTOPS_DEMO or settings.DEBUG):
            raise CommandError("A drill sends thousands of mails to a played provider: run it on a demo, never here.")
        if MARK not in os.environ:
            _begin_again_with_own_addresses(behind_relay=what == "broker")
        from eventops.drills.mailings import MAILINGS
        from eventops.drills.sends import SendDrill

        messages, times = SIZES[what]
        common = {
            "messages": options["messages"] or messages, "seed": options["seed"], "workers": options["workers"],
            "children": options["children"],
        }  # fmt: skip
        drill = (
            SendDrill(**common, adapter=options["adapter"], kills=options["kills"], silent=options["silent"])
            if what == "sends"
            else MAILINGS[what](**common, times=options["times"] or times)
        )
        result = drill.run(say=self.stderr.write)
        self.stdout.write(json.dumps(result))
        if drill.failed(result):
            raise CommandError("The drill failed: see the figures.")


def _begin_again_with_own_addresses(*, behind_relay: bool) -> None:
    """The settings are read at the start, so the drill's own addresses must be there before."""
    own = {
        MARK: "1",
        "BASE_URL": f"http://127.0.0.1:{_free_port()}",
        "SENDGRID_BASE_URL": f"http://127.0.0.1:{_free_port()}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }
    if behind_relay:
        broker = urlsplit(settings.CELERY_BROKER_URL)
        who = broker.netloc.rpartition("@")[0]
        relayed = broker._replace(netloc=f"{who}@127.0.0.1:{_free_port()}" if who else f"127.0.0.1:{_free_port()}")
        own |= {"EVENTOPS_DRILL_BROKER": settings.CELERY_BROKER_URL, "CELERY_BROKER_URL": urlunsplit(relayed)}
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | own)  # noqa: S606 - ourselves


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
