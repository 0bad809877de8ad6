"""When mail may leave: windows of local time, over zones, changes of the clocks and holidays. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_SEARCH = 400
"""Days the search for an open window goes on; more than any run of holidays."""

IsHoliday = Callable[[date], bool]


def no_holidays(_day: date) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Window:
    """When mail may leave: days of the week (0 is Monday) and a span of local time, ``opens`` before ``closes``."""

    days: frozenset[int]
    opens: time
    closes: time

    def __post_init__(self) -> None:
        if not self.days <= frozenset(range(7)) or not self.days or self.opens >= self.closes:
            raise ValueError("A window needs a day of the week and must open before it closes.")


WORKING_HOURS = Window(days=frozenset(range(5)), opens=time(8, 30), closes=time(17, 0))


def local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) a local clock shows this; a time the clocks skip is the moment they jump over it."""
    return datetime.combine(day, clock.replace(tzinfo=None, fold=clock.fold), tzinfo=zone).astimezone(UTC)


def first_open(moment: datetime, window: Window, *, zone: ZoneInfo, is_holiday: IsHoliday = no_holidays) -> datetime:
    """The first moment (UTC) from ``moment`` on at which the window is open in ``zone``."""
    for day in _days_from(moment.astimezone(zone).date()):
        if day.weekday() not in window.days or is_holiday(day):
            continue
        opens, closes = local(day, window.opens, zone), local(day, window.closes, zone)
        found = max(opens, moment.astimezone(UTC))
        # On a day that loses an hour, or that a zone leaves out, the span may be short or empty.
        if found < closes and is_open(found, window, zone=zone, is_holiday=is_holiday):
            return found
    raise ValueError("The window never opens: every day is a holiday.")


def is_open(moment: datetime, window: Window, *, zone: ZoneInfo, is_holiday: IsHoliday = no_holidays) -> bool:
    """Whether the window is open at this moment in ``zone``."""
    there = moment.astimezone(zone)
    clock = there.timetz().replace(tzinfo=None, fold=0)
    return there.weekday() in window.days and window.opens <= clock < window.closes and not is_holiday(there.date())


def _days_from(day: date) -> Iterator[date]:
    # The day before too: where the clocks go back at midnight, yesterday's last hour comes twice.
    return (day + timedelta(days=n) for n in range(-1, LONGEST_SEARCH))
