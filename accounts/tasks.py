from uuid import UUID

from celery import shared_task
from django.db import OperationalError

from accounts import bulk


@shared_task(name="accounts.bulk", acks_late=True, autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3)
def run_bulk_job(job_id: str, organization_id: str) -> None:
    bulk.run(UUID(job_id), UUID(organization_id))


@shared_task(name="accounts.sweep", acks_late=True)
def sweep() -> None:
    for job_id, organization_id in bulk.sweep():
        run_bulk_job.delay(str(job_id), str(organization_id))
