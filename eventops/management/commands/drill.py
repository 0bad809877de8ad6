"""``manage.py drill NAME``: put the product under faults on this machine, then count what was lost or doubled."""

import json
import os
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

MARK = "EVENTOPS_DRILL"


class Command(BaseCommand):
    help = (
        "Prove the product against faults: real Celery workers, played vendors, kills and storms. One JSON line each."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["sends"])
        parser.add_argument("--adapter", choices=["sendgrid", "smtp"], default="sendgrid")
        parser.add_argument("--messages", type=int, default=10_000)
        parser.add_argument("--kills", type=int, default=1_000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--workers", type=int, default=2, help="Celery workers")
        parser.add_argument("--children", type=int, default=3, help="processes of each worker")
        parser.add_argument("--silent", type=float, default=0.0, help="share of the mails the provider never reports")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.EVENTOPS_DEMO or settings.DEBUG):
            raise CommandError("A drill sends thousands of mails to a played provider: run it on a demo, never here.")
        if MARK not in os.environ:
            _begin_again_with_own_addresses()
        from eventops.drills.sends import SendDrill

        names = ("adapter", "messages", "kills", "seed", "workers", "children", "silent")
        result = SendDrill(**{name: options[name] for name in names}).run(say=self.stderr.write)
        self.stdout.write(json.dumps(result))
        if result["lost"] or result["extra_accepts"] > result["provable_minimum"]:
            raise CommandError("The drill failed: mails were lost, or sent more often than can be proven unavoidable.")


def _begin_again_with_own_addresses() -> None:
    """The settings are read at the start, so the drill's own addresses must be there before."""
    product, provider = _free_port(), _free_port()
    own = {
        MARK: "1",
        "BASE_URL": f"http://127.0.0.1:{product}",
        "SENDGRID_BASE_URL": f"http://127.0.0.1:{provider}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | own)  # noqa: S606 - ourselves


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
