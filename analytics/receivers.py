"""Whatever changes a figure makes the remembered ones old, as soon as it is committed.

What is not announced (a merge, rows an import wrote in bulk) is noticed when its differences are folded.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import receiver

from analytics import cache
from common.happenings import Happening, happened
from outreach.signals import messages_changed, messages_ended


@receiver(happened, dispatch_uid="analytics.happened")
def after_happenings(happenings: Sequence[Happening], **_: Any) -> None:
    for organization_id in {happening.organization_id for happening in happenings}:
        after_messages(organization_id)


@receiver([messages_changed, messages_ended], dispatch_uid="analytics.messages")
def after_messages(organization_id: UUID, **_: Any) -> None:
    transaction.on_commit(partial(cache.bump, organization_id))
