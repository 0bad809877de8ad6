"""Loaded by pytest before the settings: tests see no one's own settings, and not the Redis database of ``make run``."""

import os

FIXED = {
    "AUTH_SECRET": "only-for-tests-0123456789-0123456789-0123456789",
    "EVENTOPS_ENCRYPTION_KEYS": "tests:b25seS1mb3ItdGVzdHMtMzItYnl0ZXMtb2YtYS1rZXk=",
    "BASE_URL": "http://testserver",
    "ALLOWED_HOSTS": "*",
    "WHITENOISE_USE_FINDERS": "1",
    "EVENTOPS_DEMO": "0",
    "DEBUG": "0",
    "EMAIL_URL": "memorymail://",
    "EVENTOPS_IGNORE_DOTENV": "1",
}

for name in ("SANDBOX_URL", "SENDGRID_API_KEY", "OPENAI_API_KEY", "SENTRY_DSN", "CRON_SECRET", "DATABASE_POOL"):
    os.environ.pop(name, None)
os.environ.update(FIXED)
if os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/14"
