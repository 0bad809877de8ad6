"""How fast a list of people with their companies comes in, from the file to the database."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.registry import Figure, bench, note, scaled
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
