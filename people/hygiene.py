"""What an address says about itself: whether it can be one, whose it is, and whether somebody mistyped it. Asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from common.text import email_key

ROLES = (
    "abuse", "accounting", "accounts", "accueil", "admin", "administration", "bestellung", "bewerbung", "billing", "booking",
    "comercial", "commercial", "compras", "contact", "contacto", "contatto", "customerservice", "einkauf", "events",
    "feedback", "finance", "hello", "help", "helpdesk", "hostmaster", "hr", "info", "information", "jobs", "kontakt",
    "legal", "mail", "marketing", "media", "no-reply", "noreply", "office", "orders", "postmaster", "presse", "press",
    "privacy", "purchasing", "reception", "recruiting", "sales", "security", "service", "services", "shop", "support",
    "team", "vendite", "ventas", "verkauf", "vertrieb", "webmaster",
)  # fmt: skip
"""Local parts that stand for a function rather than a person."""
GREAT = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "yahoo.co.uk", "icloud.com", "t-online.de",
    "protonmail.com", "orange.fr", "wanadoo.fr", "libero.it",
)  # fmt: skip
"""Domains so many people write by hand that a neighbour of one is most likely a slip."""
NEIGHBOURS = {"mail.com", "email.com", "ymail.com", "rocketmail.com", "hotmail.co", "yahoo.co"}
"""Real ones that are one slip away from a great one."""
DISPOSABLE = frozenset(
    """
    0815.ru 10minutemail.com 10minutemail.net 20minutemail.com 33mail.com anonbox.net anonymbox.com burnermail.io
    byom.de cock.li correotemporal.org crazymailing.com discard.email discardmail.com dispostable.com dropmail.me
    einrot.com emailfake.com emailondeck.com emltmp.com fakeinbox.com fakemail.net fakemailgenerator.com fleckens.hu
    generator.email getairmail.com getnada.com grr.la guerrillamail.biz guerrillamail.com guerrillamail.de
    guerrillamail.info guerrillamail.net guerrillamail.org guerrillamailblock.com harakirimail.com inboxbear.com
    inboxkitten.com incognitomail.org jetable.org mailcatch.com maildrop.cc mailexpire.com mailinator.com
    mailinator.net mailinator2.com mailnesia.com mailnull.com mailpoof.com mailsac.com mailtemp.info mintemail.com
    moakt.com mohmal.com muellmail.com mytemp.email mytrashmail.com nada.email owlymail.com pokemail.net
    rhyta.com schafmail.de sharklasers.com sofort-mail.de spam4.me spambog.com spambog.de spamfree24.org spamgourmet.com
    spamspot.com superrito.com teleworm.us temp-mail.io temp-mail.org tempail.com tempinbox.com tempmail.dev
    tempmail.plus tempmailo.com tempr.email throwawaymail.com tmail.ws tmailor.com tmpmail.net tmpmail.org trash-mail.at
    trash-mail.com trash-mail.de trashmail.at trashmail.com trashmail.de trashmail.me trashmail.net trashmail.ws
    trbvm.com wegwerfemail.de wegwerfmail.de wegwerfmail.net wegwerfmail.org yopmail.com yopmail.fr yopmail.net zetmail.com
    """.split()  # noqa: SIM905 - a list to read and to add to
)
"""Domains that give an address to anybody for minutes: those met most often."""
ROLE_PATTERN = rf"^({'|'.join(ROLES)})(\+[^@]*)?@"
"""For the database, on the normalised address."""

# RFC 5321 and 6531, without quoted local parts and address literals, which nobody at work has.
_ADDRESS = re.compile(
    r"(?=.{3,254}$)(?=[^@]{1,64}@)[^\s@.,:;<>()\[\]\\\"]+(\.[^\s@.,:;<>()\[\]\\\"]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)


HEADINGS = {
    "syntax": "Not an e-mail address",
    "no_mail": "Domain takes no mail",
    "typo": "Probably mistyped",
    "disposable": "Throw-away address",
    "role": "Address of a department",
}


@dataclass(frozen=True)
class Remark:
    """Something to know before a mail goes to an address. ``kind``: syntax, no_mail, typo, disposable or role."""

    kind: str
    words: str

    @property
    def heading(self) -> str:
        """What many addresses have in common."""
        return HEADINGS[self.kind]

    @property
    def blocks(self) -> bool:
        return self.kind in {"syntax", "no_mail"}


def remarks(address: str) -> list[Remark]:
    """What the address alone gives away; empty for an ordinary one."""
    key = email_key(address)
    if not is_address(key):
        return [Remark("syntax", "This is not an e-mail address.")]
    local, _, domain = key.rpartition("@")
    found = []
    if better := meant(domain):
        found.append(Remark("typo", f"Did somebody mean {local}@{better}?"))
    if is_disposable(domain):
        found.append(Remark("disposable", "A throw-away address: nobody reads it for long."))
    if local.partition("+")[0] in ROLES:
        found.append(Remark("role", "The address of a department, not of a person."))
    return found


def is_address(key: str) -> bool:
    """Whether a normalised address is written as one."""
    return _ADDRESS.fullmatch(key) is not None


def is_disposable(domain: str) -> bool:
    """The domain, or one above it, gives addresses to anybody for minutes."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in DISPOSABLE for start in range(len(labels) - 1))


@lru_cache(maxsize=4_096)
def meant(domain: str) -> str:
    """The great domain that ``domain`` is one slip away from; empty when it is none."""
    if domain in GREAT or domain in NEIGHBOURS:
        return ""
    return next((great for great in GREAT if OSA.distance(domain, great, score_cutoff=1) == 1), "")
