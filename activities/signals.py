"""What activities tell the apps above them, inside the transaction of the change."""

from django.dispatch import Signal

visit_undone = Signal()
"""A visit at the booth was taken back. Sent with ``visit``, which is deleted then, and ``actor``."""
