"""Clean records written beside the file, in chunks: a worker that takes over goes on behind the last whole chunk."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection

from common.bulk import copy_rows, text_array
from common.tabular import Row, open_table
from common.text import company_key, domain_key, normalise
from identity.models import Membership
from people.import_models import ListImport
from people.importing import files, mapping
from people.importing.validating import Record, Validator

CHUNK_ROWS = 5_000

_ROW_COLUMNS = [
    "row_no",
    "line",
    "company_key",
    "domain",
    "hall",
    "stand",
    "person",
    "emails",
    "emails_norm",
    "tags",
    "excerpt",
    "cleaned",
    "reason",
    "outcome",
]
_COMPANY_COLUMNS = ["key", "first_row", "name_key", "domain", "data", "target", "tags"]


def owners_of(list_import: ListImport) -> dict[str, str]:
    """Members by normalised name and by address, for columns that name an owner."""
    found: dict[str, str] = {}
    for membership in Membership.objects.active().for_org(list_import.organization_id).select_related("user"):
        for name in (membership.user.email, membership.user.name):
            if name:
                found[normalise(name)] = str(membership.user_id)
    return found


def chunks(list_import: ListImport, path: Path, *, skip: int) -> Iterator[list[Record]]:
    """The records behind the first ``skip`` rows. The owners are read at the first step, which needs the scope."""
    columns = mapping.from_json(list_import.headers, list_import.mapping)
    validator = Validator(columns, owners=owners_of(list_import))
    return _chunks(open_table(path, files.layout_of(list_import)).rows(), validator, skip)


def _chunks(rows: Iterator[Row], validator: Validator, skip: int) -> Iterator[list[Record]]:
    numbered = enumerate(islice(rows, skip, None), start=skip + 1)
    while chunk := [validator.read(row, number) for number, row in islice(numbered, CHUNK_ROWS)]:
        yield chunk


def write(list_import: ListImport, records: Sequence[Record]) -> None:
    """Write one chunk; the caller holds the lock on the import and moves its mark in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged_rows (LIKE people_importrow INCLUDING DEFAULTS) ON COMMIT DROP;"
            "ALTER TABLE staged_rows ALTER list_import_id DROP NOT NULL, ALTER organization_id DROP NOT NULL;"
            "CREATE TEMPORARY TABLE staged_companies (LIKE people_importcompany) ON COMMIT DROP;"
            "ALTER TABLE staged_companies ALTER list_import_id DROP NOT NULL, ALTER organization_id DROP NOT NULL,"
            " ALTER same_as DROP NOT NULL, ALTER outcome DROP NOT NULL, ALTER resembles DROP NOT NULL"
        )
    copy_rows("staged_rows", _ROW_COLUMNS, map(_row_values, records))
    copy_rows("staged_companies", _COMPANY_COLUMNS, _company_values(records))
    ids = [list_import.organization_id, list_import.pk]
    rows, companies = ", ".join(_ROW_COLUMNS), ", ".join(_COMPANY_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO people_importrow (organization_id, list_import_id, {rows}) SELECT %s, %s, {rows} FROM staged_rows",  # noqa: S608
            ids,
        )
        cursor.execute(
            f"INSERT INTO people_importcompany AS c (organization_id, list_import_id, same_as, outcome, resembles, {companies}) "  # noqa: S608
            f"SELECT %s, %s, '', '', '', {companies} FROM staged_companies "
            "ON CONFLICT (list_import_id, key) DO UPDATE SET data = excluded.data || c.data, "
            "target = excluded.target || c.target, "
            "tags = (SELECT array_agg(DISTINCT t) FROM unnest(c.tags || excluded.tags) t) "
            "WHERE excluded.data || c.data <> c.data OR excluded.target || c.target <> c.target OR NOT c.tags @> excluded.tags",
            ids,
        )
        cursor.execute("DROP TABLE staged_rows, staged_companies")


def _row_values(record: Record) -> tuple[Any, ...]:
    return (
        record.row_no,
        record.line,
        record.company_key,
        record.domain,
        record.hall,
        record.stand,
        None if record.person is None else _json(record.person),
        text_array(record.emails),
        text_array(record.emails_norm),
        text_array(record.person_tags),
        record.excerpt,
        _json(record.cleaned) if record.cleaned else None,
        record.reason,
        "rejected" if record.reason else "",
    )


def _company_values(records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    """The companies of a chunk, each once: what the first row that says something says."""
    merged: dict[str, tuple[Record, dict[str, Any], dict[str, Any], list[str]]] = {}
    last: dict[str, Any] | None = None
    for record in records:
        if record.company is last or record.company is None or record.company_key is None:
            continue
        last = record.company
        known = merged.get(record.company_key)
        if known is None:
            merged[record.company_key] = record, {**record.company}, {**record.target}, [*record.account_tags]
            continue
        _first, data, target, tags = known
        for values, more in ((data, record.company), (target, record.target)):
            for key, value in more.items():
                values.setdefault(key, value)
        tags.extend(tag for tag in record.account_tags if tag not in tags)
    for key, (first, data, target, tags) in merged.items():
        domain = domain_key(data.get("website", ""))
        yield key, first.row_no, company_key(data["name"]), domain, _json(data), _json(target), text_array(tags)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def gather_statistics() -> None:
    """Tell the planner about the rows just written; without it a join over a whole file may take hours."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL default_statistics_target = 10")
        cursor.execute(
            "ANALYZE people_importrow (list_import_id, row_no, company_key, first_row),"
            " people_importcompany (list_import_id, key, name_key, domain, first_row, same_as)"
        )
