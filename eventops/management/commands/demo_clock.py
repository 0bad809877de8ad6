"""``manage.py demo_clock --days N --hours N --organization SLUG``: let time pass in a demo, to watch steps fall due."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from eventops.demo.clock import let_pass
from eventops.demo.world import SLUG
from identity.models import Organization
from identity.scope import system_scope


class Command(BaseCommand):
    help = "Let time pass in one organization: what is planned and what has happened moves back. For demos and trials."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=0)
        parser.add_argument("--hours", type=int, default=0)
        parser.add_argument("--organization", default=SLUG, help=f"the organization's short name ({SLUG})")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.EVENTOPS_DEMO or settings.DEBUG):
            raise CommandError("Time passes by itself here: this is for demos only (EVENTOPS_DEMO=1).")
        passed = timedelta(days=options["days"], hours=options["hours"])
        if passed <= timedelta():
            raise CommandError("Say how much time should pass, for example --days 3.")
        with system_scope():
            organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization “{options['organization']}”.")
        let_pass(organization.pk, passed)
        self.stdout.write(f"{passed} have passed in {organization.name}. What fell due happens within a minute.")
