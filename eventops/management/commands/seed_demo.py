import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from eventops import demo
from identity.models import User
from identity.scope import system_scope


class Command(BaseCommand):
    help = "Add the demo's organization. What is there already stays as it is, so running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="use the password that the documentation names")
        parser.add_argument(
            "--fresh", action="store_true", help="delete the demo's organization first, with all it has"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = options["demo"] or settings.EVENTOPS_DEMO or settings.DEBUG
        password = demo.KNOWN_PASSWORD if known else secrets.token_urlsafe(15)
        if options["fresh"]:
            demo.remove()
        with system_scope():
            is_new = not User.objects.filter(email=demo.ADMIN).exists()
        demo.seed(password=password, password_for_all=known)
        if is_new:
            self.stdout.write(f"Sign in as {demo.ADMIN} with the password {password}")
        self.stdout.write("The demo is ready.")
