"""Rows out of the database as fast as it can write them: ``COPY (SELECT …) TO STDOUT``, passed on block by block.

Escaping, neutralising of formulas and the choice of columns happen in SQL, so a million rows cost the process neither
memory nor much time. The filters and row-level security of the query hold as for any other.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, TextField
from django.db.models.expressions import Combinable

BLOCK = 64 * 1024
FORMULA_STARTS = "\t\n\r+-=@＋－＝＠"
"""Characters that make a spreadsheet take a cell for a formula, the full-width ones included (OWASP, CSV injection)."""


class Guarded(Func):
    """Text with an apostrophe before what a spreadsheet would take for a formula; phone numbers stay text that way.

    Text that looks so already gets one more, so that who takes one away has what was stored.
    """

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        inner, params = compiler.compile(self.source_expressions[0])
        codes = ",".join(str(ord(character)) for character in FORMULA_STARTS)
        formula, marked = f"'{{{codes}}}'::int[]", f"'{{39,{codes}}}'::int[]"
        starts = f"ascii({inner}) = ANY({marked}) AND ascii(ltrim({inner}, '''')) = ANY({formula})"
        sql = f"CASE WHEN {starts} THEN '''' || {inner} ELSE {inner} END"
        return sql, (*params, *params, *params, *params)


@dataclass(frozen=True)
class Column:
    """A column of an export: its JSON name, its header, where the value is read, and whether it is free text."""

    name: str
    header: str
    value: Combinable
    text: bool = True


def plain(name: str, header: str, path: str, *, text: bool = True) -> Column:
    """A column that is a field, reached by ``path``."""
    return Column(name, header, F(path), text)


@dataclass(frozen=True)
class Table:
    """Rows and columns to export; ``rows`` is called inside the scope and snapshot of the export."""

    name: str
    columns: Sequence[Column]
    rows: Callable[[], "QuerySet[Any, Any]"] = field(repr=False)

    def select(self, *, guarded: bool) -> tuple[str, tuple[Any, ...]]:
        """The SELECT of the export, one alias per column name."""
        values = {c.name: Guarded(c.value) if guarded and c.text else c.value for c in self.columns}
        # An alias may not hide a field of the model, so the columns are numbered and named outside.
        numbered = {f"column_{n}": value for n, value in enumerate(values.values())}
        rows = self.rows().annotate(**numbered).values_list(*numbered)
        sql, params = rows.query.sql_with_params()
        return sql, tuple(params)


@contextmanager
def snapshot(open_scope: Any) -> Iterator[None]:
    """One REPEATABLE READ transaction with ``open_scope`` (a context manager) inside: all tables as of one moment."""
    if connection.in_atomic_block:
        with open_scope:
            yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with open_scope:
            yield


def copy_blocks(sql: str, params: Sequence[Any], options: str = "FORMAT csv") -> Iterator[bytes]:
    """What ``COPY (sql) TO STDOUT`` writes, in blocks of about 64 kB. Needs an open scope."""
    with connection.cursor() as wrapper:
        raw = cast("Any", wrapper).cursor  # the debug wrapper of Django knows no copy()
        with raw.copy(f"COPY ({sql}) TO STDOUT ({options})", params) as copy:
            parts: list[bytes] = []
            size = 0
            for row in copy:
                parts.append(row)
                size += len(row)
                if size >= BLOCK:
                    yield b"".join(parts)
                    parts, size = [], 0
            if parts:
                yield b"".join(parts)


def header_line(headers: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(headers)
    return text.getvalue().encode()


def csv_blocks(table: Table, *, bom: bool = False) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8, lines end with LF). ``bom`` marks it as UTF-8 for spreadsheets."""
    yield (b"\xef\xbb\xbf" if bom else b"") + header_line([column.header for column in table.columns])
    yield from copy_blocks(*table.select(guarded=True))


def single_csv_blocks(tables: Sequence[Table]) -> Iterator[bytes]:
    """All tables in one CSV with the columns of all and a first column ``type``."""
    headers = list(dict.fromkeys(column.header for table in tables for column in table.columns))
    yield header_line(["type", *headers])
    for table in tables:
        sql, params = table.select(guarded=True)
        places = {column.header: f"t.column_{n}::text" for n, column in enumerate(table.columns)}
        wide = ", ".join(places.get(header, "''") for header in headers)
        yield from copy_blocks(f"SELECT '{table.name}', {wide} FROM ({sql}) AS t", params)  # noqa: S608  names of ours


def zip_blocks(tables: Sequence[Table]) -> Iterator[bytes]:
    """A zip archive with one CSV per table, written as it is read."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for table in tables:
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as member:
                for block in csv_blocks(table):
                    member.write(block)
                    if ready := sink.take():
                        yield ready
    yield sink.take()


def json_blocks(tables: Sequence[Table]) -> Iterator[bytes]:
    """One JSON object with a list of objects per table."""
    yield b"{"
    for number, table in enumerate(tables):
        sql, params = table.select(guarded=False)
        pairs = ", ".join(f"'{column.name}', t.column_{n}" for n, column in enumerate(table.columns))
        yield (b"," if number else b"") + f'"{table.name}":['.encode()
        first = True
        # JSON holds no raw control characters, so with these two COPY changes nothing in it: one object a line.
        options = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
        for block in copy_blocks(f"SELECT json_build_object({pairs}) FROM ({sql}) AS t", params, options):  # noqa: S608
            lines = block.rstrip(b"\n").replace(b"\n", b",\n")
            yield lines if first else b",\n" + lines
            first = False
        yield b"]"
    yield b"}\n"


def write_xlsx(table: Table, target: Any, *, chunk: int = 2_000) -> int:
    """Write the table into ``target`` (a path or binary file) row by row; the number of rows."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )  # fmt: skip
    sheet = book.add_worksheet(table.name.capitalize()[:31])
    bold = book.add_format({"bold": True})
    for position, column in enumerate(table.columns):
        sheet.write_string(0, position, column.header, bold)
    sheet.freeze_panes(1, 0)
    number = 0
    sql, params = table.select(guarded=False)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(chunk):
            for row in rows:
                number += 1
                for position, value in enumerate(row):
                    _write_cell(sheet, number, position, value)
    book.close()
    return number


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(row, column, value)
    elif isinstance(value, (date, datetime)):
        sheet.write_string(row, column, value.isoformat())
    else:
        sheet.write_string(row, column, str(value)[:32_767])


class _Sink(io.RawIOBase):
    """A file that cannot be wound back and gives what was written to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        return found
