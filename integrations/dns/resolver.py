"""``common.dns.Resolver`` by dnspython: the machine's resolvers, those of the settings, or none."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from common.dns import RecordType, Unanswered

TRY, LIFETIME = 1.5, 4.0
"""Seconds for one question to one server, and for all tries of a look-up."""
OFF = "off"


class DnsResolver:
    """Asks the servers of ``EVENTOPS_DNS_SERVERS``: ``address:port``, several with commas, empty for the machine's own."""

    def __init__(self) -> None:
        self._resolver = _configured(settings.EVENTOPS_DNS_SERVERS)

    def look_up(self, name: str, kind: RecordType) -> list[str]:
        if self._resolver is None:
            raise Unanswered("Looking up names is switched off here.")
        try:
            answer = self._resolver.resolve(f"{name.rstrip('.')}.", kind, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
            return []
        except (dns.exception.Timeout, dns.resolver.NoNameservers) as error:
            raise Unanswered("The name server did not answer, or answered with a failure.") from error
        except (dns.exception.DNSException, ValueError):
            return []  # not a name that could be in use
        except OSError as error:
            raise Unanswered("No name server can be reached.") from error
        return [_value(record) for record in answer]


def _value(record: object) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    if isinstance(record, MX):
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True)}"
    if isinstance(record, CNAME):
        return record.target.to_text(omit_final_dot=True)
    return str(record)


def _configured(servers: list[str]) -> dns.resolver.Resolver | None:
    if servers == [OFF]:
        return None
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        return None
    if servers:
        resolver.nameservers = [_server(server) for server in servers]
    resolver.timeout, resolver.lifetime = TRY, LIFETIME
    return resolver


def _server(address: str) -> dns.nameserver.Nameserver:
    """``127.0.0.1``, ``127.0.0.1:5353``, ``::1`` or ``[::1]:5353``."""
    try:
        return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(address)))
    except ValueError:
        parts = urlsplit(f"//{address}")
        return dns.nameserver.Do53Nameserver(str(parts.hostname), parts.port or 53)
