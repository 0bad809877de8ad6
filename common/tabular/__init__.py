"""Reading tables that strangers made: delimited text and workbooks, streamed, with every oddity named by its line.

Nothing here knows the product. ``open_table`` is the door; ``UnreadableError`` says in plain words why a file is refused.
"""

from common.tabular.delimited import (
    DELIMITERS,
    ENCODINGS,
    detect_encoding,
    guess_delimiter,
    read_delimited,
)
from common.tabular.rows import MAX_COLUMNS, MAX_RECORD_CHARACTERS, Row, UnreadableError
from common.tabular.table import Layout, Table, guess_layout, is_workbook, open_table
from common.tabular.workbook import check_workbook, read_workbook, sheet_names

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MAX_COLUMNS",
    "MAX_RECORD_CHARACTERS",
    "Layout",
    "Row",
    "Table",
    "UnreadableError",
    "check_workbook",
    "detect_encoding",
    "guess_delimiter",
    "guess_layout",
    "is_workbook",
    "open_table",
    "read_delimited",
    "read_workbook",
    "sheet_names",
]
