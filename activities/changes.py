"""The change history on the pages of accounts and people: who changed which field, from what to what."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Account, TargetAccount
from events.web import EventRequest
from identity.history import history_of
from people.models import Person

SHOWN = 20


def changes_of_account(request: EventRequest, account: Account) -> Mapping[str, Any]:
    """Of the company itself, and of how it stands at the chosen show."""
    parts = [("Company", history_of(account, limit=SHOWN))]
    if request.event is not None:
        target = (
            TargetAccount.objects.for_org(request.organization).filter(account=account, event=request.event).first()
        )
        if target is not None:
            parts.append((request.event.name, history_of(target, limit=SHOWN)))
    return {"parts": [(title, changes) for title, changes in parts if changes]}


def changes_of_person(request: EventRequest, person: Person) -> Mapping[str, Any]:
    changes = history_of(person, limit=SHOWN)
    return {"parts": [("", changes)] if changes else []}
