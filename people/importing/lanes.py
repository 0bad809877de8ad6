"""Which part of an import comes next, for several lanes at once: threads with a database connection each.

Companies are settled in order. The people of some rows follow as soon as their companies are there, in any order, until
a chunk meets somebody who existed before: from then on people are written in order too, because what a later row says
about somebody must stand above what an earlier one said.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.db import connection

from people.import_models import ListImport

T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """The companies, or the people, of the rows ``low < row_no <= high``."""

    companies: bool
    low: int
    high: int


class Plan:
    """Hands out what is left of an import in chunks; safe to use from several threads."""

    def __init__(self, list_import: ListImport, *, chunk_rows: int, in_order: bool, seconds: float) -> None:
        self._total, self._chunk_rows = list_import.rows_total, chunk_rows
        self._companies, self._cursor = list_import.companies_done, list_import.rows_done
        self._ahead = {int(low): int(high) for low, high in list_import.rows_ahead}
        self._at_companies, self._at_people = False, set[int]()
        self.in_order, self._closed = in_order, False
        self._until = time.monotonic() + seconds
        self._given = False
        self._changed = threading.Condition()

    def take(self) -> Task | None:
        """What to do next, once there is something; ``None`` when nothing is left or the time is over."""
        with self._changed:
            while not self._closed and not (self._given and time.monotonic() > self._until):
                if task := self._next():
                    self._given = True
                    return task
                if not self._at_companies and not self._at_people:
                    return None
                self._changed.wait()
            return None

    def done(self, task: Task) -> None:
        with self._changed:
            if task.companies:
                self._companies, self._at_companies = task.high, False
            else:
                self._at_people.discard(task.low)
            self._changed.notify_all()

    def wait_for_turn(self, task: Task) -> bool:
        """Come back when all rows before those of ``task`` are done, or with ``False`` when the work was given up."""
        with self._changed:
            self.in_order = True
            while not self._closed and min(self._at_people) != task.low:
                self._changed.wait()
            return not self._closed

    def close(self) -> None:
        """Give the work up: nobody gets or waits for anything any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> Task | None:
        while self._cursor in self._ahead:
            self._cursor = self._ahead[self._cursor]
        low = self._cursor
        high = min([low + self._chunk_rows, self._total, *(start for start in self._ahead if start > low)])
        ready = low < high <= self._companies and not (self.in_order and self._at_people)
        if (
            self._companies < self._total
            and not self._at_companies
            and not (ready and self._companies - low >= 2 * self._chunk_rows)
        ):
            self._at_companies = True
            return Task(True, self._companies, min(self._companies + self._chunk_rows, self._total))
        if ready:
            self._cursor = high
            self._at_people.add(low)
            return Task(False, low, high)
        return None


def run(lanes: int, plan: Plan, work: Callable[[], None]) -> None:
    """Call ``work`` in so many threads and wait for all of them; raises what one of them raised."""
    errors: list[BaseException] = []

    def lane() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)
            plan.close()
        finally:
            connection.close()

    threads = [threading.Thread(target=contextvars.copy_context().run, args=[lane], daemon=True) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextmanager
def read_ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same items, the next one made in a thread while this one is used; making them must not need the database."""
    with ThreadPoolExecutor(1) as pool:

        def ahead() -> Iterator[T]:
            waiting = pool.submit(lambda: list(islice(items, 1)))
            while found := waiting.result():
                waiting = pool.submit(lambda: list(islice(items, 1)))
                yield found[0]

        yield ahead()
