"""A file and its layout together: the header, and the rows below it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from common.tabular.delimited import decode_head, detect_encoding, guess_delimiter, read_delimited
from common.tabular.rows import MAX_COLUMNS, TOO_WIDE, Row, UnreadableError
from common.tabular.workbook import check_workbook, read_workbook, sheet_names


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How to read a file. ``sheet`` is for workbooks, the rest for text; ``header_row`` 0 means there is no header."""

    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: int = 1


@dataclass(frozen=True, kw_only=True)
class Table:
    """The header cells (made up when there is no header), and a way to go over the rows below as often as needed."""

    path: Path
    layout: Layout
    headers: list[str]
    _workbook: bool

    def rows(self) -> Iterator[Row]:
        """The records below the header."""
        yield from islice(_records(self.path, self.layout, self._workbook), self.layout.header_row, None)


def is_workbook(path: Path) -> bool:
    """Whether the content is an archive (or an old office file), whatever the name says."""
    with path.open("rb") as stream:
        return stream.read(4) in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PK\x05\x06"}


def guess_layout(path: Path) -> Layout:
    """Encoding, delimiter or first sheet, as found in the file. Raises ``UnreadableError``."""
    if path.stat().st_size == 0:
        raise UnreadableError("The file is empty.")
    if is_workbook(path):
        check_workbook(path)
        return Layout(sheet=sheet_names(path)[0])
    with path.open("rb") as stream:
        encoding = detect_encoding(stream)
    head = decode_head(path, encoding)
    return Layout(
        encoding=encoding,
        delimiter=guess_delimiter(head),
        header_row=2 if head.lower().startswith("sep=") else 1,
    )


def open_table(path: Path, layout: Layout) -> Table:
    """The table, once its header has been read. Raises ``UnreadableError`` when there is none or nothing below it."""
    workbook = is_workbook(path)
    if workbook:
        check_workbook(path)
    head = list(islice(_records(path, layout, workbook), layout.header_row + 1))
    if not head:
        raise UnreadableError("The file is empty.")
    if len(head) < layout.header_row:
        raise UnreadableError("The file ends before the header. Choose another row as the header.")
    top = head[layout.header_row - 1] if layout.header_row else head[0]
    if top.problem == TOO_WIDE:
        raise UnreadableError(
            f"The file has more than {MAX_COLUMNS} columns. Keep the columns you need and upload it again."
        )
    if layout.header_row and top.problem:
        raise UnreadableError(f"The header in line {top.line} cannot be read. {top.problem}")
    if len(head) <= layout.header_row:
        raise UnreadableError("The file has a header but no rows below it.")
    cells = top.cells if layout.header_row else [""] * len(top.cells)
    headers = [cell.strip()[:200] or f"Column {number}" for number, cell in enumerate(cells, start=1)]
    return Table(path=path, layout=layout, headers=headers, _workbook=workbook)


def _records(path: Path, layout: Layout, workbook: bool) -> Iterator[Row]:
    if workbook:
        return read_workbook(path, sheet=layout.sheet)
    return read_delimited(path, encoding=layout.encoding, delimiter=layout.delimiter)
