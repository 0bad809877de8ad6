"""Exporting a million people as CSV, beside ``psql \\copy`` of the same rows in the same minute."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.data import Big, ensure_big
from bench.registry import Figure, bench, note, stopwatch
from devstack import postgres
from devstack.layout import DevStackError, open_home
from identity.scope import org_scope
from people.exports import people_at

ROUNDS = 5


def _psql() -> str:
    """The embedded server's psql, or the one on the path."""
    try:
        found = postgres.binaries(open_home()) / "psql"
    except DevStackError:  # no embedded server: a PostgreSQL of one's own
        return "psql"
    return str(found) if found.exists() else "psql"


def _copy_with_psql(big: Big, target: Path) -> float:
    """Seconds that ``psql \\copy`` takes for the same columns of the same rows, without neutralised formulas."""
    with org_scope(big.organization.pk):
        sql, params = people_at(big.organization.pk, big.event).select(guarded=False)
        from django.db import connection

        with connection.cursor() as cursor:
            query = cursor.cursor.mogrify(sql, params)
    parts = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ, "PGHOST": parts.hostname or "", "PGPORT": str(parts.port), "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "", "PGDATABASE": parts.path.lstrip("/"),
        "PGOPTIONS": f"-c app.organization_id={big.organization.pk}",
    }  # fmt: skip
    command = [_psql(), "-X", "-q", "-c", f"\\copy ({' '.join(query.split())}) to '{target}' csv header"]
    with stopwatch() as seconds:
        subprocess.run(command, env=environment, check=True)
    return seconds()


def _export(big: Big, folder: str) -> dict[str, Any]:
    """What the worker measured; its code was compiled before, as that of the image is."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "ignore", "-m", "bench.export_worker", str(big.event.pk), big.user.email]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@bench("export_people_first_byte_ms", "export_people_ratio_to_copy", "export_people_rss_mb", "export_people_added_mb")
def exports() -> Iterator[Figure]:
    """The streaming endpoint of the API, the whole request, with row-level security and formulas neutralised."""
    big = ensure_big()
    theirs: list[float] = []
    ours: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        _copy_with_psql(big, Path(folder) / "people.csv")
        _export(big, folder)
        for _ in range(ROUNDS):
            theirs.append(_copy_with_psql(big, Path(folder) / "people.csv"))
            ours.append(_export(big, folder))
            note(
                f"psql {theirs[-1]:.2f} s, export {ours[-1]['seconds']:.2f} s, first rows after {ours[-1]['first'] * 1000:.0f} ms"
            )
    yield Figure("export_people_first_byte_ms", statistics.median(run["first"] for run in ours) * 1000, "ms")
    ratio = statistics.median(theirs) / statistics.median(run["seconds"] for run in ours)
    yield Figure("export_people_ratio_to_copy", ratio, "ratio")
    # The most the whole process ever held, and what of it came with the export: the product itself is the rest.
    yield Figure("export_people_rss_mb", max(run["rss"] for run in ours), "MB")
    yield Figure("export_people_added_mb", max(run["added"] for run in ours), "MB")
