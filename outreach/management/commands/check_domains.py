"""Check the sending domains now, without a worker: ``manage.py check_domains --domain example.com``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from identity.scope import system_scope
from outreach import domains
from outreach.models import SendingDomain


class Command(BaseCommand):
    help = "Asks the DNS about every sending domain in use and prints what it finds. Ends with 1 when one is not ready."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--domain", help="only this one")
        parser.add_argument("--organization", metavar="SLUG", help="only those of this organization")

    def handle(self, *, domain: str | None, organization: str | None, **options: Any) -> None:
        domains.notice()
        with system_scope():
            rows = SendingDomain.objects.in_use().order_by("organization__slug", "domain")
            rows = rows.filter(domain=domain.lower()) if domain else rows
            rows = rows.filter(organization__slug=organization) if organization else rows
            wanted = list(rows.values_list("organization_id", "id"))
        if not wanted:
            raise CommandError("There is no such domain.")
        ready = [self._check(*one) for one in wanted]
        if not all(ready):
            raise CommandError("Not every domain is ready to send.", returncode=1)

    def _check(self, organization_id: Any, domain_id: Any) -> bool:
        domains.check(organization_id, domain_id)
        with system_scope():
            row = SendingDomain.objects.select_related("organization").get(pk=domain_id)
            overridden = row.overrides.filter(ended_at=None).exists()
        exception = ", sends by exception" if overridden else ""
        self.stdout.write(f"{row.organization.slug} {row.domain}: {row.get_state_display().lower()}{exception}")
        for finding in row.findings:
            self.stdout.write(f"  {finding['check']:<12}{finding['state']:<8}{finding['words']}")
            for record in finding["records"]:
                self.stdout.write(f"    paste: {record['name']} {record['type']} {record['value']}")
        return row.state == SendingDomain.State.PASSED or overridden
