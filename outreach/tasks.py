"""The bells of outreach. Every one may ring late, twice or never: rows say what there is to do, and a sweep looks."""

from uuid import UUID

from celery import shared_task

from outreach import delivery, drafting, reconciling

SHIFT = 20.0
"""Seconds a worker sends before it lets other work through."""


@shared_task(name="outreach.send_due", acks_late=True)
def send_due() -> None:
    if delivery.deliver_due(seconds=SHIFT):
        send_due.apply_async(retry=False)


@shared_task(name="outreach.write_drafts", acks_late=True)
def write_drafts(organization_id: str, campaign_id: str) -> None:
    drafting.write_drafts(UUID(organization_id), UUID(campaign_id))


@shared_task(name="outreach.sweep", acks_late=True)
def sweep() -> None:
    """Each minute: what a lost bell missed."""
    reconciling.reconcile()
    for organization_id, campaign_id in drafting.unfinished_campaigns():
        drafting.write_drafts(organization_id, campaign_id)
    send_due()
