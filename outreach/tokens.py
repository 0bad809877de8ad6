"""What a mail carries so that we know it again: links to unsubscribe, Message-IDs and reply addresses, all signed.

None of them expires, and none needs a row to be understood: an unsubscribe link works after the person was deleted.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from uuid import UUID

from common.crypto import is_signed, keyed_digests

_MAC_BYTES = 15
_LOCAL_PART = re.compile(r"(?<![A-Za-z0-9._-])eo\.([a-z2-7]{26})\.([a-z2-7]{24})@", re.ASCII)


class InvalidToken(ValueError):
    """Not made by us, or changed on the way."""


@dataclass(frozen=True)
class Unsubscribe:
    """Whom a link is about: an address of an organization, and the mail it stood in."""

    organization_id: UUID
    address_hash: UUID
    message_id: UUID


def unsubscribe_token(subject: Unsubscribe) -> str:
    """87 characters that are safe in an address."""
    raw = subject.organization_id.bytes + subject.address_hash.bytes + subject.message_id.bytes
    mac = keyed_digests(raw.hex(), purpose="unsubscribe")[0][:_MAC_BYTES]
    return base64.urlsafe_b64encode(raw + mac).rstrip(b"=").decode()


def read_unsubscribe_token(token: str) -> Unsubscribe:
    """The inverse of ``unsubscribe_token``. Raises InvalidToken."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidToken from error
    raw, mac = data[:48], data[48:]
    if len(data) != 48 + _MAC_BYTES or not is_signed(raw.hex(), mac, purpose="unsubscribe"):
        raise InvalidToken
    return Unsubscribe(*(UUID(bytes=raw[n : n + 16]) for n in (0, 16, 32)))


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode().lower()


def signed_local_part(message_id: UUID) -> str:
    """The local part of our Message-ID and of the reply address of one message: ``eo.<id>.<signature>``."""
    mac = keyed_digests(message_id.hex, purpose="message-id")[0][:_MAC_BYTES]
    return f"eo.{_base32(message_id.bytes)}.{_base32(mac)}"


def mail_message_id(message_id: UUID, domain: str) -> str:
    """Our Message-ID (RFC 5322, section 3.6.4), with its angle brackets."""
    return f"<{signed_local_part(message_id)}@{domain}>"


def messages_named_in(header: str) -> list[UUID]:
    """The messages whose Message-ID or reply address, with a valid signature, stands in a header; in order, each once.

    A local part counts only as a whole: a longer one that merely contains ours does not.
    """
    found = []
    for identifier, mac in _LOCAL_PART.findall(header.lower()):
        try:
            message_id = UUID(bytes=base64.b32decode(identifier.upper() + "=" * 6))
            digest = base64.b32decode(mac.upper())
        except (binascii.Error, ValueError):
            continue
        # Base32 has spare bits at its end, so two spellings can mean the same bytes; only ours counts.
        canonical = (_base32(message_id.bytes), _base32(digest)) == (identifier, mac)
        if canonical and is_signed(message_id.hex, digest, purpose="message-id"):
            found.append(message_id)
    return list(dict.fromkeys(found))


def mailbox_token(mailbox_id: UUID) -> str:
    """What stands in the address at which a provider hands us the mail of one mailbox."""
    mac = keyed_digests(mailbox_id.hex, purpose="inbound")[0][:_MAC_BYTES]
    return _base32(mailbox_id.bytes + mac)


def read_mailbox_token(token: str) -> UUID:
    """The inverse of ``mailbox_token``. Raises InvalidToken."""
    try:
        data = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken from error
    if len(data) != 16 + _MAC_BYTES:
        raise InvalidToken
    mailbox_id = UUID(bytes=data[:16])
    if not is_signed(mailbox_id.hex, data[16:], purpose="inbound"):
        raise InvalidToken
    return mailbox_id
