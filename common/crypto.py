"""Secrets at rest and keyed hashes, under the keys of ``EVENTOPS_ENCRYPTION_KEYS``.

A secret is AES-256-GCM under a key of its organization, derived by HKDF (RFC 5869) from a master key, and bound to the
row and field it stands in: moved anywhere else it does not open. A stored value reads ``v1|key id|base64``. The first
key of the setting encrypts; every listed key still decrypts, so a new one is put in front and the old one kept until
nothing uses it.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_VERSION = "v1"
_NONCE_BYTES = 12


class CannotDecrypt(Exception):
    """The value was changed, moved, or encrypted under a key that is not configured."""


class Secret(str):
    """A text that shows itself to nobody by accident: its ``repr`` is three stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def parse_keys(text: str) -> dict[str, bytes]:
    """``name:base64`` pairs, separated by commas, the current key first. Raises ImproperlyConfigured."""
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not name or "|" in name or len(key) != 32:
            raise ImproperlyConfigured(
                "EVENTOPS_ENCRYPTION_KEYS needs name:key pairs, the key 32 random bytes in base64: "
                'echo "k1:$(openssl rand -base64 32)"'
            )
        keys[name] = key
    return keys


@functools.cache
def _parsed(text: str, fallback: str) -> dict[str, bytes]:
    # Without keys of its own an installation on one machine lives with one made from AUTH_SECRET;
    # production refuses to start that way.
    return parse_keys(text) or {"auth": hashlib.sha256(b"eventops encryption|" + fallback.encode()).digest()}


def _masters() -> dict[str, bytes]:
    return _parsed(settings.EVENTOPS_ENCRYPTION_KEYS, settings.SECRET_KEY)


@functools.lru_cache(maxsize=4_096)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"eventops|{purpose}".encode()).derive(master)


def encrypt(plain: str, *, place: str, organization_id: UUID) -> str:
    """Encrypt ``plain`` for one place, written ``table:row:field``; only the same place opens it again."""
    name, master = next(iter(_masters().items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_derive(master, f"secret|{organization_id}")).encrypt(
        nonce, plain.encode(), _bound_to(name, place, organization_id)
    )
    return f"{_VERSION}|{name}|{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, place: str, organization_id: UUID) -> Secret:
    """The inverse of ``encrypt``. Raises CannotDecrypt."""
    version, _, rest = stored.partition("|")
    name, _, encoded = rest.partition("|")
    master = _masters().get(name)
    if version != _VERSION or master is None:
        raise CannotDecrypt
    try:
        raw = base64.b64decode(encoded, validate=True)
        plain = AESGCM(_derive(master, f"secret|{organization_id}")).decrypt(
            raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound_to(name, place, organization_id)
        )
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt from error
    return Secret(plain.decode())


def _bound_to(name: str, place: str, organization_id: UUID) -> bytes:
    return f"{_VERSION}|{name}|{place}:{organization_id}".encode()


def keyed_digests(value: str, *, purpose: str) -> list[bytes]:
    """HMAC-SHA256 of ``value`` under every configured key, the current one's first. Look for any, store the first."""
    return [
        hmac.digest(_derive(master, f"digest|{purpose}"), value.encode(), "sha256") for master in _masters().values()
    ]


def is_signed(value: str, digest: bytes, *, purpose: str) -> bool:
    """Whether ``digest`` is (the beginning, at least 10 bytes, of) a keyed digest of ``value``; in constant time."""
    if len(digest) < 10:
        return False
    return any(hmac.compare_digest(mine[: len(digest)], digest) for mine in keyed_digests(value, purpose=purpose))
