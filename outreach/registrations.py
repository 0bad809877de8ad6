"""What outreach puts onto the pages of lower apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Account
from accounts.panels import account_board
from identity import settings_pages
from identity.models import Role
from identity.settings_pages import SettingsPage
from identity.web import OrgRequest
from outreach.models import Message, Suppression
from people.models import Person
from people.panels import person_board

SHOWN = 6


def mails_of_person(request: OrgRequest, person: Person) -> Mapping[str, Any]:
    """The newest mails to the person, and whether one may be written."""
    mails = Message.objects.for_org(request.organization).to(person).select_related("campaign")
    hashes: list[Any] = list(mails.exclude(address_hash=None).values_list("address_hash", flat=True).distinct()[:5])
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


def may_write(request: OrgRequest, subject: Any) -> Mapping[str, Any] | None:
    """The button that writes; a viewer does not see it."""
    return {} if request.membership.may(Role.REP) else None


person_board.add(name="write", slot="actions", template="outreach/_write_person.html", context=may_write, order=10)
person_board.add(name="mails", slot="side", template="outreach/_mails.html", context=mails_of_person, order=30)
account_board.add(name="write", slot="actions", template="outreach/_write_account.html", context=may_write, order=20)
account_board.add(name="mails", slot="side", template="outreach/_mails.html", context=mails_of_account, order=30)

settings_pages.register(
    SettingsPage("outreach:mailboxes", "Mailboxes", "Who sends: SendGrid or your own mail server", "mail", "Mail"),
    SettingsPage(
        "outreach:suppression", "Suppression", "Addresses that must not be written to", "ban", "Mail", Role.REP
    ),
)
