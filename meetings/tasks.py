from uuid import UUID

from celery import shared_task

from meetings import delivery


@shared_task(name="meetings.send_invitation", acks_late=True)
def send_invitation(invitation_id: str) -> None:
    delivery.deliver(UUID(invitation_id))


@shared_task(name="meetings.send_waiting_invitations", acks_late=True)
def send_waiting_invitations() -> None:
    delivery.sweep()
