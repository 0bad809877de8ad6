"""The figures in the words and links of the dashboard page."""

from dataclasses import dataclass

from analytics.links import link
from analytics.metrics import AGREED, PERIOD, STEPS, Figures, Rate
from events.models import Event
from meetings.models import Meeting
from outreach.models import Message


@dataclass(frozen=True)
class Headline:
    """A figure that matters, its comparison and the list behind it."""

    label: str
    value: str
    note: str
    tone: str
    href: str


@dataclass(frozen=True)
class Line:
    key: str
    label: str
    number: int
    share: float
    href: str


@dataclass(frozen=True)
class Board:
    figures: Figures
    headlines: list[Headline]
    funnel: list[tuple[str, int, str]]
    finding: str
    meetings: list[Line]
    outreach: list[Line]
    weeks: list[tuple[str, int]]
    weeks_answered: list[int]
    trend: str


def board(event: Event, figures: Figures) -> Board:
    return Board(
        figures=figures,
        headlines=_headlines(event, figures),
        funnel=[(label, figures.funnel[key], _step_link(key)) for key, label in STEPS],
        finding=_finding(figures),
        meetings=_lines(
            figures.meetings_by_status, Meeting.Status.choices, lambda key: link("meetings:list", status=key)
        ),
        outreach=_lines(
            figures.outreach_by_status, Message.Status.choices, lambda key: link("outreach:list", status=key)
        ),
        weeks=[(f"{monday.day} {monday:%b}", sent) for monday, sent, _ in figures.weeks],
        weeks_answered=[answered for _, _, answered in figures.weeks],
        trend=_trend(figures),
    )


def so_far(figures: Figures) -> list[tuple[str, int, str]]:
    """A few figures in passing, for Today."""
    labels = {"targets": "Accounts", "contacted": "Contacted", "replied": "Replied", "booked": "With a meeting"}
    return [(label, figures.funnel[key], _step_link(key)) for key, label in labels.items()]


def _headlines(event: Event, figures: Figures) -> list[Headline]:
    funnel, rate, before = figures.funnel, figures.rate, figures.rate_before
    booked = sum(figures.meetings_by_status[status] for status in AGREED)
    held = figures.meetings_by_status[Meeting.Status.HELD]
    goal = event.goal_meetings
    return [
        Headline(
            "Accounts contacted", f"{funnel['contacted']:,}",
            f"{_of(funnel['contacted'], funnel['targets'])} of {funnel['targets']:,} targeted", "",
            link("accounts:list", reached="contacted"),
        ),
        Headline(
            f"Response rate, {PERIOD} days", _percent(rate), f"{rate.replied:,} of {rate.sent:,} sent{_moved(rate, before)}",
            _tone(rate, before), link("outreach:list", status="RESPONDED", days=PERIOD),
        ),
        Headline(
            "Meetings agreed", f"{booked:,}", f"{_of(booked, goal)} of the goal of {goal:,}" if goal else "no goal set",
            "ok" if goal and booked >= goal else "",
            link("meetings:list", status=list(AGREED)),
        ),
        Headline(
            "Meetings held", f"{held:,}", _kept(figures), "", link("meetings:list", status="held"),
        ),
        Headline(
            "People to meet", f"{figures.people:,}", f"at {figures.accounts:,} accounts", "", link("people:list"),
        ),
    ]  # fmt: skip


def _kept(figures: Figures) -> str:
    held, missed = (figures.meetings_by_status[status] for status in ("held", "no_show"))
    return f"{missed:,} no-show{'s' if missed != 1 else ''} beside them" if held or missed else "none yet"


def _of(part: int, whole: int) -> str:
    return f"{part / whole:.0%}".replace("%", " %") if whole else "–"


def _percent(rate: Rate) -> str:
    return "–" if rate.share is None else f"{rate.share * 100:.1f} %"


def _moved(rate: Rate, before: Rate) -> str:
    if rate.share is None or before.share is None:
        return ""
    points = (rate.share - before.share) * 100
    return f", {abs(points):.1f} points {'more' if points >= 0 else 'less'} than the {PERIOD} days before"


def _tone(rate: Rate, before: Rate) -> str:
    if rate.share is None or before.share is None or rate.share == before.share:
        return ""
    return "ok" if rate.share > before.share else "bad"


def _step_link(key: str) -> str:
    return link("accounts:list") if key == "targets" else link("accounts:list", reached=key)


def _finding(figures: Figures) -> str:
    """What the funnel says in a sentence: where most are lost."""
    funnel = figures.funnel
    if not funnel["targets"]:
        return "No accounts are targeted yet."
    if not funnel["contacted"]:
        return f"None of the {funnel['targets']:,} targeted accounts has been written to yet."
    booked = funnel["booked"]
    if not booked:
        return f"{funnel['replied']:,} of {funnel['contacted']:,} contacted accounts replied; no meeting is booked yet."
    return f"{booked:,} of {funnel['targets']:,} targeted accounts have a meeting, {_of(booked, funnel['targets'])}."


def _lines(numbers: dict[str, int], choices: list[tuple[str, str]], href: object) -> list[Line]:
    most = max(numbers.values(), default=0) or 1
    return [
        Line(key, label, numbers.get(key, 0), round(numbers.get(key, 0) / most * 100, 1), href(key))  # type: ignore[operator]
        for key, label in choices
    ]


def _trend(figures: Figures) -> str:
    sent = sum(number for _, number, _ in figures.weeks)
    answered = sum(number for _, _, number in figures.weeks)
    if not sent:
        return "Nothing was sent in the last twelve weeks."
    return f"{sent:,} mails in twelve weeks, {answered:,} of them answered."
