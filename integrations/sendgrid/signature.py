"""SendGrid's signed event webhook: ECDSA over timestamp and raw body (Twilio, “Event Webhook Security Features”)."""

import base64
import binascii
import functools
import time

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
OLDEST = 24 * 60 * 60
"""Seconds. SendGrid repeats a delivery for a day, with the signature it made first."""
FUTURE = 5 * 60


@functools.lru_cache(maxsize=1_024)
def _public_key(key: str) -> ec.EllipticCurvePublicKey | None:
    try:
        loaded = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None
    return loaded if isinstance(loaded, ec.EllipticCurvePublicKey) else None


def is_genuine(body: bytes, *, signature: str, timestamp: str, key: str) -> bool:
    """Whether the holder of ``key``'s private half signed exactly these bytes, within the last day."""
    public_key = _public_key(key) if key else None
    if public_key is None or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    age = time.time() - int(timestamp)
    if not -FUTURE <= age <= OLDEST:
        return False
    try:
        public_key.verify(
            base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
