"""Logs as JSON lines with the request's id, without secrets or addresses, whatever a caller passes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(
    r"pass(word|wd)?$|secret|token|authorization|cookie|api_?key|signature|^(state|body|email|address|to|subject)$",
    re.IGNORECASE,
)
# Addresses of people, credentials in URLs, secrets in query strings, and long opaque path segments (one-time links).
REPLACEMENTS = [
    (re.compile(r"(?<=://)[^\s/@]+@"), f"{HIDDEN}@"),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), "[address]"),
    (
        re.compile(r"(?i)\b((?:access_|refresh_|id_)?token|code|state|signature|key|secret|password)=[^&\s'\"]+"),
        rf"\1={HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=/)[\w:=.-]{40,}"), HIDDEN),
]


def hide(value: Any, name: str = "") -> Any:
    """``value`` with everything hidden that must not be in a log."""
    if name and SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        for pattern, replacement in REPLACEMENTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {key: hide(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [hide(inner) for inner in value]
    return value


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The processor that applies ``hide`` to every value of a log line."""
    return {name: hide(value, name) for name, value in event.items()}


def drop_noise(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The processor that keeps one line per request, the one that tells how it ended."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure(*, level: str) -> dict[str, Any]:
    """Configure structlog and return Django's ``LOGGING``; both write the same lines to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            drop_noise,
            *_SHARED[1:3],
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_SHARED[4:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            "django.request": {"level": "ERROR"},  # django-structlog logs every request already
            "celery": {"level": level},
        },
    }
