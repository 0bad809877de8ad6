"""What the clock rings for: name -> task and interval in seconds. ``django-celery-beat`` copies it into its tables.

Every entry is a sweep that finds what no bell rang for, so running one twice, or late, is harmless.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "research.sweep": {"task": "research.sweep", "schedule": 60.0},
    "meetings-send-waiting-invitations": {"task": "meetings.send_waiting_invitations", "schedule": 60.0},
}
