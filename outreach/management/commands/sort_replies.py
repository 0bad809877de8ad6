"""``manage.py sort_replies --organization SLUG [--since DAYS]``: read kept mails again, after the rules have changed."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from identity.models import Organization
from identity.scope import system_scope
from outreach import inbound


class Command(BaseCommand):
    help = "Run the rules over the mails that came back once more. What a person decided stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, help="slug of the organization")
        parser.add_argument("--since", type=int, help="only mails of so many days (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        with system_scope():
            organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization “{options['organization']}”.")
        since = timezone.now() - timedelta(days=options["since"]) if options["since"] else None
        changed = 0
        for mail_id, before, now in inbound.sort_again(organization.pk, since=since):
            changed += 1
            self.stdout.write(f"{mail_id}  {before} -> {now}")
        self.stdout.write(f"{changed} {'mail has' if changed == 1 else 'mails have'} another class now.")
