"""What outreach tells the apps above it, inside the transaction of the change."""

from django.dispatch import Signal

messages_ended = Signal()
"""Messages were accepted, or came to another end. Sent with ``organization_id`` and ``messages``, once per message and end."""

messages_changed = Signal()
"""Messages were written, or got further than before, without a happening of their own. Sent with ``organization_id``,
once for many."""

mail_queued_again = Signal()
"""A member lets a mail leave that was held. Sent with ``message``."""

reply_received = Signal()
"""A person answered. Sent with ``message`` (what was answered) and ``mail`` (the ``InboundMail``)."""

contact_refused = Signal()
"""Addresses must not be written to any more. Sent with ``organization_id``, ``person_ids``, ``reason`` and ``scope``."""

absence_told = Signal()
"""Somebody is away. Sent with ``message`` (what was answered) and ``until``, the first day they are back, or ``None``."""

accounts_held = Signal()
"""Automatic mail to accounts stands still from now on. Sent with ``organization_id`` and ``holds``."""

account_stopped = Signal()
"""A member ends all automatic mail to an account. Sent with ``hold`` and ``actor``."""

account_released = Signal()
"""Automatic mail to an account may go on. Sent with ``hold``."""
