"""Which domains of our people's addresses take mail. Asked of the DNS in the background, a domain at a time, and kept."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from common.dns import Unanswered, open_resolver, receives_mail
from common.text import email_key
from identity.models import Organization
from identity.scope import org_scope, system_scope
from people import hygiene
from people.hygiene import Remark
from people.models import MailDomain

HOLDS, DOUBTED, SOON = timedelta(days=30), timedelta(days=1), timedelta(hours=1)
"""How long an answer holds: that a domain takes mail, that it takes none, and that nobody answered."""
AT_ONCE, NEW_AT_ONCE = 500, 5_000


def no_mail(domain: str) -> Remark:
    return Remark("no_mail", f"{domain} takes no mail.")


def unusable(organization_id: UUID, addresses: Iterable[str]) -> dict[str, str]:
    """Why mail to an address makes no sense, by address; one query however many. Works inside the scope.

    What the DNS has not told yet is no reason.
    """
    keys = {address: email_key(address) for address in addresses if address}
    domains = {key.rpartition("@")[2] for key in keys.values()}
    closed = set(
        MailDomain.objects.for_org(organization_id)
        .filter(domain__in=domains, receives=False)
        .values_list("domain", flat=True)
    )
    found = {}
    for address, key in keys.items():
        domain = key.rpartition("@")[2]
        if not hygiene.is_address(key):
            found[address] = "This is not an e-mail address."
        elif domain in closed:
            found[address] = f"{domain} takes no mail."
    return found


def remarks_on(organization_id: UUID, addresses: Iterable[str]) -> dict[str, list[Remark]]:
    """Everything worth knowing about each address. Works inside the scope."""
    addresses = list(addresses)
    blocked = unusable(organization_id, addresses)
    found = {address: hygiene.remarks(address) for address in addresses}
    for address, known in found.items():
        if address in blocked and not any(remark.blocks for remark in known):
            known.insert(0, no_mail(email_key(address).rpartition("@")[2]))
    return found


# --- Asking ----------------------------------------------------------------------------------------------------------

# From one domain to the next along the index, so a list of a million people costs as many steps as it has domains.
_UNKNOWN = """
WITH RECURSIVE known AS (
  (SELECT email_domain FROM people_person WHERE organization_id = %(organization)s AND email_domain > ''
   ORDER BY email_domain LIMIT 1)
  UNION ALL
  SELECT (SELECT p.email_domain FROM people_person p WHERE p.organization_id = %(organization)s
            AND p.email_domain > known.email_domain ORDER BY p.email_domain LIMIT 1)
  FROM known WHERE known.email_domain IS NOT NULL)
SELECT email_domain FROM known WHERE email_domain IS NOT NULL AND NOT EXISTS (
  SELECT FROM people_maildomain d WHERE d.organization_id = %(organization)s AND d.domain = known.email_domain)
LIMIT %(most)s
"""


def notice() -> None:
    """Give every domain of an address its row."""
    with system_scope():
        organizations = list(Organization.objects.values_list("pk", flat=True))
    for organization_id in organizations:
        with org_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(_UNKNOWN, {"organization": organization_id, "most": NEW_AT_ONCE})
            MailDomain.objects.bulk_create(
                (
                    MailDomain(
                        organization_id=organization_id,
                        domain=domain,
                        is_disposable=hygiene.is_disposable(domain),
                        meant=hygiene.meant(domain),
                    )
                    for (domain,) in cursor.fetchall()
                ),
                ignore_conflicts=True,
            )


def ask(*, seconds: float) -> int:
    """Ask about the domains of which it is time, for so long at most. Returns how many were asked about."""
    now, end = timezone.now(), time.monotonic() + seconds
    due = Q(asked_at=None) | Q(receives=True, asked_at__lt=now - HOLDS) | Q(receives=False, asked_at__lt=now - DOUBTED)
    with system_scope():
        rows = MailDomain.objects.filter(due | Q(receives=None, asked_at__lt=now - SOON)).order_by("asked_at")
        names = list(dict.fromkeys(rows.values_list("domain", flat=True)[:AT_ONCE]))
    resolver, done = open_resolver(), 0
    for name in names:
        if time.monotonic() > end:
            break
        changes: dict[str, object] = {"asked_at": timezone.now(), "updated_at": timezone.now()}
        with suppress(Unanswered):  # what was known stays
            changes["receives"] = receives_mail(resolver, name)
        with system_scope():
            MailDomain.objects.filter(domain=name).update(**changes)
        done += 1
    return done
