"""Registering benches, and the small instruments they share."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

SCALE = float(os.environ.get("BENCH_SCALE", "1"))


@dataclass(frozen=True)
class Figure:
    """One measured value, in ``unit`` (``s``, ``ms``, ``MB``, ``rows/s``, ``ratio``…)."""

    name: str
    value: float
    unit: str

    def as_json(self) -> str:
        """The line ``make bench`` prints."""
        return json.dumps({"name": self.name, "value": round(self.value, 3), "unit": self.unit})


Bench = Callable[[], Iterator[Figure]]


@dataclass(frozen=True)
class Entry:
    """A registered bench and the names of the figures it yields."""

    run: Bench
    names: tuple[str, ...]
    needs_database: bool


_entries: list[Entry] = []


def bench(*names: str, needs_database: bool = True) -> Callable[[Bench], Bench]:
    """Register a generator of the figures called ``names``."""

    def register(function: Bench) -> Bench:
        _entries.append(Entry(function, names, needs_database))
        return function

    return register


def entries() -> Sequence[Entry]:
    """Every registered bench, in the order of registration."""
    return tuple(_entries)


def scaled(size: int) -> int:
    """``size`` times ``BENCH_SCALE``, at least 10."""
    return max(10, math.ceil(size * SCALE))


@contextlib.contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yield a function that tells the seconds since the start; after the block it tells the block's length."""
    start, end = time.perf_counter(), 0.0
    yield lambda: (end or time.perf_counter()) - start
    end = time.perf_counter()


def milliseconds(action: Callable[[], object], *, times: int, warm_up: int = 2) -> list[float]:
    """How long each of ``times`` calls took, after ``warm_up`` calls that are not counted."""
    for _ in range(warm_up):
        action()
    taken = []
    for _ in range(times):
        with stopwatch() as seconds:
            action()
        taken.append(seconds() * 1000)
    return taken


def p95(samples: Sequence[float]) -> float:
    """The 95th percentile, nearest rank."""
    return sorted(samples)[max(0, math.ceil(len(samples) * 0.95) - 1)]


def peak_rss_mb() -> float:
    """The most memory this process has held, in MB. Measure in a process of its own: it never goes down."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def note(message: str) -> None:
    """Tell the person what goes on, on standard error."""
    print(f"bench: {message}", file=sys.stderr, flush=True)
