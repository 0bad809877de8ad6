"""The rows that could not be taken, as a file to correct and upload again."""

import csv
import io
from collections.abc import Iterator

from common.tabular import open_table
from people.import_models import ImportRow, ListImport, Outcome
from people.importing import files

REASON_HEADER = "Reason"
_PAGE = 5_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(list_import: ListImport) -> Iterator[bytes]:
    """UTF-8 CSV with the original columns and the reason last. Needs the organization's scope while it is read."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    headers = ["" if h == f"Column {i}" else h for i, h in enumerate(list_import.headers, start=1)]
    writer.writerow([*map(harmless, headers), REASON_HEADER])
    yield b"\xef\xbb\xbf" + text.getvalue().encode()
    width = len(headers)
    reasons = _reasons(list_import)
    wanted = next(reasons, None)
    with files.original(list_import) as path:
        for number, row in enumerate(open_table(path, files.layout_of(list_import)).rows(), start=1):
            if wanted is None:
                return
            if number != wanted[0]:
                continue
            cells = (row.cells + [""] * width)[: max(width, len(row.cells))]
            text.seek(0)
            text.truncate()
            writer.writerow([*(harmless(cell) for cell in cells), wanted[1]])
            yield text.getvalue().encode("utf-8", "replace")
            wanted = next(reasons, None)


def harmless(cell: str) -> str:
    """So that a spreadsheet shows the cell instead of calculating it; the importer takes the mark off again."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell


def _reasons(list_import: ListImport) -> Iterator[tuple[int, str]]:
    rejected = (
        ImportRow.objects.for_org(list_import.organization_id)
        .filter(list_import=list_import, outcome=Outcome.REJECTED)
        .order_by("row_no")
        .values_list("row_no", "reason")
    )
    last = 0
    while page := list(rejected.filter(row_no__gt=last)[:_PAGE]):
        yield from page
        last = page[-1][0]
