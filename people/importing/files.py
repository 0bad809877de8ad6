"""The original file: kept in the database in pieces, brought back to a local file when somebody reads it."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from common.tabular import Layout, Table, UnreadableError, guess_layout, is_workbook, open_table, sheet_names
from people.import_models import ImportBlock, ListImport
from people.importing.mapping import headers_key

BLOCK_BYTES = 2**20
MAX_BYTES = 2 * 2**30
SAMPLE_ROWS = 25
SAMPLE_CELL = 200


def keep(list_import: ListImport, source: BinaryIO) -> None:
    """Store the file in blocks and note its size and hash. Raises ``UnreadableError`` for an empty or enormous one."""
    digest, size, number = hashlib.sha256(), 0, 0
    while block := source.read(BLOCK_BYTES):
        size += len(block)
        if size > MAX_BYTES:
            raise UnreadableError(f"The file is larger than {MAX_BYTES >> 30} GB. Split it and upload the parts.")
        digest.update(block)
        ImportBlock.objects.create(
            organization_id=list_import.organization_id, list_import=list_import, number=number, data=block
        )
        number += 1
    if not size:
        raise UnreadableError("The file is empty.")
    list_import.file_bytes, list_import.file_sha256 = size, digest.hexdigest()
    list_import.save(update_fields=["file_bytes", "file_sha256", "updated_at"])


def blocks(list_import: ListImport) -> Iterator[bytes]:
    """The file, a block at a time."""
    stored = ImportBlock.objects.for_org(list_import.organization_id).filter(list_import=list_import)
    for number in range(stored.count()):
        yield bytes(stored.values_list("data", flat=True).get(number=number))


@contextmanager
def original(list_import: ListImport) -> Iterator[Path]:
    """The file on the local disk, for the length of the block. Needs the scope only while it is brought back."""
    with _temporary(blocks(list_import)) as path:
        yield path


@contextmanager
def _temporary(pieces: Iterable[bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="eventops-import-") as folder:
        path = Path(folder) / "original"
        with path.open("wb") as target:
            for piece in pieces:
                target.write(piece)
        yield path


def layout_of(list_import: ListImport) -> Layout:
    return Layout(**list_import.layout)


def describe(list_import: ListImport, path: Path, layout: Layout | None = None) -> None:
    """Read the head of the file with ``layout`` (guessed when ``None``) and note sheets, headers and sample, unsaved."""
    layout = layout or guess_layout(path)
    if is_workbook(path) and not list_import.sheets:
        list_import.sheets = sheet_names(path)
    if layout.sheet not in (list_import.sheets or [""]):
        raise UnreadableError("Choose one of the sheets of the workbook.")
    table = open_table(path, layout)
    list_import.layout = asdict(layout)
    list_import.headers = [_storable(header) for header in table.headers]
    list_import.headers_key = headers_key(list_import.headers)
    list_import.sample = sample(table)


def sample(table: Table) -> list[list[str]]:
    """The beginning of the first rows, cells shortened."""
    return [[_storable(cell)[:SAMPLE_CELL] for cell in row.cells] for row in islice(table.rows(), SAMPLE_ROWS)]


def _storable(text: str) -> str:
    """Without what Postgres cannot store: NUL and lone surrogates."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
