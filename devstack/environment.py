"""The variables a program needs on a developer's machine, so that no ``.env`` is necessary."""

from __future__ import annotations

import os
from collections.abc import Mapping

from devstack.layout import CHECKOUT, open_home


def from_outside(variable: str) -> str:
    """The value a person has set, in the environment or in the checkout's ``.env``; empty when unset."""
    return os.environ.get(variable) or _dotenv().get(variable, "")


def _dotenv() -> Mapping[str, str]:
    path = CHECKOUT / ".env"
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs if name.strip()}


def development_defaults() -> dict[str, str]:
    """The current environment, completed: a secret of this checkout's own, the demo on, the address of ``PORT``."""
    home = open_home()
    port = from_outside("PORT") or "8000"
    defaults = {
        "AUTH_SECRET": home.secret("auth_secret", 48),
        "DJANGO_SETTINGS_MODULE": "eventops.settings",
        "EVENTOPS_DEMO": "1",
        "BASE_URL": f"http://localhost:{port}",
        "PYTHONUNBUFFERED": "1",
    }
    missing = {name: value for name, value in defaults.items() if not from_outside(name)}
    return dict(os.environ) | missing
