"""Rows whose time is over."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from identity.models import IdempotencyKey
from identity.scope import system_scope

KEYS_LAST = timedelta(hours=24)


def delete_expired() -> None:
    """Idempotency keys after a day, and sessions that have ended."""
    with system_scope():
        IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEYS_LAST).delete()
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
