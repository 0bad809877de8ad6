"""What was ticked on a list and is to be written to."""

PICKED = "outreach_picked"
"""Where a session keeps the ids, by kind (``people`` or ``accounts``)."""
MOST_PICKED = 5_000
