"""The style page stands for every component: clean for axe, quiet in the console, no sideways scroll."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from tests.e2e.browser import axe_findings, picture, sideways

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.EVENTOPS_DEMO = True


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_style_page_is_accessible_and_quiet(visit, width, theme):
    page = visit("/style/?toast", width=width, theme=theme)

    findings = axe_findings(page)

    picture(page, f"style-{width}-{theme}")
    assert findings == []
    assert sideways(page) == 0


def test_plain_page_is_accessible(visit):
    page = visit("/style/?plain")

    assert axe_findings(page) == []


def test_dialog_opens_and_closes_by_keyboard(visit):
    page = visit("/style/")

    page.get_by_role("button", name="Open dialog").click()
    page.get_by_role("dialog", name="Add a person").wait_for()
    assert axe_findings(page) == []
    page.keyboard.press("Escape")

    assert page.get_by_role("dialog").count() == 0


def test_menu_stands_by_its_button_and_is_walked_with_arrows(visit):
    page = visit("/style/")

    page.get_by_role("button", name="Sort the list").click()
    expect(page.locator("#sort-menu").get_by_text("Name")).to_be_focused()
    page.keyboard.press("ArrowDown")

    expect(page.locator("#sort-menu").get_by_text("Score")).to_be_focused()
    button = page.get_by_role("button", name="Sort the list").bounding_box()
    menu = page.locator("#sort-menu").bounding_box()
    assert abs(menu["x"] + menu["width"] - button["x"] - button["width"]) < 2
    assert 0 <= menu["y"] - button["y"] - button["height"] < 12


def test_selecting_rows_says_what_will_be_touched(visit):
    page = visit("/style/")

    page.get_by_label("Select Nordlicht Robotics").check()
    page.get_by_label("Select Ørsted & Søn").click(modifiers=["Shift"])
    assert page.locator("[data-bulk-count]").inner_text() == "5"
    page.get_by_role("button", name="Select all 7,213").click()

    assert page.locator("[data-bulk-count]").inner_text() == "7,213"
    assert page.locator("input[name=all]").input_value() == "1"


def test_confirming_asks_in_our_own_dialog(visit):
    page = visit("/style/")

    page.get_by_label("Select Nordlicht Robotics").check()
    page.locator("[data-bulk-bar]").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("dialog").get_by_role("button", name="Delete accounts")).to_be_visible()


def test_form_that_asks_is_sent_only_after_yes(visit):
    page = visit("/style/")

    page.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert "sent=1" not in page.url
    page.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke key").click()

    page.wait_for_url("**/style/?sent=1")


def test_theme_and_sidebar_are_remembered(visit, rep):
    page = visit("/style/", user=rep)

    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Narrow sidebar").click()
    page.reload()

    root = page.locator("html")
    assert (root.get_attribute("data-theme"), root.get_attribute("data-sidebar")) == ("dark", "narrow")


def test_question_mark_lists_the_keys(visit):
    page = visit("/style/")

    page.keyboard.press("?")

    assert page.get_by_role("dialog", name="Keyboard shortcuts").get_by_text("New account").is_visible()


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_plain_pages_are_accessible(visit, name):
    page = visit(reverse(name), width=390)

    assert page.locator("main form .btn-primary").is_visible()
    assert axe_findings(page) == []


def test_missing_page_says_so_and_leads_home(visit):
    page = visit("/nowhere/", width=390)

    assert page.get_by_role("heading").inner_text() == "There is nothing here"
    assert page.get_by_role("link", name="Go to the start page").is_visible()
    assert axe_findings(page) == []


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "mfa_index", "usersessions_list"])
def test_account_pages_are_accessible(visit, rep, name):
    page = visit(reverse(name), user=rep)

    assert page.get_by_role("navigation", name="Your account").is_visible()
    assert axe_findings(page) == []


def test_style_page_is_closed_in_production(settings):
    settings.EVENTOPS_DEMO = False

    assert Client().get("/style/").status_code == 404


def test_lost_connection_shows_the_offline_page(visit):
    page = visit("/style/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()

    page.context.set_offline(True)
    page.goto("/people/")

    assert page.get_by_role("heading").inner_text() == "You are offline"
