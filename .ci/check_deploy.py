"""``manage.py check --deploy`` as production would run it: no warning, and our own refusals quiet."""

import base64
import os
import secrets
import subprocess
import sys

PRODUCTION = {
    "AUTH_SECRET": secrets.token_urlsafe(48),
    "EVENTOPS_ENCRYPTION_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    "BASE_URL": "https://crm.example.com",
    "ALLOWED_HOSTS": "crm.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://crm.example.com",
    "BEHIND_PROXY": "1",
    "EVENTOPS_DEMO": "0",
    "DEBUG": "0",
    "WHITENOISE_USE_FINDERS": "0",
    "SANDBOX_URL": "",
}

command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", "--database", "default"]
sys.exit(subprocess.run(command, env=os.environ | PRODUCTION, check=False).returncode)
