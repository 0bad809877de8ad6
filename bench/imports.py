"""How fast a list of people with their companies comes in, from the file to the database."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from bench.registry import Figure, bench, note, scaled, stopwatch
from common.tabular import UnreadableError
from common.tabular.workbook import check_workbook
from common.text import normalise

ROWS = 100_000
PEOPLE_PER_COMPANY = 5
_FIRST = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Margaret",
    "Linus",
    "Tim",
    "Radia",
    "Ken",
    "Dennis",
    "Frances",
    "Katherine",
    "Jean",
]
_LAST = [
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Hamilton",
    "Perlman",
    "Thompson",
    "Ritchie",
    "Allen",
    "Johnson",
    "Müller",
    "Østergård",
]
_TITLES = ["Head of Operations", "Buyer", "Plant Manager", "CTO", "Chief Procurement Officer", "Sales Director", ""]
_CITIES = [
    ("Hannover", "Germany"),
    ("Eyüp", "Turkey"),
    ("Horsens", "Denmark"),
    ("Sassuolo", "Italy"),
    ("Chicago", "USA"),
]
HEADER = [
    *(
        "Company",
        "Website",
        "City",
        "Country",
        "First name",
        "Last name",
        "E-mail",
        "Phone",
        "Job title",
        "LinkedIn",
        "isProc",
    ),
    *("Hall", "Stand"),
]


def write_list(path: Path, rows: int, *, seed: int = 7) -> None:
    """A list as organizers export it: people with their company's columns repeated."""
    random.seed(seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(rows):
            company = number // PEOPLE_PER_COMPANY
            city, country = _CITIES[company % len(_CITIES)]
            first, last = random.choice(_FIRST), random.choice(_LAST)
            writer.writerow([
                f"Company {company:06d} GmbH", f"www.company-{company:06d}.com", city, country, first, last,
                f"{normalise(first)}.{normalise(last)}.{number}@company-{company:06d}.com",
                f"+49 511 {number:07d}", random.choice(_TITLES), f"https://www.linkedin.com/in/person-{number}",
                "yes" if number % 7 == 0 else "", f"Hall {company % 27}", f"B{company % 90}",
            ])  # fmt: skip


@bench("zip_bomb_refuse_s", needs_database=False)
def zip_bomb() -> Iterator[Figure]:
    """A workbook of a few hundred kilobytes that would unpack to a gigabyte and lies about it; the slowest of both lies."""
    with tempfile.TemporaryDirectory() as folder:
        taken = []
        for said in (1 << 30, 100_000):
            path = Path(folder) / f"bomb-{said}.xlsx"
            write_bomb(path, said)
            with stopwatch() as seconds:
                try:
                    check_workbook(path)
                except UnreadableError as refused:
                    note(f"{path.stat().st_size >> 10} kB refused: {refused}")
                else:
                    raise AssertionError("the bomb was let in")
            taken.append(seconds())
    yield Figure("zip_bomb_refuse_s", max(taken), "s")


def write_bomb(path: Path, said: int) -> None:
    """A workbook whose sheet unpacks to a gigabyte of spaces, while its directory says ``said`` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b" " * (1 << 20)
    packed = b"".join([*(packer.compress(block) for _ in range(1 << 10)), packer.flush()])
    with zipfile.ZipFile(path, "w") as target:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            target.writestr(name, "<x/>")
        target.writestr("xl/worksheets/sheet1.xml", packed)
    content = bytearray(path.read_bytes())
    raw = len(packed).to_bytes(4, "little")
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = content.rindex(signature)
        content[start + at : start + at + 2] = zipfile.ZIP_DEFLATED.to_bytes(2, "little")
        sizes = content.index(raw + raw, start + at)
        content[sizes + 4 : sizes + 8] = said.to_bytes(4, "little")
    path.write_bytes(bytes(content))


@bench("import_people_rows_per_s", "import_people_rss_mb")
def import_people() -> Iterator[Figure]:
    """One import of many people into an organization of its own, in a process of its own."""
    rows = scaled(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_list(path, rows)
        note(f"importing {rows:,} people of {rows // PEOPLE_PER_COMPANY:,} companies, {path.stat().st_size >> 20} MB")
        result = subprocess.run(
            [sys.executable, "-m", "bench.import_worker", str(path)], check=True, stdout=subprocess.PIPE, text=True
        )
    measured = json.loads(result.stdout.splitlines()[-1])
    yield Figure("import_people_rows_per_s", rows / measured["seconds"], "rows/s")
    yield Figure("import_people_rss_mb", measured["rss_mb"], "MB")
