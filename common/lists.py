"""What every filtered list needs: an honest count, chips that say what is filtered, a sort that an index serves."""

import json
import math
from dataclasses import dataclass
from typing import Any

from django.db import models

from common.search import OutOfTime, time_limit

COUNT_CAP = 10_000
COUNT_PATIENCE_MS = 40


@dataclass(frozen=True)
class Count:
    """How many rows a list has: exact, at least (``more``), or about as many as the planner expects (``about``)."""

    number: int
    more: bool = False
    about: bool = False

    @property
    def exact(self) -> bool:
        return not self.more and not self.about

    def __str__(self) -> str:
        if self.about:
            return f"about {self.number:,}"
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the query string of the list without it."""

    text: str
    remove: str


def capped_count(rows: "models.QuerySet[Any]", *, cap: int = COUNT_CAP, patience_ms: int = COUNT_PATIENCE_MS) -> Count:
    """Count up to ``cap``. What takes longer than ``patience_ms`` is answered with the planner's estimate."""
    plain = rows.order_by().values("pk")
    try:
        with time_limit(patience_ms):
            number = plain[: cap + 1].count()
    except OutOfTime:
        return Count(_estimate(plain), about=True)
    return Count(min(number, cap), more=number > cap)


def _estimate(rows: "models.QuerySet[Any, Any]") -> int:
    """The planner's row estimate to two digits."""
    plan = json.loads(rows.explain(format="json"))
    expected = int(plan[0]["Plan"]["Plan Rows"])
    if expected < 100:
        return expected
    step = 10 ** (int(math.log10(expected)) - 1)
    return int(round(expected / step) * step)
