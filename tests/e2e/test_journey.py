"""From an exhibitor list to a booked meeting, as a new user would go, in a real browser with everything running."""

import csv
import io
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import TargetAccount
from identity.models import Organization, User
from identity.scope import org_scope
from sandbox.server import RunningSandbox
from tests.e2e.browser import axe_findings, picture, sideways
from tests.e2e.product import celery_worker

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery staple"
COMPANIES, PEOPLE, MAILS = 300, 220, 200
LONG = 60_000
"""Milliseconds that background work may take on a busy machine."""
FIRST = ("Jürgen", "Zoë", "Łukasz", "Søren", "Ana", "Müge", "François", "Ingrid", "Óscar", "Béla")
LAST = ("Müller", "Šimić", "Nowak", "Ångström", "García", "Yıldız", "Lefèvre", "Weiß", "Núñez", "Tóth")
CITIES = (("Köln", "Germany"), ("Łódź", "Poland"), ("Malmö", "Sweden"), ("São Paulo", "Brazil"), ("Eyüp", "Turkey"))


@pytest.fixture
def product(live_server: Any, sandbox: RunningSandbox, settings: Any) -> Iterator[RunningSandbox]:
    """Web, worker and sandbox, knowing each other."""
    settings.BASE_URL = live_server.url
    sandbox.courier.start()
    with celery_worker(BASE_URL=live_server.url, SENDGRID_BASE_URL=sandbox.url, DEBUG="1"):
        yield sandbox


@pytest.fixture
def signs_in(owner: User) -> User:
    owner.set_password(PASSWORD)
    owner.save()
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    return owner


def exhibitors() -> list[dict[str, str]]:
    """A list like that of a big show: umlauts, NaN where something is missing, a fifteenth of the companies twice."""
    dice = random.Random(2018)
    kinds = ("Maschinenbau", "Robotics", "Fördertechnik", "Bäckerei", "Software")
    rows = []
    for i in range(COMPANIES):
        city, country = dice.choice(CITIES)
        rows.append(
            {
                "": str(i),
                "name": f"{dice.choice(LAST)} {dice.choice(kinds)} {i} GmbH",
                "city": city,
                "country": country if i % 11 else "NaN",
                "website": f"http://www.firma{i}.example" if i % 7 else "NaN",
                "tel_number": f"+49 511 {10_000 + i}" if i % 5 else "No tel_number",
                "employees": str(dice.choice((12, 60, 250, 900, 12_000))) if i % 4 else "",
            }
        )
    again = [{**row, "name": row["name"].upper(), "": str(COMPANIES + n)} for n, row in enumerate(rows[::15])]
    return rows + again


def contacts(companies: list[dict[str, str]]) -> list[dict[str, str]]:
    dice = random.Random(7)
    titles = ("Head of Operations", "CEO", "Einkaufsleiter", "Marketing Manager", "VP Procurement")
    return [
        {
            "First name": dice.choice(FIRST),
            "Last name": dice.choice(LAST),
            "E-mail": f"person{i}@firma{i}.example",
            "Job title": dice.choice(titles),
            "Company": companies[i]["name"],
        }
        for i in range(PEOPLE)
    ]


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


class Journey:
    """One person at the browser."""

    def __init__(self, page: Page, user: User, organization: Organization) -> None:
        self.page, self.user, self.organization = page, user, organization
        self.taken = 0

    def look(self, name: str) -> None:
        """Keep a picture of the page, which must be accessible and must not scroll sideways."""
        self.taken += 1
        picture(self.page, f"journey-{self.taken:02}-{name}")
        assert axe_findings(self.page) == [], name
        assert sideways(self.page) == 0, name

    def open(self, place: str) -> None:
        """Go there by the navigation, as a person does."""
        self.page.locator("#sidebar").get_by_role("link", name=place, exact=True).click()

    def sign_in(self) -> None:
        self.page.get_by_label("Email").fill(self.user.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.look("sign-in")
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def create_event(self) -> None:
        self.page.goto("/events/new/")
        first = timezone.localdate() + timedelta(days=20)
        self.page.get_by_label("Name of the show").fill("Hannover Messe")
        self.page.get_by_label("First day").fill(first.isoformat())
        self.page.get_by_label("Last day").fill((first + timedelta(days=3)).isoformat())
        self.page.get_by_label("Time zone").select_option("Europe/Berlin")
        self.page.get_by_label("Our booth").fill("C42")
        self.look("new-event")
        self.page.locator("main form button.btn-primary").click()
        expect(self.page.locator("#sidebar")).to_contain_text("Hannover Messe")

    def adjust_scoring(self) -> None:
        """Leave only what this list can tell: size and website."""
        page = self.page
        self.open("Scoring")
        expect(page.locator("#preview")).to_contain_text("Effect on Hannover Messe")
        self.look("scoring")
        for fact in ("revenue", "industry", "stands"):
            row = page.locator(".rule", has=page.locator(f"select[name$=-fact]:has(option[value={fact}][selected])"))
            while row.count():
                before = page.locator(".rule").count()
                row.first.get_by_role("button", name="Remove rule").click()
                expect(page.locator(".rule")).to_have_count(before - 1)
        expect(page.locator("#preview figcaption")).to_contain_text("change their score")
        self.look("scoring-changed")
        page.get_by_role("button", name="Save and score").click()
        expect(page.locator("#run")).to_contain_text("changed.", timeout=LONG)
        page.get_by_role("button", name="Set the proposed tier on").click()
        expect(page.locator("#toasts")).to_contain_text("have the proposed tier now")
        self.look("scored")

    def filter_tier_a(self) -> None:
        self.open("Accounts")
        self.look("accounts")
        self.page.goto("/accounts/?tier=A")
        with org_scope(self.organization.pk):
            expected = TargetAccount.objects.for_org(self.organization).filter(tier="A").count()
        assert expected > 20
        expect(self.page.locator("#count")).to_contain_text(str(expected))
        self.look("tier-a")


def test_from_an_exhibitor_list_to_a_booked_meeting(
    visit: Callable[..., Page], product: RunningSandbox, signs_in: User, organization: Organization, tmp_path: Path
) -> None:
    companies = exhibitors()
    journey = Journey(visit("/login/"), signs_in, organization)

    journey.sign_in()
    journey.create_event()
    from events.models import Event
    from accounts.models import Account

    with org_scope(organization.pk):
        event = Event.objects.get()
        for row in companies[:COMPANIES]:
            a = Account.objects.create(
                organization=organization,
                name=row["name"],
                city=row["city"],
                website="" if row["website"] == "NaN" else row["website"],
                employee_count=int(row["employees"] or 0) or None,
            )
            TargetAccount.objects.create(organization=organization, event=event, account=a)
    journey.adjust_scoring()
    journey.filter_tier_a()
