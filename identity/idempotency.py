"""``Idempotency-Key``: a POST that is sent again under the same key changes nothing, and is answered as the first time.

The key is written in the transaction of the change itself. So a request that fails leaves no key, and of two that come at
the same time the second waits for the first and then repeats its answer. Keys are kept for a day.
"""

import hashlib

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja.errors import HttpError

from identity.models import IdempotencyKey, Organization, User

HEADER = "Idempotency-Key"
LONGEST = 200
LARGEST_ANSWER = 2**20


class Replayed(Exception):
    """The request was answered before; ``record`` holds the answer."""

    def __init__(self, record: IdempotencyKey) -> None:
        super().__init__()
        self.record = record


def begin(request: HttpRequest, *, organization: Organization, user: User) -> IdempotencyKey | None:
    """Claim the caller's key, if there is one. Raises ``Replayed``, and HttpError when the key cannot be used."""
    key = request.headers.get(HEADER, "")
    if not key or request.method != "POST":
        return None
    if len(key) > LONGEST or not key.isprintable():
        raise HttpError(422, f"An Idempotency-Key has at most {LONGEST} printable characters.")
    if request.content_type not in {"", "application/json"}:
        raise HttpError(422, "An Idempotency-Key works with JSON only.")
    fingerprint = hashlib.sha256(request.get_full_path().encode() + b"\0" + request.body).hexdigest()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(organization=organization, user=user, key=key, fingerprint=fingerprint)
    except IntegrityError:
        record = IdempotencyKey.objects.for_org(organization).get(user=user, key=key)
    if record.fingerprint != fingerprint:
        raise HttpError(422, "This Idempotency-Key was used for another request.")
    raise Replayed(record)


def finish(record: IdempotencyKey, response: HttpResponseBase) -> None:
    """Keep the answer of a request that succeeded."""
    record.status = response.status_code
    record.content_type = response.get("Content-Type", "")[:100]
    if isinstance(response, HttpResponse) and len(response.content) <= LARGEST_ANSWER:
        record.body = response.content
    record.save(update_fields=["status", "content_type", "body", "updated_at"])


def replay(record: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(bytes(record.body), status=record.status or 200, content_type=record.content_type or None)
    response["Idempotent-Replayed"] = "true"
    return response
