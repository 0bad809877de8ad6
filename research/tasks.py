from uuid import UUID

from celery import shared_task
from django.db import OperationalError

from research import scoring


@shared_task(name="research.score", acks_late=True, autoretry_for=(OperationalError,), retry_backoff=2, max_retries=5)
def score(run_id: str, organization_id: str) -> None:
    scoring.work_on(UUID(run_id), UUID(organization_id))


@shared_task(name="research.sweep", acks_late=True)
def sweep() -> None:
    scoring.sweep()
