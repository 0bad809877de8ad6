"""What people announce to the apps above, inside the transaction of the change."""

from django.dispatch import Signal

facts_changed = Signal()
"""Sent with ``organization_id`` and ``ids`` after the tags of people changed, which no timeline entry tells of: scores follow."""
