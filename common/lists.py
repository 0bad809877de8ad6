"""What every filtered list needs: an honest count, chips that say what is filtered, a sort that an index serves."""

import json
import math
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.fragments import is_fragment
from common.search import PATIENT_MS, OutOfTime, time_limit

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
        return Count(in_round(expected_rows(plain)), about=True)
    return Count(min(number, cap), more=number > cap)


def exact_count(rows: "models.QuerySet[Any, Any]") -> Count | None:
    """How many there are, however many; None when that takes longer than somebody looks at a list."""
    try:
        with time_limit(PATIENT_MS):
            return Count(rows.order_by().count())
    except OutOfTime:
        return None


def asks_for_count(request: HttpRequest) -> bool:
    """Whether the page is there already, and its inexact count asks for the exact number (``list_count.html``)."""
    return is_fragment(request) and request.htmx.trigger == "count"  # type: ignore[attr-defined]


def answer_count(request: HttpRequest, count: Count | None) -> HttpResponse:
    """The exact number, or nothing, which leaves what the page shows."""
    return render(request, "components/list_count.html", {"count": count}) if count else HttpResponse(status=204)


def expected_rows(rows: "models.QuerySet[Any, Any]") -> int:
    """How many rows the planner expects. Quick, and wrong where columns depend on each other."""
    plan = json.loads(rows.order_by().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def in_round(number: int) -> int:
    """Two digits, the rest zeros: an estimate should look like one."""
    if number < 100:
        return number
    step = 10 ** (int(math.log10(number)) - 1)
    return int(round(number / step) * step)
