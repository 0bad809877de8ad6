"""What was ticked on the list of people and is to be enrolled."""

PICKED = "sequences_picked"
"""Where a session keeps the ids."""
