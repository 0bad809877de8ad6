"""What accounts announce to the apps above, inside the transaction of the change."""

from django.dispatch import Signal

renamed = Signal()
"""Sent with ``account`` after its name changed: whoever keeps a copy of the name refreshes it."""

facts_changed = Signal()
"""Sent with ``organization_id`` and ``ids`` after tags, stands or shows of accounts changed, which no timeline entry tells
of: scores follow.
"""
