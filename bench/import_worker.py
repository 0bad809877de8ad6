"""``python -m bench.import_worker FILE``: import it into a fresh organization and print seconds and peak memory.

The organization stays: taking 100,000 people out again, with their history, would take longer than the bench.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path

from bench.registry import note, peak_rss_mb, stopwatch


def main(path: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventops.settings")
    import django

    django.setup()
    from common.ids import uuid7
    from events.models import Event
    from identity.models import Organization
    from identity.scope import org_scope, system_scope
    from people import import_services
    from people.importing import mapping, running

    with system_scope():
        slug = f"bench-import-{uuid7().hex[-12:]}"
        organization = Organization.objects.create(name="Bench import", slug=slug)
        event = Event.objects.create(
            organization=organization, name="Show", slug="show", starts_on=date(2026, 12, 8), ends_on=date(2026, 12, 10)
        )
    with stopwatch() as seconds:
        with org_scope(organization.pk), path.open("rb") as source:
            list_import = import_services.begin(
                organization=organization, actor=None, event=event, file_name=path.name, source=source
            )
            columns = mapping.from_json(list_import.headers, list_import.mapping)
            import_services.set_columns(list_import, columns, mode="both", event=event)
            import_services.run(list_import, ring=False)
        while not running.work(list_import.pk):
            pass
    with org_scope(organization.pk):
        list_import.refresh_from_db()
    assert list_import.status == "finished", list_import.error
    note(f"{list_import.people_created} people, {list_import.accounts_created} accounts")
    print(json.dumps({"seconds": seconds(), "rss_mb": peak_rss_mb()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
