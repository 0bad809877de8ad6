"""What outreach tells the apps above it, inside the transaction of the change."""

from django.dispatch import Signal

message_accepted = Signal()
"""A provider took a message. Sent with ``message``."""

messages_changed = Signal()
"""Messages were written, or got further than before, without a happening of their own. Sent with ``organization_id``,
once for many."""

reply_received = Signal()
"""A person answered. Sent with ``message`` (what was answered) and ``mail`` (the ``InboundMail``)."""

contact_refused = Signal()
"""An address must not be written to any more. Sent with ``organization_id``, ``address_hash``, ``person_ids``, ``reason``."""
