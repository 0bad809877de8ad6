"""The words and markup of the small pieces."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from django.db import OperationalError
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from django.views.csrf import csrf_failure
from django.views.defaults import bad_request

from common.errors import server_error
from common.templatetags import charts, frame, ui
from common.tones import STATUSES, look_of

NOW = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False), timezone.override("Europe/Berlin"):
        yield


def render(source: str, **context: object) -> str:
    return Template("{% load ui charts frame %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=5), "in a moment"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-20), "31 Mar"),
        (timedelta(days=-200), "2 Oct 2025"),
    ],
)
def test_time_is_told_in_relative_words(ahead, words):
    assert ui.relative(NOW + ahead) == words


def test_when_names_the_exact_time_in_the_zone_asked_for():
    markup = ui.when(NOW, "Asia/Tokyo")

    assert 'title="Mon 20 Apr 2026, 18:00 JST"' in markup


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 4, 22), date(2026, 4, 26), "22–26 Apr 2026"),
        (date(2026, 4, 22), date(2026, 4, 22), "22 Apr 2026"),
        (date(2026, 4, 30), date(2026, 5, 2), "30 Apr – 2 May 2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "30 Dec 2026 – 2 Jan 2027"),
    ],
)
def test_dates_of_a_show_are_written_as_people_write_them(first, last, words):
    assert frame.span(first, last) == words


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        (2, "in 2 days"),
        (1, "tomorrow"),
        (0, "day 1 of 4"),
        (-3, "day 4 of 4"),
        (-4, "ended yesterday"),
        (-9, "ended 6 days ago"),
    ],
)
def test_days_to_go_are_counted_in_the_zone_of_the_show(starts, words):
    class Show:
        time_zone = "Europe/Berlin"
        starts_on = date(2026, 4, 20) + timedelta(days=starts)
        ends_on = starts_on + timedelta(days=3)

    assert frame.event_when(Show())["to_go"] == words


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Lima", "AL"),
        ("Ørsted", "Ø"),
        ("山田 太郎", "山"),
        ("ana@example.com", "AC"),
        ("", "?"),
        ("Hans-Peter van der Berg", "HB"),
    ],
)
def test_initials_suit_the_script(name, letters):
    assert ui.initials(name) == letters


@pytest.mark.parametrize(
    ("filtered", "words"),
    [
        ("{{ 7213|number }}", "7,213"),
        ("{{ 1234567|compact }}", "1.2M"),
        ("{{ 12000|compact }}", "12k"),
        ("{{ 950|compact }}", "950"),
        ("{{ 0.1896|percent:2 }}", "18.96 %"),
        ("{{ none|percent }}", "–"),
        ("{{ 1|counted:'person,people' }}", "1 person"),
        ("{{ 3|counted:'person,people' }}", "3 people"),
        ("{{ 'Two-Factor Authentication'|sentence }}", "Two-factor authentication"),
    ],
)
def test_numbers_and_words(filtered, words):
    assert render(filtered, none=None) == words


def test_money_shows_cents_only_when_there_are_any():
    assert (ui.money(Decimal("12500.00")), ui.money(Decimal("12.50"), "USD")) == ("EUR 12,500", "USD 12.50")


def test_markup_in_data_stays_text():
    name = "<script>alert(1)</script>"

    markup = render("{% clip name %}{% badge name %}{% who name %}{% avatar name %}{% stat name name %}", name=name)
    markup += charts.funnel([(name, 3)], name) + charts.bar_chart([(name, 3)], name) + charts.score_reasons([(name, 3)])

    assert "<script" not in markup


def test_status_words_of_any_spelling_have_one_look():
    assert look_of("NO_SHOW") == look_of("no-show") == look_of("No show") == ("bad", "x-circle")


def test_query_keeps_the_filter_and_changes_what_is_asked():
    request = RequestFactory().get("/accounts/?tier=A&tier=B&cursor=x")

    assert render("{% query cursor=None sort='name' %}", request=request) == "?tier=A&amp;tier=B&amp;sort=name"


def test_sort_header_turns_round_on_the_second_click():
    request = RequestFactory().get("/accounts/?sort=name")

    markup = render("{% sort_header 'name' 'Account' %}", request=request)

    assert 'aria-sort="ascending"' in markup
    assert 'href="?sort=-name"' in markup


def test_title_says_what_the_heading_says():
    request = RequestFactory().get("/")
    source = "{% extends 'base_plain.html' %}{% block title %}Tier A &amp; <em>friends</em>{% endblock title %}"

    page = Template(source).render(Context({"request": request}))

    assert "<title>Tier A &amp; friends · EventOps</title>" in page


def test_charts_survive_having_nothing_to_show():
    drawn = [
        charts.funnel([]),
        charts.bar_chart([]),
        charts.line_chart([]),
        charts.bar_chart([("Mon", 0)]),
        charts.score(None),
    ]

    assert all("nan" not in d.lower() for d in drawn)


def test_server_error_page_needs_nothing(client, rf):
    answer = server_error(rf.get("/"))

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


def test_every_icon_named_in_a_template_is_drawn():
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', Path("static/icons.svg").read_text()))
    named = {icon for _, icon in STATUSES.values()}
    for template in Path("templates").rglob("*.html"):
        named |= set(re.findall(r'\{% icon "([\w-]+)"', template.read_text()))

    assert named - sprite == set()


def test_unreachable_database_answers_503_and_when_to_come_back(rf):
    try:
        raise OperationalError("connection refused by 10.0.0.7")
    except OperationalError:
        answer = server_error(rf.get("/"))

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "10.0.0.7" not in answer.content.decode()


def test_bad_request_and_csrf_failure_have_friendly_pages(rf):
    answers = [bad_request(rf.get("/"), ValueError("secret")), csrf_failure(rf.post("/"), "secret")]

    assert [(a.status_code, "secret" in a.content.decode()) for a in answers] == [(400, False), (403, False)]
