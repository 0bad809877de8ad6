"""When a step is due: one pure function over delay, window, zone and holidays. Knows no database and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from outreach.windows import IsHoliday, Window, first_open, local, no_holidays


class Anchor(TextChoices):
    """What a delay is counted from."""

    PREVIOUS = "previous", "after the step before"
    START = "start", "after the start"
    EVENT_START = "event_start", "from the first day of the show"
    EVENT_END = "event_end", "from the last day of the show"


@dataclass(frozen=True, kw_only=True)
class Delay:
    """How long after its anchor a step is due.

    ``days`` are days of the calendar (or, with ``business_days``, working days) and keep the time of the day over a
    change of the clocks; ``hours`` are hours that pass. ``days`` may be negative before a show. ``at`` moves the result
    to a time of its day.
    """

    anchor: Anchor = Anchor.PREVIOUS
    days: int = 0
    hours: int = 0
    business_days: bool = False
    at: time | None = None


@dataclass(frozen=True, kw_only=True)
class Anchors:
    """The moments delays are counted from; the days of the show are days in ``event_zone``."""

    started_at: datetime
    previous_at: datetime
    event_starts_on: date | None = None
    event_ends_on: date | None = None
    event_zone: ZoneInfo | None = None


class NoAnchor(ValueError):
    """The step is counted from a show, and there is none."""


def next_slot(
    delay: Delay,
    anchors: Anchors,
    *,
    zone: ZoneInfo,
    window: Window | None = None,
    is_holiday: IsHoliday = no_holidays,
    not_before: datetime | None = None,
) -> datetime:
    """The moment (UTC) the step is due: the delay counted, then the first moment the window is open in ``zone``.

    ``not_before`` moves a slot that has passed to the first open moment from then on. Raises NoAnchor.
    """
    due = count(delay, anchors, zone=zone, is_holiday=is_holiday)
    if not_before is not None:
        due = max(due, not_before)
    return first_open(due, window, zone=zone, is_holiday=is_holiday) if window else due.astimezone(UTC)


def count(delay: Delay, anchors: Anchors, *, zone: ZoneInfo, is_holiday: IsHoliday = no_holidays) -> datetime:
    """The anchor plus the delay (UTC), whatever the window says. Raises NoAnchor."""
    day, clock, place = _anchor(delay, anchors, zone)
    day = _plus_business_days(day, delay.days, is_holiday) if delay.business_days else day + timedelta(days=delay.days)
    moved = local(day, delay.at or clock, place) + timedelta(hours=delay.hours)
    if delay.anchor in {Anchor.PREVIOUS, Anchor.START} and delay.at is not None:
        earliest = anchors.previous_at if delay.anchor == Anchor.PREVIOUS else anchors.started_at
        while moved < earliest:
            day += timedelta(days=1)
            moved = local(day, delay.at, place) + timedelta(hours=delay.hours)
    return moved


def _anchor(delay: Delay, anchors: Anchors, zone: ZoneInfo) -> tuple[date, time, ZoneInfo]:
    if delay.anchor in {Anchor.EVENT_START, Anchor.EVENT_END}:
        day = anchors.event_starts_on if delay.anchor == Anchor.EVENT_START else anchors.event_ends_on
        if day is None:
            raise NoAnchor("This step is counted from the show, but the sequence has none.")
        return day, time(9, 0), anchors.event_zone or zone
    moment = anchors.previous_at if delay.anchor == Anchor.PREVIOUS else anchors.started_at
    there = moment.astimezone(zone)
    return there.date(), there.timetz().replace(tzinfo=None), zone


def _plus_business_days(day: date, number: int, is_holiday: IsHoliday) -> date:
    step = timedelta(days=1 if number >= 0 else -1)
    for _ in range(abs(number)):
        day += step
        while day.weekday() >= 5 or is_holiday(day):
            day += step
    return day
