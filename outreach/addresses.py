"""Addresses as keyed hashes: what a suppression keeps, so that it outlives the person and tells nobody who it was."""

from collections.abc import Iterable
from uuid import UUID

from common.crypto import keyed_digests
from common.text import email_key


def address_hashes(organization_id: UUID, address: str) -> list[UUID]:
    """The keyed hashes of the normalised address, the current key's first. Empty for an empty address."""
    key = email_key(address)
    if not key:
        return []
    return [UUID(bytes=digest[:16]) for digest in keyed_digests(f"{organization_id}|{key}", purpose="address")]


def address_hash(organization_id: UUID, address: str) -> UUID | None:
    """The keyed hash that is stored: 128 bits of HMAC-SHA256 over organization and normalised address."""
    return next(iter(address_hashes(organization_id, address)), None)


def hashes_of(organization_id: UUID, addresses: Iterable[str]) -> dict[UUID, str]:
    """Every hash of every address, to the address it belongs to."""
    return {found: address for address in addresses for found in address_hashes(organization_id, address)}


def masked(address: str) -> str:
    """Enough for somebody who knows the address to recognise it: ``a…@acme.example``."""
    local, at, domain = email_key(address).rpartition("@")
    return f"{local[:1]}…@{domain}" if at else ""
