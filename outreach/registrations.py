"""What outreach puts onto the pages of lower apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from accounts.bulk import BulkAction, Selection, register_action
from accounts.models import Account
from accounts.panels import account_board
from identity import settings_pages
from identity.models import Role
from identity.settings_pages import SettingsPage
from identity.web import OrgRequest
from outreach.ledger import next_line
from outreach.models import AccountHold, Message, Suppression
from outreach.selections import MOST_PICKED, PICKED
from people.models import Person
from people.panels import person_board

SHOWN = 6


def mails_of_person(request: OrgRequest, person: Person) -> Mapping[str, Any]:
    """The newest mails to the person, and whether one may be written."""
    mails = Message.objects.for_org(request.organization).to(person).select_related("campaign")
    found = mails.exclude(address_hash=None).values_list("address_hash", flat=True).distinct()[:5]
    hashes = [address_hash for address_hash in found if address_hash]
    return {
        "mails": list(mails.defer("text", "html").order_by("-created_at")[:SHOWN]),
        "suppressed": Suppression.objects.for_org(request.organization).of(hashes).first() if hashes else None,
        "may_write": request.membership.may(Role.REP),
    }


def mails_of_account(request: OrgRequest, account: Account) -> Mapping[str, Any]:
    """The newest mails to people of the account."""
    mails = Message.objects.for_org(request.organization).filter(account=account).select_related("person")
    return {
        "mails": list(mails.defer("text", "html").order_by("-created_at")[:SHOWN]),
        "may_write": request.membership.may(Role.REP),
    }


def sending_to_person(request: OrgRequest, person: Person) -> Mapping[str, Any]:
    """The hold of the person's account, and their next planned mail with the reason why it has not left."""
    mine = Message.objects.for_org(request.organization).to(person)
    return {
        "hold": _hold_of(request, person.account_id),
        "line": next_line(request.organization.pk, mine),
        "may_write": request.membership.may(Role.REP),
        "request": request,
    }


def sending_to_account(request: OrgRequest, account: Account) -> Mapping[str, Any]:
    """As ``sending_to_person``, for everybody there."""
    theirs = Message.objects.for_org(request.organization).filter(account=account)
    return {
        "hold": _hold_of(request, account.pk),
        "line": next_line(request.organization.pk, theirs),
        "account_to_hold": account,
        "may_write": request.membership.may(Role.REP),
        "request": request,
    }


def _hold_of(request: OrgRequest, account_id: UUID | None) -> AccountHold | None:
    held = AccountHold.objects.for_org(request.organization).active(timezone.now()).select_related("account")
    return held.filter(account=account_id).first() if account_id else None


def may_write(request: OrgRequest, subject: Any) -> Mapping[str, Any] | None:
    """The button that writes; a viewer does not see it."""
    return {} if request.membership.may(Role.REP) else None


person_board.add(name="write", slot="actions", template="outreach/_write_person.html", context=may_write, order=10)
person_board.add(name="mails", slot="side", template="outreach/_mails.html", context=mails_of_person, order=30)
account_board.add(name="write", slot="actions", template="outreach/_write_account.html", context=may_write, order=20)
person_board.add(name="sending", slot="side", template="outreach/_hold.html", context=sending_to_person, order=25)
account_board.add(name="sending", slot="side", template="outreach/_hold.html", context=sending_to_account, order=25)
account_board.add(name="mails", slot="side", template="outreach/_mails.html", context=mails_of_account, order=30)


def write_to_people(request: Any, selection: Selection) -> str:
    """The page that writes, for what was chosen on the list of people: its filter, or the ticked rows."""
    if not selection.ids:
        return f"{reverse('outreach:new')}?{selection.query}"
    request.session[PICKED] = {"people": [str(person_id) for person_id in selection.ids[:MOST_PICKED]]}
    return f"{reverse('outreach:new')}?picked=1"


def write_to_accounts(request: Any, selection: Selection) -> str:
    """As ``write_to_people``, for everybody at the chosen accounts."""
    name = selection.subject.id_field(selection.filter())
    ids = selection.rows().order_by(name).values_list(name, flat=True)[:MOST_PICKED]
    request.session[PICKED] = {"accounts": [str(account_id) for account_id in ids]}
    return f"{reverse('outreach:new')}?picked=1"


register_action(
    BulkAction(key="write", subject="people", label="Write", icon="mail", redirect=write_to_people, order=5)
)
register_action(
    BulkAction(key="write", subject="accounts", label="Write", icon="mail", redirect=write_to_accounts, order=5)
)

settings_pages.register(
    SettingsPage("outreach:mailboxes", "Mailboxes", "Who sends: SendGrid or your own mail server.", "mail", "Mail"),
    SettingsPage("outreach:domains", "Domains", "What the DNS must say before mail leaves.", "globe", "Mail"),
    SettingsPage(
        "outreach:suppression", "Suppression", "Addresses that must not be written to.", "ban", "Mail", Role.REP
    ),
)
