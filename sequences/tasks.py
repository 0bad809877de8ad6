"""The bells of sequences. Each may ring late, twice or never: rows say what is due, and a sweep looks."""

from celery import shared_task

from sequences import ruling, runner

SHIFT = 20.0
"""Seconds a worker moves enrollments before it lets other work through."""


@shared_task(name="sequences.run", acks_late=True)
def run() -> None:
    runner.sweep(seconds=SHIFT)


@shared_task(name="sequences.apply_rules", acks_late=True)
def apply_rules() -> None:
    ruling.sweep()
