"""The bells of outreach. Every one may ring late, twice or never: rows say what there is to do, and a sweep looks."""

from uuid import UUID

from celery import shared_task

from outreach import (
    comparing,
    connecting,
    copying,
    delivery,
    domains,
    drafting,
    health,
    inbound,
    reconciling,
    reports,
    trials,
)

SHIFT = 20.0
"""Seconds a worker sends before it lets other work through."""


@shared_task(name="outreach.send_due", acks_late=True)
def send_due() -> None:
    if delivery.deliver_due(seconds=SHIFT):
        send_due.apply_async(retry=False)


@shared_task(name="outreach.write_drafts", acks_late=True)
def write_drafts(organization_id: str, campaign_id: str) -> None:
    drafting.write_drafts(UUID(organization_id), UUID(campaign_id))


@shared_task(name="outreach.process_reports", acks_late=True)
def process_reports(organization_id: str) -> None:
    reports.process(UUID(organization_id))


@shared_task(name="outreach.sort_mail", acks_late=True)
def sort_mail(organization_id: str, mail_id: str) -> None:
    inbound.sort(UUID(organization_id), UUID(mail_id))


@shared_task(name="outreach.connect_mailbox", acks_late=True)
def connect_mailbox(organization_id: str, mailbox_id: str) -> None:
    connecting.connect(UUID(organization_id), UUID(mailbox_id))


@shared_task(name="outreach.send_test", acks_late=True)
def send_test(organization_id: str, mailbox_id: str, user_id: str) -> None:
    connecting.send_test(UUID(organization_id), UUID(mailbox_id), UUID(user_id))


@shared_task(name="outreach.send_trial", acks_late=True)
def send_trial(
    organization_id: str, template_id: str, mailbox_id: str, person_id: str, event_id: str, user_id: str
) -> None:
    trials.send(
        UUID(organization_id), template=UUID(template_id), mailbox=UUID(mailbox_id), person=UUID(person_id),
        event=UUID(event_id) if event_id else None, user=UUID(user_id),
    )  # fmt: skip


@shared_task(name="outreach.copy_templates", acks_late=True)
def copy_templates(organization_id: str) -> None:
    copying.copy_templates(UUID(organization_id))


@shared_task(name="outreach.check_domain", acks_late=True)
def check_domain(organization_id: str, domain_id: str) -> None:
    domains.check(UUID(organization_id), UUID(domain_id))


@shared_task(name="outreach.check_domains", acks_late=True)
def check_domains() -> None:
    """Each minute: the domains nobody has checked yet, those of which it is time again, and those of new mailboxes."""
    domains.notice()
    for organization_id, domain_id in domains.due():
        domains.check(organization_id, domain_id)


@shared_task(name="outreach.compare", acks_late=True)
def compare() -> None:
    """Every ten minutes: ask whether a wording has won."""
    comparing.judge_open()


@shared_task(name="outreach.judge_health", acks_late=True)
def judge_health() -> None:
    health.judge_all()


@shared_task(name="outreach.sweep", acks_late=True)
def sweep() -> None:
    """Each minute: what a lost bell missed."""
    reconciling.reconcile()
    for organization_id in reports.unprocessed_organizations():
        reports.process(organization_id)
    for organization_id, mail_id in inbound.unsorted():
        inbound.sort(organization_id, mail_id)
    for organization_id, campaign_id in drafting.unfinished_campaigns():
        drafting.write_drafts(organization_id, campaign_id)
    for organization_id, campaign_id in drafting.waiting_for_words():
        drafting.write_rest(organization_id, campaign_id)
    for organization_id, mailbox_id in connecting.unconnected():
        connecting.connect(organization_id, mailbox_id)
    for organization_id in copying.organizations_to_copy():
        copying.copy_templates(organization_id)
    send_due()
