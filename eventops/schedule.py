"""What the clock rings for: name -> task and interval in seconds. ``django-celery-beat`` copies it into its tables.

Every entry is a sweep that finds what no bell rang for, so running one twice, or late, is harmless.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "identity.sweep": {"task": "identity.sweep", "schedule": 300.0},
    "outreach.sweep": {"task": "outreach.sweep", "schedule": 60.0},
    "outreach.compare": {"task": "outreach.compare", "schedule": 600.0},
    "outreach.send_due": {"task": "outreach.send_due", "schedule": 10.0},
    "outreach.check_domains": {"task": "outreach.check_domains", "schedule": 60.0},
    "outreach.judge_health": {"task": "outreach.judge_health", "schedule": 900.0},
    "sequences.run": {"task": "sequences.run", "schedule": 30.0},
    "sequences.apply_rules": {"task": "sequences.apply_rules", "schedule": 60.0},
    "accounts.sweep": {"task": "accounts.sweep", "schedule": 60.0},
    "research.sweep": {"task": "research.sweep", "schedule": 60.0},
    "people.sweep_imports": {"task": "people.sweep_imports", "schedule": 60.0},
    "people.ask_mail_domains": {"task": "people.ask_mail_domains", "schedule": 120.0},
    "meetings-send-waiting-invitations": {"task": "meetings.send_waiting_invitations", "schedule": 60.0},
    "analytics.fold": {"task": "analytics.fold", "schedule": 30.0},
    "analytics.tidy": {"task": "analytics.tidy", "schedule": 86_400.0},
}
