"""Many people in sequences: letting 100,000 begin, and what a due step costs beside ten million enrollments."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from datetime import time as clock
from typing import Any

from django.db import connection

from bench.data import Big, ensure_big
from bench.registry import Figure, bench, note, scaled, stopwatch
from common.ids import uuid7
from identity.scope import org_scope, system_scope
from outreach.models import Mailbox, Template
from people.models import Person
from sequences.models import Sequence
from sequences.services import enrollments, plans

ENROLLED = 100_000
MANY, FEW = 1_000_000, 1_000
"""People with ten enrollments each, on the two sides of the ratio."""
ROUNDS = 5


@bench("enroll_100k_s")
def enroll_many() -> Iterator[Figure]:
    """Let 100,000 people begin a sequence of five steps: everybody judged, enrolled, and their first mail planned."""
    number = scaled(ENROLLED)
    big = ensure_big()
    sequence = fresh_sequence(big)
    with org_scope(big.organization.pk):
        ids = list(Person.objects.for_org(big.organization).order_by("id").values_list("pk", flat=True)[:number])
        with stopwatch() as seconds:
            result = enrollments.enroll(sequence, ids, actor=big.user, source="bench 100k")
    assert result.begun == number, result
    note(f"{number:,} people began, {seconds() * 1e6 / number:.0f} µs each")
    forget(sequence)
    yield Figure("enroll_100k_s", seconds() * ENROLLED / number, "s")


def fresh_sequence(big: Big) -> Sequence:
    """A published sequence of two mails, a wait, a call and a third mail."""
    with system_scope():
        big.organization.postal_address = "1 Harbour Street, 20095 Hamburg"
        big.organization.save()
    with org_scope(big.organization.pk):
        mine: dict[str, Any] = {"organization": big.organization}
        mailbox, _ = Mailbox.objects.get_or_create(
            name="Bench",
            from_name="Nora Nord",
            from_address="nora@nordlicht.example",
            window_opens=clock(8, 30),
            **mine,
        )
        template, _ = Template.objects.get_or_create(
            name="Bench 100k",
            defaults={"subject": "{{ company }} at the show", "body": "Hello {{ first_name }}"},
            **mine,
        )
        sequence = Sequence.objects.create(
            name=f"Bench {uuid7()}", mailbox=mailbox, event=big.event, is_exclusive=False, **mine
        )
        for fields in (
            {"kind": "email", "template": template},
            {"kind": "email", "template": template, "delay_days": 3, "business_days": True},
            {"kind": "wait", "delay_days": 2},
            {"kind": "call", "subject": "Ask for a slot"},
            {"kind": "email", "template": template, "delay_days": 7},
        ):
            plans.add_step(sequence, fields=fields)
        plans.publish(sequence, actor=big.user)
    return sequence


def forget(sequence: Sequence) -> None:
    """Take away what the bench has made."""
    with org_scope(sequence.organization_id), connection.cursor() as cursor:
        for table in ("sequences_enrollment", "outreach_message"):
            cursor.execute(f"DELETE FROM {table} WHERE sequence_id = %s", [sequence.pk])
        Sequence.objects.for_org(sequence.organization_id).filter(pk=sequence.pk).delete()


@bench("sweep_cost_ratio_10m_to_10k")
def sweep_cost() -> Iterator[Figure]:
    """What a due step costs beside ten million enrollments, against beside ten thousand; the median of rounds in turn."""
    many, few = Side(scaled(MANY), "eventops_bench"), Side(FEW, "eventops_bench_few")
    try:
        for side in (many, few):
            side.measure()  # not counted
        pairs = [(many.measure(), few.measure()) for _ in range(ROUNDS)]
    finally:
        many.end()
        few.end()
    note("ms per due step, many and few: " + ", ".join(f"{a:.2f} {b:.2f}" for a, b in pairs))
    yield Figure(
        "sweep_cost_ratio_10m_to_10k",
        statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs),
        "ratio",
    )


class Side:
    """A process that measures in a database of its own."""

    def __init__(self, people: int, database: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sweep_worker", str(people), database], env=os.environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def measure(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("round\n")
        self._process.stdin.flush()
        return float(self._answer()["ms"])

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a process of the bench ended too early"
        return json.loads(line)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
