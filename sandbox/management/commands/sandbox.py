from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from sandbox.app import Sandbox
from sandbox.names import NameServer
from sandbox.web import Server


class Command(BaseCommand):
    help = "Plays the vendors on this machine, with a page on which you play the recipients of the mails."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="default: the port of SANDBOX_URL, or 8001")
        parser.add_argument("--state", type=Path, help="the folder that keeps the mails; default .local/sandbox")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"] or urlsplit(settings.SANDBOX_URL).port or 8001
        sandbox = Sandbox(options["state"] or Path(settings.BASE_DIR) / ".local" / "sandbox")
        server = Server(sandbox.answer, port)
        names = NameServer(sandbox.names, port)
        names.start()
        sandbox.courier.start()
        self.stdout.write(f"The sandbox listens on {server.url}, and answers questions about names there over UDP")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sandbox.courier.stop()
            names.stop()
