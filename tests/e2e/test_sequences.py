"""The steps of a sequence are put in order with buttons and keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from identity.models import Organization, User
from tests.e2e.browser import axe_findings, picture, sideways
from tests.factories import SequenceFactory, StepFactory, TemplateFactory

BRANCH = "Tier is one of A or B?"
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(organization: Organization) -> str:
    sequence = SequenceFactory.create(
        organization=organization, name="Before the show", description="Wins meetings before the halls open."
    )
    template = TemplateFactory.create(organization=organization, name="Invitation to the stand")
    StepFactory.create(sequence=sequence, position=0, kind="email", subject="", template=template)
    StepFactory.create(sequence=sequence, position=1, kind="call", subject="Ask for a slot", delay_days=3)
    StepFactory.create(
        sequence=sequence,
        position=2,
        kind="linkedin",
        subject="Connect",
        body="Mention the hall.",
        delay_days=1,
        delay_hours=4,
    )
    rule = {"match": "all", "tests": [{"fact": "target.tier", "is": "one_of", "value": ["A", "B"]}]}
    branch = StepFactory.create(sequence=sequence, position=3, kind="branch", subject="", rule=rule, delay_days=2)
    StepFactory.create(
        sequence=sequence, position=0, parent=branch, lane="yes", kind="visit", subject="Go to their stand"
    )
    StepFactory.create(
        sequence=sequence,
        position=1,
        parent=branch,
        lane="yes",
        kind="email",
        subject="",
        template=template,
        delay_days=4,
    )
    return f"/sequences/{sequence.pk}/"


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_pages_are_accessible_and_fit(visit: Callable[..., Page], rep: User, address: str, width: int, theme: str):
    for name, path in (
        ("list", "/sequences/"),
        ("detail", address),
        ("step", f"{address}steps/add/email/"),
        ("branch", f"{address}steps/add/branch/"),
        ("new", "/sequences/new/?start=before"),
        ("form", f"{address}edit/"),
    ):
        page = visit(path, user=rep, width=width, theme=theme)
        picture(page, f"sequence-{name}-{width}-{theme}")
        assert axe_findings(page) == []
        assert sideways(page) == 0


def test_steps_move_by_button_and_by_key(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep)
    titles = page.locator(".builder-spine > form > .spine > li > .spine-card .spine-title")

    page.get_by_role("button", name="Move step 2 up").click()
    expect(titles).to_have_text(["Ask for a slot", "Invitation to the stand", "Connect", BRANCH])
    page.get_by_role("link", name="Connect").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_load_state("networkidle")
    page.reload()

    expect(titles).to_have_text(["Ask for a slot", "Connect", "Invitation to the stand", BRANCH])


def test_removing_a_step_asks_first(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep)

    page.get_by_role("button", name="Remove step 3").click()
    page.get_by_role("button", name="Remove the step").click()

    titles = page.locator(".builder-spine > form > .spine > li > .spine-card .spine-title")
    expect(titles).to_have_text(["Invitation to the stand", "Ask for a slot", BRANCH])


def test_a_step_is_dragged_into_a_branch(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep)

    card = page.locator(".spine-card", has_text="Connect")
    card.drag_to(page.locator(".spine-card", has_text="Go to their stand"), target_position={"x": 200, "y": 8})
    page.wait_for_load_state("networkidle")
    page.reload()

    lane = page.locator("[data-side=yes] .spine-title")
    expect(lane).to_have_text(["Connect", "Go to their stand", "Invitation to the stand"])


def test_a_step_is_inserted_by_keyboard_alone(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep)

    page.get_by_role("link", name="Insert a step before 2", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_be_focused()
    page.get_by_role("link", name="Visit at the stand").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text("Add a visit at the stand")
    picture(page, "sequence-insert-1440-light")
    page.get_by_label("Title").focus()
    page.keyboard.type("Say hello")
    page.keyboard.press("Enter")

    titles = page.locator(".builder-spine > form > .spine > li > .spine-card .spine-title")
    expect(titles).to_have_text(["Invitation to the stand", "Say hello", "Ask for a slot", "Connect", BRANCH])


def test_steps_are_moved_and_inserted_on_the_phone(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep, width=390)
    lane = page.locator("[data-side=yes] .spine-title")

    page.get_by_role("button", name="Move step 4 yes 2 up").tap()
    expect(lane).to_have_text(["Invitation to the stand", "Go to their stand"])
    page.get_by_role("link", name="Insert a step before 4 yes 2").tap()
    page.get_by_role("link", name="Call", exact=True).tap()
    expect(page.locator("#panel-title")).to_have_text("Add a call")
    expect(page.get_by_label("Title")).to_be_in_viewport()
    picture(page, "sequence-insert-390-light")
    assert sideways(page) == 0
    page.get_by_label("Title").fill("Ring them")
    page.get_by_role("button", name="Add the step").tap()
    expect(lane).to_have_text(["Invitation to the stand", "Ring them", "Go to their stand"])

    page.get_by_role("link", name="Ring them").tap()
    page.get_by_label("Move to").select_option(label="Before 2: Ask for a slot")
    page.get_by_role("button", name="Move", exact=True).tap()
    expect(lane).to_have_text(["Invitation to the stand", "Go to their stand"])


def test_steps_move_within_a_lane_by_key_and_drag(visit: Callable[..., Page], rep: User, address: str):
    page = visit(address, user=rep)
    lane = page.locator("[data-side=yes] .spine-title")

    page.get_by_role("link", name="Go to their stand").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(lane).to_have_text(["Invitation to the stand", "Go to their stand"])
    expect(page.get_by_role("link", name="Go to their stand")).to_be_focused()
    page.locator("[data-side=yes] .spine-card", has_text="Go to their stand").drag_to(
        page.locator("[data-side=yes] .spine-card", has_text="Invitation"), target_position={"x": 200, "y": 8}
    )

    expect(lane).to_have_text(["Go to their stand", "Invitation to the stand"])


def test_a_rule_offers_only_what_fits(visit: Callable[..., Page], rep: User, address: str):
    page = visit(f"{address}steps/add/branch/", user=rep)
    test = page.get_by_label("Test 1")

    page.get_by_label("Fact 1").select_option("person.has_phone")
    expect(page.get_by_label("Value 1")).to_be_hidden()
    assert test.evaluate("e => [...e.options].filter(o => !o.disabled && o.value).map(o => o.value)") == ["yes", "no"]

    page.get_by_role("button", name="Add the step").click()
    expect(page.locator(".spine-title").last).to_have_text("The person has a phone number?")
