"""Asking for an action on many rows."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from accounts.bulk import BulkAction, Selection
from accounts.models import BulkJob
from accounts.tasks import run_bulk_job


@transaction.atomic
def start_job(selection: Selection, *, action: BulkAction, params: Mapping[str, Any]) -> BulkJob:
    """Write the job down and ring for a worker once that is committed."""
    job = BulkJob.objects.create(
        organization=selection.organization, subject=selection.subject.key, action=action.key, params=dict(params),
        query=selection.query, ids=list(selection.ids), event=selection.event, created_by=selection.user,
        total=selection.count(),
    )  # fmt: skip
    bell = partial(run_bulk_job.delay, str(job.pk), str(job.organization_id))
    transaction.on_commit(bell, robust=True)  # a bell that cannot ring is no fault: the sweep finds the job
    return job


def cancel_job(job: BulkJob) -> bool:
    """Stop a job after its current chunk; whether it was still going."""
    open_ = [BulkJob.Status.WAITING, BulkJob.Status.RUNNING]
    return bool(
        BulkJob.objects.for_org(job.organization_id)
        .filter(pk=job.pk, status__in=open_)
        .update(status=BulkJob.Status.CANCELLED, leased_until=None)
    )
