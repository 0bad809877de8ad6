"""What people put onto pages of lower apps."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Account
from accounts.panels import account_board
from identity.web import OrgRequest
from people.models import Person

SHOWN = 12


def people_of_account(request: OrgRequest, account: Account) -> Mapping[str, Any]:
    """The best-scored people of the account; the list has the others."""
    people = Person.objects.for_org(request.organization).filter(account=account)
    found = list(people.order_by("-icp_score", "name_norm")[: SHOWN + 1])
    return {"people": found[:SHOWN], "more": len(found) > SHOWN}


account_board.add(name="people", slot="side", template="people/_of_account.html", context=people_of_account, order=10)
