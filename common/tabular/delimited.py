"""Delimited text: encoding, delimiter, and records that stay apart whatever somebody did to the quotation marks."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from common.tabular.rows import (
    GARBLED,
    MAX_COLUMNS,
    MAX_RECORD_CHARACTERS,
    MAX_RECORD_LINES,
    NUL,
    TOO_LONG,
    TOO_WIDE,
    UNCLOSED,
    Row,
    UnreadableError,
)

ENCODINGS = {
    "utf-8": "Unicode (UTF-8)",
    "cp1252": "Western European (Windows-1252)",
    "utf-16": "Unicode (UTF-16)",
    "utf-16-le": "Unicode (UTF-16, little-endian)",
    "utf-16-be": "Unicode (UTF-16, big-endian)",
    "iso-8859-15": "Western European (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "iso-8859-2": "Central European (ISO 8859-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "shift_jis": "Japanese (Shift JIS)",
    "euc_kr": "Korean (EUC-KR)",
    "mac_roman": "Western European (Mac Roman)",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}

_BLOCK = 1 << 20
_SENTINEL = "\x1e\x1eend of file\x1e\x1e"
_UNREADABLE = re.compile("[\udc80-\udcff\ufffd]")

csv.field_size_limit(MAX_RECORD_CHARACTERS * 2)


def detect_encoding(stream: BinaryIO) -> str:
    """The encoding of the whole stream: a byte order mark, then strict UTF-8, then Windows-1252; UTF-16 by its NULs."""
    stream.seek(0)
    head = stream.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4 and head.count(0) > len(head) // 4:
        even, odd = head[::2].count(0), head[1::2].count(0)
        return "utf-16-be" if even > odd else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def guess_delimiter(sample: str) -> str:
    """The delimiter of the first lines of a file; comma when nothing else shows."""
    lines = [line for line in sample.splitlines()[:25] if line.strip()]
    if not lines:
        return ","
    if lines[0].lower().startswith("sep=") and lines[0][4:5] in DELIMITERS:
        return lines[0][4]
    try:
        found = csv.Sniffer().sniff("\n".join(line[:2000] for line in lines), delimiters="".join(DELIMITERS)).delimiter
        if found in lines[0]:
            return found
    except csv.Error:
        pass
    best = max(DELIMITERS, key=lambda delimiter: (lines[0].count(delimiter), delimiter == ","))
    return best if best in lines[0] else ","


def decode_head(path: Path, encoding: str, *, size: int = 65_536) -> str:
    """The first ``size`` bytes as text, unreadable characters replaced."""
    with path.open("rb") as stream:
        head = stream.read(size)
    return codecs.getincrementaldecoder(_codec(encoding))(errors="replace").decode(head)


def read_delimited(path: Path, *, encoding: str, delimiter: str) -> Iterator[Row]:
    """Every record that has at least one character, in order. A bad record costs itself, never its neighbours."""
    if encoding not in ENCODINGS or delimiter not in DELIMITERS:
        raise UnreadableError("Choose one of the listed encodings and delimiters.")
    # Bytes that cannot be decoded become lone surrogates, which mark their row; multi-byte codecs can only replace.
    errors = "surrogateescape" if encoding in {"utf-8", "cp1252"} else "replace"
    with path.open("rb") as raw, io.TextIOWrapper(raw, _codec(encoding), errors=errors, newline="") as text:
        yield from _records(text, delimiter)


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


class _Feed:
    """Lines for the csv module, remembering those of the record at hand so that it can be taken apart again."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._ended = False
        self.line = 0
        self.record: list[str] = []
        self._size = 0
        self.problem = ""
        self.stopped = False

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self.stopped:
            raise StopIteration
        line = self._again.popleft() if self._again else self._text.readline(MAX_RECORD_CHARACTERS + 1)
        if not line:
            if self._ended:
                raise StopIteration
            self._ended = True
            return _SENTINEL
        self.line += 1
        self.record.append(line)
        self._size += len(line)
        if "\0" in line:
            self.problem = NUL
        elif not line.isascii() and _UNREADABLE.search(line):
            self.problem = GARBLED
        if self._size > MAX_RECORD_CHARACTERS or len(self.record) > MAX_RECORD_LINES:
            self.stopped = True
            if len(self.record) == 1:
                self.problem = TOO_LONG
                self._skip_line(line)
        return line

    def take(self) -> tuple[int, list[str], str]:
        """Line number, lines and problem of the record just read; the next one starts afresh."""
        taken = self.line - len(self.record) + 1, self.record, self.problem
        self.record, self._size, self.problem = [], 0, ""
        return taken

    def give_back(self, lines: list[str]) -> None:
        """Read these lines again, as the start of new records."""
        self.line -= len(lines)
        self._again.extendleft(reversed(lines))
        self._ended = self.stopped = False

    def _skip_line(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_RECORD_CHARACTERS)


def _records(text: io.TextIOBase, delimiter: str) -> Iterator[Row]:
    feed = _Feed(text)
    finished = False
    while not finished:
        for cells in csv.reader(feed, delimiter=delimiter):
            if cells == [_SENTINEL]:
                finished = True
                break
            stopped, unclosed = feed.stopped, bool(cells) and cells[-1].endswith(_SENTINEL)
            line, lines, problem = feed.take()
            if problem is TOO_LONG:
                feed.give_back([])
                yield Row(line, lines[0][:200].split(delimiter), problem)
                break
            if stopped or unclosed or (len(lines) > 1 and not _closed(lines, delimiter)):
                feed.give_back(lines[1:])
                yield Row(line, lines[0].rstrip("\r\n").split(delimiter)[:MAX_COLUMNS], UNCLOSED)
                break
            if not any(cells):
                continue
            if len(cells) > MAX_COLUMNS:
                cells, problem = cells[:MAX_COLUMNS], TOO_WIDE
            yield Row(line, cells, problem)


def _closed(lines: list[str], delimiter: str) -> bool:
    """Whether a record over several lines is quoted by the book, so that it is really one record."""
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False
