"""``manage.py import_list FILE --event SLUG --organization SLUG [--mapping FILE] [--mode …] [--dry-run]``."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from common.tabular import UnreadableError
from events.models import Event
from identity.models import Organization
from identity.scope import org_scope, system_scope
from people import import_services as services
from people.import_models import ListImport
from people.importing import mapping, rejects, results, running
from people.importing.mapping import MappingError


class Command(BaseCommand):
    help = "Import a CSV or XLSX list of companies, people, or both, the same way the import pages do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--organization", required=True, help="slug of the organization")
        parser.add_argument("--event", default="", help="slug of the event the companies exhibit at")
        parser.add_argument("--mapping", type=Path, help='JSON file: {"column header": "account.name", …}')
        parser.add_argument("--mode", choices=ListImport.Mode.values, default=ListImport.Mode.BOTH)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--errors", type=Path, help="where to write the rejected rows (default: beside the file)")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        path: Path = options["file"]
        with system_scope():
            organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization '{options['organization']}'.")
        try:
            list_import = self._begin(organization, path, options)
        except FileNotFoundError as error:
            raise CommandError(f"There is no file {error.filename}.") from None
        except (UnreadableError, MappingError, json.JSONDecodeError) as error:
            raise CommandError(str(error)) from None
        while not running.work(list_import.pk):
            pass
        with org_scope(organization.pk):
            list_import.refresh_from_db()
            self._report(list_import, options, time.monotonic() - started)
            if options["dry_run"] and list_import.status == ListImport.Status.CHECKED:
                services.discard(list_import)
        if list_import.status == ListImport.Status.FAILED:
            raise CommandError(list_import.error)

    def _begin(self, organization: Organization, path: Path, options: dict[str, Any]) -> ListImport:
        with org_scope(organization.pk), transaction.atomic():
            event = None
            if options["event"]:
                event = Event.objects.for_org(organization).filter(slug=options["event"]).first()
                if event is None:
                    raise CommandError(f"There is no event '{options['event']}'.")
            with path.open("rb") as source:
                list_import = services.begin(
                    organization=organization, actor=None, event=event, file_name=path.name, source=source
                )
            if options["mapping"]:
                named = json.loads(options["mapping"].read_text("utf-8"))
                columns = mapping.from_named(list_import.headers, named)
            else:
                columns = mapping.from_json(list_import.headers, list_import.mapping)
            list_import = services.set_columns(list_import, columns, mode=options["mode"], event=event)
            for column in columns:
                meaning = f"{column.target.label} ({column.policy})" if column.target else "ignored"
                self.stderr.write(f"  {column.header:<30} {meaning}")
            (services.check if options["dry_run"] else services.run)(list_import, ring=False)
            return list_import

    def _report(self, list_import: ListImport, options: dict[str, Any], seconds: float) -> None:
        if list_import.status == ListImport.Status.FAILED:
            return
        i = list_import
        self.stdout.write(
            f"{i.rows_total} rows in = {i.rows_created} created + {i.rows_updated} updated + {i.rows_unchanged} unchanged + "
            f"{i.rows_rejected} rejected   ({seconds:.1f} s)"
        )
        self.stdout.write(
            f"accounts: {i.accounts_created} created, {i.accounts_updated} updated; people: {i.people_created} created, "
            f"{i.people_updated} updated; {i.rows_repeated} repeated rows, {i.rows_cleaned} rows with values cleaned"
        )
        for reason, count in results.reasons(list_import):
            self.stdout.write(f"  {count:>6} x {reason}")
        if i.rows_rejected:
            target = options["errors"] or options["file"].with_name(f"{options['file'].stem}-rejected.csv")
            with target.open("wb") as out:
                out.writelines(rejects.as_csv(list_import))
            self.stdout.write(f"rejected rows: {target}")
