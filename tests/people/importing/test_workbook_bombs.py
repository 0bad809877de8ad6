"""Workbooks that unpack to more than they should are refused before anything parses them, by bounded work."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from common.tabular import UnreadableError, check_workbook
from tests.people.importing.corpus import archive, workbook

PARTS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
ZEROS = b"\0" * (40 << 20)


def _declare(content: bytes, name: bytes, size: int) -> bytes:
    """The same archive with another unpacked size written into both headers of a part."""
    changed = bytearray(content)
    for signature, offset, name_offset in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        at = changed.find(signature)
        while at >= 0:
            if changed[at + name_offset : at + name_offset + len(name)] == name:
                struct.pack_into("<I", changed, at + offset, size)
            at = changed.find(signature, at + 4)
    return bytes(changed)


def _encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + offset] |= 1
            at = changed.find(signature, at + 4)
    return bytes(changed)


def _twice(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for part, data in (*PARTS.items(), (name, b"a")):
            target.writestr(part, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            target.writestr(name, b"b")
    return content.getvalue()


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY b "&lol;&lol;">]><sst>&b;</sst>'
BOMBS = {
    "one huge sheet": lambda: archive({**PARTS, "xl/worksheets/sheet1.xml": ZEROS}),
    "many big sheets": lambda: archive(
        {**PARTS, **{f"xl/worksheets/sheet{n}.xml": ZEROS[: 8 << 20] for n in range(10)}}
    ),
    "a huge string table": lambda: archive({**PARTS, "xl/sharedStrings.xml": b"<si><t>x</t></si>" * 2_000_000}),
    "2,001 parts": lambda: archive({**PARTS, **{f"xl/{n}.xml": b"x" for n in range(2_001)}}),
    "more than 200 MiB declared": lambda: _declare(
        archive({**PARTS, "xl/a.bin": b"x" * 1000}, compression=zipfile.ZIP_STORED), b"xl/a.bin", 300 << 20
    ),
    "a size declared too small": lambda: _declare(archive({**PARTS, "xl/a.xml": b"ab" * 500_000}), b"xl/a.xml", 1_000),
    "a size declared too large": lambda: _declare(archive({**PARTS, "xl/a.xml": b"x" * 5_000}), b"xl/a.xml", 5_001),
    "a path to the parent": lambda: archive({**PARTS, "../../etc/cron.d/x": b"x"}),
    "a path from the root": lambda: archive({**PARTS, "/etc/passwd": b"x"}),
    "a path with backslashes": lambda: archive({**PARTS, "xl\\..\\..\\x": b"x"}),
    "a path with a drive": lambda: archive({**PARTS, "C:/x": b"x"}),
    "a password": lambda: _encrypted(archive(PARTS)),
    "the same part twice": lambda: _twice("xl/sheet1.xml"),
    "a billion laughs": lambda: archive({**PARTS, "xl/sharedStrings.xml": LAUGHS}),
    "an external entity": lambda: archive(
        {**PARTS, "xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><workbook>&e;</workbook>'}
    ),
    "no workbook inside": lambda: archive({"[Content_Types].xml": b"<Types/>"}),
    "another compression": lambda: archive({**PARTS, "xl/a.xml": b"x" * 10_000}, compression=zipfile.ZIP_LZMA),
    "a bomb inside a bomb": lambda: archive(
        {**PARTS, "xl/embeddings/in.zip": archive({"x": ZEROS[: 16 << 20]}) + ZEROS[: 8 << 20]}
    ),
    "an archive cut short": lambda: workbook([["Company"], ["Acme"]])[:-60],
    "an old format": lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 100,
    "more than 50 MB": lambda: b"PK\x03\x04" + b"\0" * (51 << 20),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    bomb.write_bytes(BOMBS[name]())

    with pytest.raises(UnreadableError) as refused:
        check_workbook(bomb)

    assert str(refused.value).endswith(".")


def test_a_real_workbook_is_not_refused(tmp_path: Path) -> None:
    real = tmp_path / "list.xlsx"
    real.write_bytes(workbook([["Company", "City"], *([f"Company {n}", "Eyüp"] for n in range(5_000))]))

    check_workbook(real)
