"""Short ways to run an import in a test."""

import csv
import io
from typing import Any

from common.tabular import UnreadableError
from events.models import Event
from identity.models import Organization
from identity.scope import org_scope
from people import import_services as services
from people.import_models import ImportRow, ListImport
from people.importing import mapping, rejects, running
from people.importing.mapping import MappingError


def csv_bytes(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def begin(
    organization: Organization, content: bytes, *, event: Event | None = None, name: str = "list.csv"
) -> ListImport:
    with org_scope(organization.pk):
        return services.begin(
            organization=organization, actor=None, event=event, file_name=name, source=io.BytesIO(content)
        )


def bring_in(
    organization: Organization,
    content: bytes | list[list[str]],
    *,
    event: Event | None = None,
    mode: str = "both",
    named: dict[str, Any] | None = None,
    only_check: bool = False,
    name: str = "list.csv",
) -> ListImport:
    """Import the content from upload to the end, or to the preview with ``only_check``."""
    content = csv_bytes(content) if isinstance(content, list) else content
    list_import = begin(organization, content, event=event, name=name)
    with org_scope(organization.pk):
        columns = (
            mapping.from_named(list_import.headers, named)
            if named
            else mapping.from_json(list_import.headers, list_import.mapping)
        )
        services.set_columns(list_import, columns, mode=mode, event=event)
        (services.check if only_check else services.run)(list_import, ring=False)
    assert running.work(list_import.pk)
    with org_scope(organization.pk):
        list_import.refresh_from_db()
    return list_import


def bring_in_or_refuse(organization: Organization, content: bytes) -> tuple[ListImport | None, str]:
    """The import, or why the file was refused."""
    try:
        return bring_in(organization, content, name="odd.csv"), ""
    except (UnreadableError, MappingError) as refused:
        return None, str(refused)


def counts(list_import: ListImport) -> tuple[int, int, int, int, int]:
    """Rows in, created, updated, unchanged, rejected."""
    i = list_import
    return i.rows_total, i.rows_created, i.rows_updated, i.rows_unchanged, i.rows_rejected


def reasons(list_import: ListImport) -> list[str]:
    with org_scope(list_import.organization_id):
        rejected = ImportRow.objects.filter(list_import=list_import, outcome="rejected").order_by("row_no")
        return list(rejected.values_list("reason", flat=True))


def rejected_file(list_import: ListImport) -> bytes:
    with org_scope(list_import.organization_id):
        return b"".join(rejects.as_csv(list_import))
