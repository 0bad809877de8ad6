"""A figure and the list it leads to say the same, on every page that shows figures."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from events.models import Event
from events.panels import event_figures
from identity.models import Membership, Role
from identity.scope import org_scope, system_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(client: Client) -> Client:
    """The owner of the demo, at the show that lies ahead."""
    call_command("seed_demo", "--demo")
    with system_scope():
        owner = Membership.objects.select_related("user").filter(role=Role.OWNER).earliest("created_at")
    client.force_login(owner.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _listed(client: Client, address: str) -> int:
    """How many rows the list at ``address`` says it has."""
    response = client.get(address)
    assert response.status_code == 200, address
    context: Any = response.context
    if "filter" not in context:
        return int(context["count"].number)
    # On a slow machine the page may say "about" so many; its rows are what it is about.
    rows, said = context["filter"].rows(), context.get("count")
    with org_scope(context["request"].organization.pk):
        number = int(rows.count())
    told = context.get("total", number) if said is None else said.number
    assert told == number or (said is not None and not said.exact)
    return number


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_every_figure_of_the_dashboard_is_the_length_of_its_list(demo: Client) -> None:
    board = demo.get("/dashboard/").context["board"]

    said = {f"funnel {label}": (number, href) for label, number, href in board.funnel}
    said |= {f"status {line.label}": (line.number, line.href) for line in (*board.meetings, *board.outreach)}
    said |= {
        one.label: (_number(one.value), one.href) for one in board.headlines if not one.label.startswith("Response")
    }
    rate = next(one for one in board.headlines if one.label.startswith("Response"))
    said["answered in 30 days"] = (board.figures.rate.replied, rate.href)
    assert {what: _listed(demo, href) for what, (_, href) in said.items()} == {
        what: number for what, (number, _) in said.items()
    }
    assert all(number for number, _ in said.values())


def test_every_figure_of_today_is_the_length_of_its_list(demo: Client) -> None:
    page = demo.get("/").context

    said = {need.words: (need.number, need.href) for need in page["today"].needs}
    said |= {label: (number, href) for label, number, href in page["so_far"]}
    assert {what: _listed(demo, href) for what, (_, href) in said.items()} == {
        what: number for what, (number, _) in said.items()
    }
    assert len(said) >= 8


def test_the_page_of_a_show_says_what_the_dashboard_says(demo: Client) -> None:
    event = demo.get("/dashboard/").context["request"].event
    with org_scope(event.organization_id):
        figures = event_figures(Event.objects.get(pk=event.pk))
    board = demo.get("/dashboard/").context["board"]

    assert {figure.label: _listed(demo, figure.href) for figure in figures if figure.href} == {
        figure.label: figure.value for figure in figures if figure.href
    }
    agreed = {figure.label: figure.value for figure in figures}["Meetings agreed"]
    assert agreed == _number(next(one.value for one in board.headlines if one.label == "Meetings agreed"))
