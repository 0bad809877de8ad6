from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.places import country_code, holidays_in, zone_of_country
from outreach.windows import WORKING_HOURS, Window, first_open, is_open
from sequences.timing import Anchor, Anchors, Delay, NoAnchor, count, next_slot

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
)


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[misc, arg-type]


def since(moment: datetime, **more: object) -> Anchors:
    return Anchors(started_at=moment, previous_at=moment, **more)  # type: ignore[arg-type]


def test_three_days_later_is_the_same_time_of_the_day_though_the_clocks_changed():
    friday = at(BERLIN, 2026, 10, 23, 10, 0)

    due = count(Delay(days=3), since(friday), zone=BERLIN)

    assert due.astimezone(BERLIN) == at(BERLIN, 2026, 10, 26, 10, 0)
    assert due - friday == timedelta(days=3, hours=1)


def test_hours_are_hours_that_pass():
    before_the_change = at(BERLIN, 2026, 10, 25, 1, 0)

    due = count(Delay(hours=4), since(before_the_change), zone=BERLIN)

    assert due - before_the_change.astimezone(UTC) == timedelta(hours=4)
    assert due.astimezone(BERLIN).hour == 4


@pytest.mark.parametrize(
    ("anchor", "days", "expected"), [(Anchor.PREVIOUS, 7, date(2026, 11, 13)), (Anchor.START, 7, date(2026, 11, 10))]
)
def test_seven_days_after_the_step_before_and_after_the_start_are_different_days(anchor, days, expected):
    anchors = Anchors(started_at=at(BERLIN, 2026, 11, 3, 9), previous_at=at(BERLIN, 2026, 11, 6, 9))

    due = count(Delay(anchor=anchor, days=days), anchors, zone=BERLIN)

    assert due.astimezone(BERLIN).date() == expected


def test_business_days_leave_out_weekends_and_holidays():
    wednesday = at(BERLIN, 2026, 12, 23, 9)

    due = count(
        Delay(days=2, business_days=True), since(wednesday), zone=BERLIN,
        is_holiday=lambda day: day in holidays_in("Germany", day.year),
    )  # fmt: skip

    assert due.astimezone(BERLIN).date() == date(2026, 12, 28)


def test_a_step_can_be_counted_back_from_the_show_in_the_zone_of_the_show():
    anchors = since(
        at(NEW_YORK, 2026, 3, 1, 9), event_starts_on=date(2026, 4, 20), event_ends_on=date(2026, 4, 24),
        event_zone=BERLIN,
    )  # fmt: skip

    before = count(Delay(anchor=Anchor.EVENT_START, days=-7), anchors, zone=NEW_YORK)
    morning_after = count(Delay(anchor=Anchor.EVENT_END, days=1, at=time(8)), anchors, zone=NEW_YORK)

    assert before == at(BERLIN, 2026, 4, 13, 9)
    assert morning_after == at(BERLIN, 2026, 4, 25, 8)


def test_a_step_counted_from_a_show_that_is_not_there_says_so():
    with pytest.raises(NoAnchor):
        count(Delay(anchor=Anchor.EVENT_END), since(at(BERLIN, 2026, 1, 1)), zone=BERLIN)


def test_a_time_of_day_that_has_passed_is_tomorrows():
    afternoon = at(BERLIN, 2026, 11, 3, 15)

    due = count(Delay(at=time(9)), since(afternoon), zone=BERLIN)

    assert due == at(BERLIN, 2026, 11, 4, 9)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ((2026, 11, 20, 7, 0), (2026, 11, 20, 8, 30)),
        ((2026, 11, 20, 8, 30), (2026, 11, 20, 8, 30)),
        ((2026, 11, 20, 16, 59), (2026, 11, 20, 16, 59)),
        ((2026, 11, 20, 17, 0), (2026, 11, 23, 8, 30)),
        ((2026, 11, 21, 12, 0), (2026, 11, 23, 8, 30)),
    ],
)
def test_the_first_open_moment_is_now_or_the_next_opening(moment, expected):
    assert first_open(at(BERLIN, *moment), WORKING_HOURS, zone=BERLIN) == at(BERLIN, *expected)


def test_a_holiday_is_closed():
    eve = at(BERLIN, 2026, 12, 24, 18)

    slot = next_slot(
        Delay(), since(eve), zone=BERLIN, window=WORKING_HOURS,
        is_holiday=lambda day: day in holidays_in("DE", day.year),
    )  # fmt: skip

    assert slot == at(BERLIN, 2026, 12, 28, 8, 30)


def test_a_window_inside_the_hour_the_clocks_skip_opens_the_next_day():
    night = Window(days=frozenset(range(7)), opens=time(2, 10), closes=time(2, 50))

    slot = first_open(at(BERLIN, 2026, 3, 29, 0, 0), night, zone=BERLIN)

    assert slot == at(BERLIN, 2026, 3, 30, 2, 10)


@settings(max_examples=1_500, deadline=None)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis asks
    opens=st.times(max_value=time(23, 0)),
    length=st.integers(10, 600),
    days=st.frozensets(st.integers(0, 6), min_size=1),
)
def test_the_slot_is_open_not_early_and_nothing_open_lies_before_it(zone, moment, opens, length, days):
    closes = datetime.combine(date(2026, 1, 1), opens) + timedelta(minutes=length)
    window = Window(days=days, opens=opens, closes=closes.time() if closes.day == 1 else time.max)

    slot = first_open(moment, window, zone=zone)

    assert slot >= moment
    assert is_open(slot, window, zone=zone)
    assert slot == moment or not is_open(slot - timedelta(microseconds=1), window, zone=zone)


@pytest.mark.parametrize("zone", ZONES)
def test_there_is_exactly_one_slot_on_every_working_day_of_a_year(zone):
    place = ZoneInfo(zone)
    moment = datetime(2026, 1, 1, tzinfo=place)

    slots = []
    while (moment := first_open(moment, WORKING_HOURS, zone=place)).astimezone(place).year == 2026:
        slots.append(moment.astimezone(place))
        moment = datetime.combine(slots[-1].date(), WORKING_HOURS.closes, tzinfo=place)

    working = [d for n in range(365) if (d := date(2026, 1, 1) + timedelta(days=n)).weekday() < 5]
    assert [slot.date() for slot in slots] == working
    assert {slot.time().replace(tzinfo=None) for slot in slots} == {time(8, 30)}


@pytest.mark.parametrize(
    ("name", "code", "zone"),
    [
        ("Germany", "DE", "Europe/Berlin"),
        ("Deutschland", "DE", "Europe/Berlin"),
        ("USA", "US", "America/New_York"),
        ("U.S.A.", "US", "America/New_York"),
        ("Korea, Republic of", "", ""),
        ("gb", "GB", "Europe/London"),
        ("Österreich", "AT", "Europe/Vienna"),
        ("Atlantis", "", ""),
        ("", "", ""),
    ],
)
def test_a_country_is_known_by_its_names(name, code, zone):
    assert (country_code(name), zone_of_country(name)) == (code, zone)
