"""SendGrid's events as ``outreach.ports.Report``. What is not about a mail of ours, or is malformed, is left out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from outreach.ports import Report, ReportKind

MOST = 5_000
"""Events in one delivery; SendGrid sends far fewer."""
_KINDS = {
    "processed": ReportKind.PROCESSED,
    "deferred": ReportKind.DEFERRED,
    "delivered": ReportKind.DELIVERED,
    "dropped": ReportKind.DROPPED,
    "open": ReportKind.OPENED,
    "click": ReportKind.CLICKED,
    "spamreport": ReportKind.COMPLAINED,
    "unsubscribe": ReportKind.UNSUBSCRIBED,
    "group_unsubscribe": ReportKind.UNSUBSCRIBED,
}
_SCANNERS = re.compile(
    r"barracuda|mimecast|proofpoint|safelinks|symantec|trendmicro|fortinet|python-requests|curl/|wget/|headless|bot\b|crawl",
    re.IGNORECASE,
)


class Unreadable(ValueError):
    """The body is no list of events."""


def reports_in(body: bytes) -> list[Report]:
    """The reports of one delivery. Raises Unreadable."""
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
    if not isinstance(events, list) or len(events) > MOST:
        raise Unreadable("no list of events")
    return [report for event in events if isinstance(event, dict) for report in _report(event)]


def _report(event: dict[str, Any]) -> list[Report]:
    kind = _kind(event)
    try:
        intent_id = UUID(str(event["eo_id"]))
        occurred_at = datetime.fromtimestamp(int(event["timestamp"]), UTC)
        event_id = _text(event["sg_event_id"])
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return []
    if kind is None or not event_id:
        return []
    return [
        Report(
            provider="sendgrid",
            event_id=event_id,
            intent_id=intent_id,
            attempt=_number(event.get("eo_n")),
            kind=kind,
            occurred_at=occurred_at,
            is_machine=_is_machine(kind, event),
            reason=_reason(event),
            provider_message_id=_text(event.get("sg_message_id")),
            mail_message_id=_message_id(event.get("smtp-id")),
        )
    ]


def _kind(event: dict[str, Any]) -> ReportKind | None:
    name = event.get("event")
    if name == "bounce":
        # "blocked" is temporary or about the content; only "bounce" says that the address is dead.
        return ReportKind.BLOCKED if event.get("type") == "blocked" else ReportKind.BOUNCED
    return _KINDS.get(name) if isinstance(name, str) else None


def _is_machine(kind: ReportKind, event: dict[str, Any]) -> bool:
    if kind is ReportKind.OPENED:
        return event.get("sg_machine_open") is True
    return kind is ReportKind.CLICKED and bool(_SCANNERS.search(_text(event.get("useragent"))))


def _reason(event: dict[str, Any]) -> str:
    said = _text(event.get("reason") or event.get("response"))
    return " ".join(word for word in said.split() if "@" not in word)[:300]


def _message_id(value: Any) -> str:
    text = _text(value)
    return text if re.fullmatch(r"<[^<>\s]{3,250}>", text) else ""


def _number(value: Any) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _text(value: Any) -> str:
    return str(value).replace("\x00", "")[:998] if isinstance(value, str | int) else ""
