"""What every reader yields, and the limits they share."""

from typing import NamedTuple

MAX_COLUMNS = 500
MAX_RECORD_CHARACTERS = 1_048_576
MAX_RECORD_LINES = 500

NUL = "The row contains a NUL character."
GARBLED = "The row contains characters that cannot be read with the chosen encoding."
UNCLOSED = "A quotation mark is opened in this line and never closed."
TOO_LONG = f"The row is longer than {MAX_RECORD_CHARACTERS:,} characters."
TOO_WIDE = f"The row has more than {MAX_COLUMNS} columns."


class UnreadableError(ValueError):
    """The file as a whole cannot be read; the message is for the person who sent it."""


class Row(NamedTuple):
    """One record. ``line`` is the physical line it starts in (the row number in a workbook).

    ``problem`` is empty, or says why the record cannot be trusted; ``cells`` then holds what could be made out.
    """

    line: int
    cells: list[str]
    problem: str = ""
