"""Ready-made sequences to start from: before the show, at it, after it, and for those who did not come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

MORNING = time(9, 30)


@dataclass(frozen=True)
class ReadyMail:
    """The template of a mail, made when the organization has none of this name."""

    name: str
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class ReadyStep:
    """``fields`` are those of a step; ``yes`` and ``no`` stand in the lanes of a branch."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    mail: ReadyMail | None = None
    yes: tuple[ReadyStep, ...] = ()
    no: tuple[ReadyStep, ...] = ()


@dataclass(frozen=True)
class Ready:
    label: str
    description: str
    steps: tuple[ReadyStep, ...]


INVITATION = ReadyMail(
    "Invitation to the stand",
    "{{ company }} at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nwe are at {{ event }} ({{ event_dates }}), stand {{ booth | "by the entrance" }}. '
    "Would 20 minutes suit you?\n\nBest regards\n{{ my_name }}",
)
REMINDER = ReadyMail(
    "Short reminder",
    "20 minutes at {{ event }}?",
    'Hello {{ first_name | "there" }},\n\nthe first day fills up. Shall I keep a slot for {{ company | "you" }}? '
    "One word is enough, I will send the invitation.\n\nBest regards\n{{ my_name }}",
)
TODAY_AT_THE_STAND = ReadyMail(
    "Today at the stand",
    "Are you in the halls today?",
    'Hello {{ first_name | "there" }},\n\nwe are at stand {{ booth | "by the entrance" }} all day. '
    "If you are at {{ event }}, come by for a coffee.\n\nBest regards\n{{ my_name }}",
)
THANKS = ReadyMail(
    "Thanks for the visit",
    "Good to meet you at {{ event }}",
    'Hello {{ first_name | "there" }},\n\nthank you for your time at {{ event }}. As promised, I will send what we talked '
    "about. When would a call suit you?\n\nBest regards\n{{ my_name }}",
)
NEXT_STEP = ReadyMail(
    "The next step",
    "A date for our call",
    'Hello {{ first_name | "there" }},\n\nshall we find 20 minutes this week or next? Tell me a day and I will send the '
    "invitation.\n\nBest regards\n{{ my_name }}",
)
MISSED = ReadyMail(
    "Sorry we missed each other",
    "Sorry we missed each other at {{ event }}",
    'Hello {{ first_name | "there" }},\n\na show is short and the halls are long. Shall we talk by phone instead? '
    "Tell me a day that suits you.\n\nBest regards\n{{ my_name }}",
)
LAST_TRY = ReadyMail(
    "Last try",
    "Shall I close this?",
    'Hello {{ first_name | "there" }},\n\nI do not want to fill your inbox. If {{ event }} brought up a question about '
    '{{ industry | "your plans" }}, one word is enough and I will call.\n\nBest regards\n{{ my_name }}',
)


def _days(number: int, **more: Any) -> dict[str, Any]:
    return {"delay_days": number, "business_days": True, **more}


def _show(days: int, end: str = "start", at: time = MORNING) -> dict[str, Any]:
    return {"delay_days": days, "delay_from": f"event_{end}", "at_time": at}


LIBRARY: Mapping[str, Ready] = {
    "before": Ready(
        "Pre-show: win meetings",
        "Invites three weeks ahead, follows up in the same thread, and calls those with a phone number.",
        (
            ReadyStep(kind="email", fields=_show(-21), mail=INVITATION),
            ReadyStep(kind="email", fields=_days(4), mail=REMINDER),
            ReadyStep(
                kind="branch",
                fields=_days(2, rule={"match": "all", "tests": [{"fact": "person.has_phone", "is": "yes"}]}),
                yes=(ReadyStep(kind="call", fields={"subject": "Call and offer a slot"}),),
                no=(ReadyStep(kind="linkedin", fields={"subject": "Connect and offer a slot"}),),
            ),
            ReadyStep(kind="email", fields=_show(-3), mail=LAST_TRY),
        ),
    ),
    "at": Ready(
        "At-show: bring people to the stand",
        "A word on the first morning, and a visit at the stand of those in tier A.",
        (
            ReadyStep(kind="email", fields=_show(0, at=time(8, 45)), mail=TODAY_AT_THE_STAND),
            ReadyStep(
                kind="branch",
                fields={"rule": {"match": "all", "tests": [{"fact": "target.tier", "is": "one_of", "value": ["A"]}]}},
                yes=(ReadyStep(kind="visit", fields={"subject": "Go to their stand and say hello"}),),
                no=(ReadyStep(kind="end"),),
            ),
        ),
    ),
    "after": Ready(
        "Post-show: keep what was promised",
        "Thanks on the morning after, a task for what was promised, then a date for the call.",
        (
            ReadyStep(kind="email", fields=_show(1, "end"), mail=THANKS),
            ReadyStep(kind="task", fields=_days(1, subject="Send what was promised")),
            ReadyStep(kind="email", fields=_days(4), mail=NEXT_STEP),
            ReadyStep(kind="call", fields=_days(3, subject="Ask for a date")),
        ),
    ),
    "no_show": Ready(
        "No-show: for those who did not come",
        "Two friendly tries for people who were invited and did not stand at the booth.",
        (
            ReadyStep(kind="email", fields=_show(2, "end"), mail=MISSED),
            ReadyStep(kind="wait", fields=_days(5)),
            ReadyStep(kind="email", fields={}, mail=LAST_TRY),
        ),
    ),
}
