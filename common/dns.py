"""The door to the domain name system. The adapter lives in ``integrations`` and registers itself here."""

from collections.abc import Callable
from typing import Literal, Protocol

RecordType = Literal["A", "AAAA", "CNAME", "MX", "TXT"]


class Unanswered(Exception):
    """Nobody answered in time, or the answer was a failure: nothing is known about the name."""


class Resolver(Protocol):
    def look_up(self, name: str, kind: RecordType) -> list[str]:
        """The values of a name's records, aliases followed except for ``CNAME`` itself; empty when there are none.

        A ``TXT`` is joined to one string, an ``MX`` is ``10 mail.example.com``, names end without a dot. Takes a few
        seconds at most. Raises Unanswered.
        """


_openers: list[Callable[[], Resolver]] = []


def register_resolver(opener: Callable[[], Resolver]) -> None:
    _openers[:] = [opener]


def open_resolver() -> Resolver:
    """The resolver of the settings (``EVENTOPS_DNS_SERVERS``)."""
    return _openers[0]()


def receives_mail(resolver: Resolver, domain: str) -> bool:
    """Whether mail to the domain has somewhere to go: an ``MX``, or an address without one (RFC 5321, 5.1).

    A single ``MX`` to nowhere says that it takes none (RFC 7505). Raises Unanswered.
    """
    servers = resolver.look_up(domain, "MX")
    if servers:
        return any(server.partition(" ")[2].strip(".") for server in servers)
    return bool(resolver.look_up(domain, "A") or resolver.look_up(domain, "AAAA"))
