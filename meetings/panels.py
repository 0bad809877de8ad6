"""Meetings on the pages of an account, a person and a show."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.panels import account_board
from events.web import EventRequest
from identity.models import Role
from meetings.availability import free_slots
from meetings.models import Meeting
from outreach.classifying import ReplyClass
from outreach.models import InboundMail
from outreach.panels import reply_board
from people.models import Person
from people.panels import person_board

SHOWN = 6
OFFERED = 3
"""Free slots that are offered to somebody who is interested."""


def book_with_account(request: EventRequest, account: Account) -> Mapping[str, Any] | None:
    return _book(request, f"account={account.pk}")


def book_with_person(request: EventRequest, person: Person) -> Mapping[str, Any] | None:
    return _book(request, f"person={person.pk}")


def _book(request: EventRequest, query: str) -> Mapping[str, Any] | None:
    """The address of a form that is filled in; nothing for who may not book, or while there is no show."""
    if request.event is None or not request.membership.may(Role.REP):
        return None
    return {"address": f"{reverse('meetings:create')}?{query}"}


def slots_for_reply(request: EventRequest, mail: InboundMail) -> Mapping[str, Any] | None:
    """The next free slots at the booth for somebody who is interested."""
    event = request.event
    if event is None or mail.person_id is None or mail.label != ReplyClass.INTERESTED:
        return None
    if not request.membership.may(Role.REP):
        return None
    address = f"{reverse('meetings:create')}?person={mail.person_id}"
    slots = [
        (slot, f"{address}&{urlencode({'start': slot.isoformat()})}")
        for slot in free_slots(event, rep=mail.assignee or request.user, number=OFFERED)
    ]
    return {"slots": slots, "address": address, "event": event}


def meetings_of_account(request: EventRequest, account: Account) -> Mapping[str, Any]:
    rows = Meeting.objects.for_org(request.organization).filter(account=account)
    return {"meetings": _latest(rows), "all_url": f"{reverse('meetings:list')}?when=all&account={account.pk}"}


def meetings_of_person(request: EventRequest, person: Person) -> Mapping[str, Any]:
    return {"meetings": _latest(Meeting.objects.for_org(request.organization).filter(attendees__person=person))}


def _latest(rows: Any) -> list[Meeting]:
    """What lies ahead first, the nearest on top; then what was."""
    now, listed = timezone.now(), rows.select_related("event", "rep", "table")
    ahead = list(listed.filter(ends_at__gte=now).order_by("starts_at")[:SHOWN])
    return ahead + list(listed.filter(ends_at__lt=now).order_by(F("starts_at").desc())[: SHOWN - len(ahead)])


def register() -> None:
    """Called once, when the app is ready."""
    action, side = "meetings/panel_book.html", "meetings/panel.html"
    account_board.add(name="book", slot="actions", template=action, context=book_with_account, order=20)
    person_board.add(name="book", slot="actions", template=action, context=book_with_person, order=20)
    account_board.add(name="meetings", slot="side", template=side, context=meetings_of_account, order=30)
    reply_board.add(name="slots", slot="actions", template="meetings/panel_slots.html", context=slots_for_reply)
    person_board.add(name="meetings", slot="side", template=side, context=meetings_of_person, order=30)
