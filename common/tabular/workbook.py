"""Workbooks (.xlsx): refused while still closed when they could hurt, then parsed in a child with little to spend."""

import csv
import io
import json
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from common.tabular.rows import MAX_COLUMNS, NUL, TOO_WIDE, Row, UnreadableError

MAX_BYTES = 50 * 2**20
MAX_UNPACKED_BYTES = 200 * 2**20
MAX_RATIO = 100
MAX_ENTRIES = 2_000
_CHILD = Path(__file__).with_name("workbook_child.py")
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_TOO_MUCH = "This workbook unpacks to far more data than a list needs, so it was not opened. Save the sheet as CSV."
_BROKEN = "This workbook is damaged. Open it in your spreadsheet program, save it again, and upload that file."


def check_workbook(path: Path) -> None:
    """Raise ``UnreadableError`` unless the file is a plain workbook within the limits. Work is bounded by the limits."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableError(
            f"Workbooks may have up to {MAX_BYTES >> 20} MB. Save the sheet as CSV, which has no such limit."
        )
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic == _OLD_FORMAT:
        raise UnreadableError(
            "This workbook has a password or the old .xls format. Save it as .xlsx without a password."
        )
    if magic != b"PK\x03\x04":
        raise UnreadableError("This is not an .xlsx workbook, whatever its name says.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive.infolist(), size)
            _check_sizes(archive, path)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(_BROKEN) from error


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise UnreadableError(
            f"This workbook has {len(entries):,} parts; {MAX_ENTRIES:,} are allowed. Save the sheet as CSV."
        )
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(size, 1) or packed > size:
        raise UnreadableError(_TOO_MUCH)
    names = {entry.filename for entry in entries}
    for entry in entries:
        name = entry.filename
        if entry.flag_bits & 0x1:
            raise UnreadableError("This workbook has a password. Save it without one.")
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name or "\0" in name:
            raise UnreadableError("This workbook names parts outside itself, so it was not opened.")
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnreadableError(_BROKEN)
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1) and entry.file_size > 2**20:
            raise UnreadableError(_TOO_MUCH)
    if len(names) != len(entries) or "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise UnreadableError("This is not an .xlsx workbook, whatever its name says.")


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    """Unpack to nowhere and stop at the first part that is longer than it says, or that declares XML entities."""
    with path.open("rb") as raw:
        for entry in archive.infolist():
            with archive.open(entry):  # compares the two headers of the part
                pass
            raw.seek(entry.header_offset + 26)
            lengths = raw.read(4)
            raw.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), io.SEEK_CUR)
            _check_part(raw.read(entry.compress_size), entry)


def _check_part(packed: bytes, entry: zipfile.ZipInfo) -> None:
    if entry.compress_type == zipfile.ZIP_STORED:
        unpacked_size, head = len(packed), packed[:4096]
    else:
        unpacker = zlib.decompressobj(-15)
        block = unpacker.decompress(packed, 1 << 20)
        unpacked_size, head = len(block), block[:4096]
        while unpacker.unconsumed_tail and unpacked_size <= entry.file_size:
            block = unpacker.decompress(unpacker.unconsumed_tail, 1 << 20)
            unpacked_size += len(block)
    if unpacked_size > entry.file_size:
        raise UnreadableError(_TOO_MUCH)
    if unpacked_size < entry.file_size:
        raise UnreadableError(_BROKEN)
    if entry.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in head:
        raise UnreadableError(
            "This workbook declares XML entities, which no spreadsheet program writes, so it was not opened."
        )


def sheet_names(path: Path) -> list[str]:
    """The names of the sheets, in the order of the workbook."""
    names: list[str] = json.loads("".join(_child_output("sheets", path)) or "[]")
    if not names:
        raise UnreadableError("This workbook has no sheets.")
    return names


def read_workbook(path: Path, *, sheet: str) -> Iterator[Row]:
    """Every row of ``sheet`` that has a value. Formulas give their stored result as text and are never evaluated."""
    for cells in csv.reader(_child_output("rows", path, sheet)):
        line = int(cells[0])
        values = cells[1:]
        if "\0" in "".join(values):
            yield Row(line, values, NUL)
        elif len(values) > MAX_COLUMNS:
            yield Row(line, values[:MAX_COLUMNS], TOO_WIDE)
        else:
            yield Row(line, values)


def _child_output(*arguments: str | Path) -> Iterator[str]:
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 - our own script; the workbook is data
            [sys.executable, "-I", str(_CHILD), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as child,
    ):
        assert child.stdout is not None  # noqa: S101 - asked for above
        try:
            with io.TextIOWrapper(child.stdout, "utf-8", newline="", errors="replace") as lines:
                yield from lines
        except GeneratorExit:
            child.kill()
            raise
        if child.wait() != 0:
            errors.seek(0)
            said = errors.read(2000).decode(errors="replace").strip().splitlines()
            known = said[-1].removeprefix("unreadable: ") if said and said[-1].startswith("unreadable: ") else ""
            raise UnreadableError(known or "This workbook could not be read within safe limits. Save the sheet as CSV.")
