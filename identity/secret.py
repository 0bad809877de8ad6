"""Secrets that are shown or mailed once, and of which only the hash is kept."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """256 random bits in URL-safe letters, behind ``prefix``."""
    return prefix + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """SHA-256 is enough: a secret of 256 random bits cannot be guessed, so it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
