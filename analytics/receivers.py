"""Whatever changes a figure makes the remembered ones old, as soon as it is committed."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver

from analytics import cache
from common.happenings import Happening, Kind, happened
from events.models import Event
from outreach.models import Message
from outreach.signals import messages_ended, reply_received

EVERYWHERE = {
    Kind.ACCOUNT_CREATED, Kind.ACCOUNT_UPDATED, Kind.ACCOUNT_DELETED, Kind.PERSON_CREATED, Kind.PERSON_UPDATED,
    Kind.PERSON_DELETED, Kind.LIST_IMPORTED,
}  # fmt: skip
"""What may touch every show of the organization: people and accounts belong to all of them."""


@receiver(happened, dispatch_uid="analytics.happened")
def after_happenings(happenings: Sequence[Happening], **_: Any) -> None:
    """Bump what was touched; once per show, however many happenings there are."""
    touched = {(happening.organization_id, happening.event_id) for happening in happenings}
    for organization_id in {h.organization_id for h in happenings if h.kind in EVERYWHERE}:
        shows = Event.objects.for_org(organization_id).values_list("pk", flat=True)
        touched |= {(organization_id, event_id) for event_id in shows}
    _bump_after_commit(touched)


@receiver(messages_ended, dispatch_uid="analytics.messages")
def after_messages(organization_id: UUID, messages: Sequence[Message], **_: Any) -> None:
    _bump_after_commit({(organization_id, message.event_id) for message in messages})


@receiver(reply_received, dispatch_uid="analytics.reply")
def after_reply(message: Message | None, **_: Any) -> None:
    if message:
        _bump_after_commit([(message.organization_id, message.event_id)])


def _bump_after_commit(touched: Iterable[tuple[UUID, UUID | None]]) -> None:
    for organization_id, event_id in touched:
        transaction.on_commit(partial(cache.bump, organization_id, event_id))
