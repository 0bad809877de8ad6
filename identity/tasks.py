from celery import shared_task

from identity import mailing, upkeep


@shared_task(name="identity.send_invitation")
def send_invitation(invitation_id: str) -> None:
    mailing.send_invitation(invitation_id)


@shared_task(name="identity.sweep")
def sweep() -> None:
    """Invitations whose bell nobody heard, and rows whose time is over."""
    mailing.send_forgotten_invitations()
    upkeep.delete_expired()
