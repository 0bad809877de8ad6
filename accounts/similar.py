"""Is this company here already? Asked before one is added."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from rapidfuzz import fuzz

from accounts.models import Account
from common.search import alike
from common.text import company_key, domain_key

NEARLY = 88
"""From which likeness of names (0 to 100) on two companies are shown as possibly one."""


@dataclass(frozen=True)
class Similar:
    """An account that looks like the new one, and why."""

    account: Account
    reason: str


def find_similar(
    organization_id: UUID, *, name: str, website: str = "", exclude: UUID | None = None, limit: int = 5
) -> list[Similar]:
    """Accounts of the same or nearly the same name, or the same web domain; the surest first."""
    key, domain = company_key(name), domain_key(website)
    if not key:
        return []
    same = Q(name_key=key)
    if domain:
        same |= Q(domain=domain)
    accounts = Account.objects.for_org(organization_id).exclude(pk__in=[exclude] if exclude else [])
    found = [
        Similar(account, "has the same name" if account.name_key == key else f"has the same domain, {account.domain}")
        for account in accounts.filter(same)[:limit]
    ]
    if len(found) < limit and len(key) > 3:
        seen = {similar.account.pk for similar in found}
        near = accounts.filter(pk__in=alike("accounts_account", key, cap=25)).exclude(pk__in=seen)
        rated = sorted(((fuzz.WRatio(key, account.name_key), account) for account in near), key=lambda pair: -pair[0])
        found += [
            Similar(account, "has nearly the same name")
            for rate, account in rated
            if rate >= NEARLY and fuzz.ratio(key, account.name_key) >= NEARLY - 18
        ]
    return found[:limit]
