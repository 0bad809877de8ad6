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
    "EVENTOPS_DNS_SERVERS": "off",
    "EMAIL_URL": "memorymail://",
    "EVENTOPS_IGNORE_DOTENV": "1",
    "WORKER_HEALTH_PORT": "0",
    "QUERY_PATIENCE": "100",
}

for name in ("SANDBOX_URL", "SENDGRID_API_KEY", "OPENAI_API_KEY", "SENTRY_DSN", "CRON_SECRET", "DATABASE_POOL"):
    os.environ.pop(name, None)
os.environ.update(FIXED)
if os.environ.get("REDIS_URL"):
    # A broker and a cache of their own for each process of pytest-xdist, and for a run without it.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw6").removeprefix("gw")) % 7
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{2 + 2 * worker}"
