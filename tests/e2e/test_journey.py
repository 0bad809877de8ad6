"""From an exhibitor list to a booked meeting, as a new user would go, in a real browser with everything running."""

import csv
import io
import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from playwright.sync_api import Error, Page, expect

from accounts.models import Account, TargetAccount
from identity.models import Organization, User
from identity.scope import org_scope
from meetings.models import Meeting
from outreach.models import Message
from sandbox.server import RunningSandbox
from tests.e2e.browser import axe_findings, picture, sideways

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery staple"
COMPANIES, PEOPLE, MAILS = 300, 219, 200
"""Twenty of the people have no address; one more is added by hand."""
LONG = 60_000
"""Milliseconds that background work may take on a busy machine."""
FIRST = ("Jürgen", "Zoë", "Łukasz", "Søren", "Ana", "Müge", "François", "Ingrid", "Óscar", "Béla")
LAST = ("Müller", "Šimić", "Nowak", "Ångström", "García", "Yıldız", "Lefèvre", "Weiß", "Núñez", "Tóth")
CITIES = (("Köln", "Germany"), ("Łódź", "Poland"), ("Malmö", "Sweden"), ("São Paulo", "Brazil"), ("Eyüp", "Turkey"))


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
            "E-mail": f"person{i}@firma{i}.example" if i >= 20 else "",
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

    def import_list(self, path: Path, name: str, *, created: str) -> None:
        """Upload, look at how it is read, accept the guessed columns, look at what would happen, and do it."""
        page = self.page
        page.goto("/import/")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Upload list").click()
        expect(page.locator("#sample")).to_be_visible()
        self.look(f"{name}-format")
        page.get_by_role("button", name="Go on to the columns").click()
        self.look(f"{name}-columns")
        page.get_by_role("button", name="Check the list").click()
        run = page.get_by_role("button", name=re.compile(r"Import \d+ rows"))
        expect(run).to_be_visible(timeout=LONG)
        self.look(f"{name}-preview")
        run.click()
        expect(page.locator("main")).to_contain_text("The list is in", timeout=LONG)
        expect(page.locator("main")).to_contain_text(f"{created} created")
        self.look(f"{name}-imported")

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
        expect(page.locator("#run")).to_contain_text("The rules were changed", timeout=LONG)
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

    def add_person(self) -> None:
        """One by hand, at the first company of tier A."""
        page = self.page
        page.locator("#list tbody th a").first.click()
        self.look("account")
        page.locator(".detail-side").get_by_role("link", name="Add", exact=True).click()
        page.get_by_label("Name", exact=True).fill("Şule Öztürk-Sánchez")
        page.get_by_label("Title").fill("Head of Operations")
        page.get_by_label("E-mail").fill("sule@firma-a.example")
        self.look("new-person")
        page.get_by_role("button", name="Add person").click()
        expect(page.locator("h1")).to_contain_text("Şule Öztürk-Sánchez")
        self.look("person")

    def connect_mailbox(self) -> None:
        page = self.page
        self.open("Settings")
        page.get_by_role("link", name="Mailboxes").click()
        page.get_by_role("link", name="Add mailbox").first.click()
        page.get_by_label("Name", exact=True).fill("Show team")
        page.get_by_label("Sender name").fill("Ana from Nordlicht")
        page.get_by_label("Sender address").fill("ana@nordlicht.example")
        page.get_by_label("API key or password").fill("SG.journey-0123456789")
        page.get_by_label("Reply domain").fill("replies.nordlicht.example")
        # Its recipients are in Germany and, in this story, have agreed that opens are noticed.
        page.get_by_label("Notice opens in the EU").check()
        self.look("new-mailbox")
        page.get_by_role("button", name="Save mailbox").click()
        self.until(lambda: expect(page.locator("main")).to_contain_text("arrive signed", timeout=1_000))
        self.look("mailbox")

    def write_template(self) -> None:
        page = self.page
        self.open("Outreach")
        page.get_by_role("link", name="Templates").click()
        page.get_by_role("link", name="New template").first.click()
        page.get_by_label("Name", exact=True).fill("Invitation")
        page.get_by_label("Subject").fill("{{ company }} at {{ event }}")
        page.get_by_label("Text").fill(
            'Hello {{ first_name | "there" }},\n\nmeet us at stand {{ booth }}: [our carts](https://nordlicht.example/carts).'
        )
        expect(page.locator("#preview")).to_contain_text("meet us at stand C42")
        self.look("template")
        page.get_by_role("button", name="Save template").click()

    def write_and_send(self) -> None:
        page = self.page
        self.open("Outreach")
        page.get_by_role("link", name="Write to people").first.click()
        page.get_by_label("Template").select_option(label="Invitation")
        self.look("write")
        page.get_by_role("button", name=f"Write {PEOPLE + 1} drafts").click()
        send = page.get_by_role("button", name=f"Send {MAILS} messages").first
        self.until(lambda: expect(send).to_be_visible(timeout=1_000))
        self.look("drafts")
        send.click()
        page.locator("#confirm").get_by_role("button", name=f"Send {MAILS} messages").click()
        self.until(lambda: self.figure("Sent", MAILS))
        self.until(lambda: self.figure("Delivered", MAILS))
        self.look("sent")

    def play_recipients(self, sandbox: RunningSandbox) -> None:
        """Open the played provider's page beside the product and let people react."""
        other = self.page.context.new_page()
        other.goto(f"{sandbox.url}/")
        other.wait_for_timeout(5_000)  # whoever clicks within seconds of the delivery counts as a machine
        for action, number in (("open", 60), ("click", 10), ("reply", 12)):
            other.get_by_label(action, exact=True).fill(str(number))
        other.get_by_role("button", name="Play").click()
        expect(other.locator(".said")).to_contain_text("12 × reply")
        picture(other, f"journey-{self.taken:02}-sandbox")
        other.close()

    def watch_what_comes_back(self) -> None:
        self.until(lambda: self.figure("Answered", 12))
        self.until(lambda: self.figure("Clicked", 10))
        opened = self.page.locator(".stat", has_text="Opened by people").locator(".stat-value")
        assert int(opened.inner_text()) >= 60
        self.look("campaign")
        self.open("Outreach")
        self.look("messages")
        self.page.get_by_role("link", name="Replies").click()
        expect(self.page.locator(".inbox-row")).to_have_count(12)
        self.look("replies")

    def book_a_meeting(self) -> None:
        """With the first who answered, from the page that says what waits."""
        page = self.page
        self.open("Today")
        self.look("today")
        page.get_by_role("link", name="Book", exact=True).first.click()
        dialog = page.locator("#modal")
        expect(dialog.get_by_label("Day")).not_to_have_value("")
        dialog.get_by_label("Our rep").select_option(label=str(self.user))
        picture(page, f"journey-{self.taken:02}-booking")
        dialog.get_by_role("button", name="Book meeting").click()
        expect(dialog).to_be_hidden()
        self.open("Meetings")
        expect(page.locator("main tbody tr")).to_have_count(1)
        self.look("meetings")

    def dashboard(self) -> str:
        """What the dashboard says, as text."""
        self.open("Analytics")
        self.look("dashboard")
        return self.page.locator("main").inner_text()

    def figure(self, label: str, value: int) -> None:
        stat = self.page.locator(".stat", has=self.page.get_by_text(label, exact=True))
        expect(stat.locator(".stat-value")).to_have_text(str(value), timeout=1_000)

    def _reload(self) -> None:
        try:
            self.page.reload()
        except Error as error:
            # A page that shows progress reloads itself at the end: two reloads can meet.
            if "ERR_ABORTED" not in str(error):
                raise
            self.page.wait_for_load_state()

    def until(self, check: Callable[[], object], seconds: float = LONG / 1000) -> None:
        """Reload the page until ``check`` holds, as somebody waiting would."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                check()
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                self._reload()
            else:
                return


def test_from_an_exhibitor_list_to_a_booked_meeting(
    visit: Callable[..., Page], product: RunningSandbox, signs_in: User, organization: Organization, tmp_path: Path
) -> None:
    companies = exhibitors()
    journey = Journey(visit("/login/"), signs_in, organization)

    journey.sign_in()
    journey.create_event()
    journey.import_list(write_csv(tmp_path / "exhibitors.csv", companies), "companies", created=str(COMPANIES))
    journey.import_list(write_csv(tmp_path / "people.csv", contacts(companies)), "people", created=str(PEOPLE))
    journey.adjust_scoring()
    journey.filter_tier_a()
    journey.add_person()
    before = journey.dashboard()
    journey.connect_mailbox()
    journey.write_template()
    journey.write_and_send()
    journey.play_recipients(product)
    journey.watch_what_comes_back()
    journey.book_a_meeting()
    after = journey.dashboard()

    with org_scope(organization.pk):
        assert Account.objects.count() == COMPANIES
        assert Message.objects.filter(sent_at__isnull=False).count() == MAILS
        assert Message.objects.filter(replied_at__isnull=False).count() == 12
        assert Meeting.objects.count() == 1
    assert before != after
