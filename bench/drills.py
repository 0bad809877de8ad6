"""``drill_lost`` and ``drill_extra_accepts``: the drill of kills at full size; ``BENCH_SCALE=0.05`` makes it a twentieth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from bench.registry import Figure, bench, note, scaled

MESSAGES, KILLS = 10_000, 1_000


@bench("drill_lost", "drill_extra_accepts")
def drill_of_kills() -> Iterator[Figure]:
    """Mails that were neither sent nor seen by a person, and mails that were sent more than once."""
    command = [
        sys.executable, "-W", "ignore", "manage.py", "drill", "sends", "--messages", str(scaled(MESSAGES)), "--kills",
        str(scaled(KILLS)),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=os.environ | {"EVENTOPS_DEMO": "1"}, stdout=subprocess.PIPE, text=True, check=False
    )
    result = json.loads(done.stdout.splitlines()[-1])
    note(", ".join(f"{name} {value}" for name, value in result.items()))
    yield Figure("drill_lost", result["lost"], "mails")
    yield Figure("drill_extra_accepts", result["extra_accepts"], "mails")
