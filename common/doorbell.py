"""Ring for a background worker once the transaction is through.

The row in Postgres is the record of the work and a sweep finds it sooner or later, so a message broker that is down
costs time, never work.
"""

from typing import Any

import structlog
from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring(task: Task[..., Any], *arguments: str) -> None:
    """Call ``task`` with ``arguments`` after the commit. A broker that cannot be reached is logged, not raised."""

    def send() -> None:
        try:
            task.apply_async(args=arguments, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("doorbell_unheard", task=task.name, error=type(error).__name__)

    transaction.on_commit(send)
