"""A sequence from its first step to every kind of answer, as a new user would go, with everything running."""

import time
from collections.abc import Callable

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from outreach import connecting
from outreach.models import InboundMail, Message
from sandbox.answers import KINDS
from sandbox.server import RunningSandbox
from sequences.models import Enrollment, Sequence
from tests.e2e.browser import axe_findings, picture, sideways
from tests.factories import (
    AccountFactory,
    MailboxFactory,
    PersonFactory,
    TargetAccountFactory,
    TemplateFactory,
)

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LONG = 60.0
WHY = {
    "interested": "Answered",
    "question": "Answered",
    "referral": "Answered",
    "not_now": "Answered",
    "other": "Answered",
    "opt_out": "Unsubscribed",
    "out_of_office": "Out of the office",
    "auto_reply": "Waits for its time",
    "bounce_hard": "The address does not work",
    "bounce_soft": "Waits for its time",
}
"""How a recipient answers the first mail, and what the list of people says of them then."""


@pytest.fixture
def audience(organization: Organization, event: Event) -> dict[str, str]:
    """One person of tier A for every kind of answer, each in a company of their own: their address by kind. One more of
    tier A has no address, and one is of tier B.
    """
    people = [(kind, "A", f"reader@company{number}.example") for number, kind in enumerate(KINDS)]
    for name, tier, email in [*people, ("nobody", "A", ""), ("second", "B", "b@second.example")]:
        account = AccountFactory.create(organization=organization, name=f"{name.title()} GmbH", country="Germany")
        TargetAccountFactory.create(account=account, event=event, tier=tier)
        PersonFactory.create(account=account, name=name.replace("_", " ").title(), email=email, country="Germany")
    return {kind: email for kind, _, email in people}


@pytest.fixture
def templates(organization: Organization) -> None:
    for name, subject in (("Invitation", "{{ company }} at the show"), ("Reminder", "Are you coming?")):
        TemplateFactory.create(organization=organization, name=name, subject=subject, body="Hello {{ first_name }}.")


class Story:
    def __init__(self, page: Page, organization: Organization, secret: str) -> None:
        self.page, self.organization, self.secret = page, organization, secret
        self.address = ""

    def look(self, name: str) -> None:
        picture(self.page, f"story-{name}")
        assert axe_findings(self.page) == []
        assert sideways(self.page) == 0

    def add(self, kind: str, *, after: str = "", **fields: str) -> None:
        """Add a step at the end, or to the lane named ``after``."""
        page = self.page
        name = f"Add a step to {after}" if after else "Add a step"
        page.get_by_role("link", name=name, exact=True).last.click()
        expect(page.locator(".kinds [aria-current]")).to_have_text("E-mail")
        if kind != "E-mail":
            page.locator(".kinds").get_by_role("link", name=kind, exact=True).click()
        expect(page.locator(".kinds [aria-current]")).to_have_text(kind)
        for label, value in fields.items():
            field = page.locator(".builder-panel").get_by_label(label.replace("_", " "), exact=True)
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)
        page.get_by_role("button", name="Add the step").click()
        expect(page.locator("#panel-title")).to_have_count(0)

    def build(self) -> None:
        page = self.page
        page.goto("/sequences/new/")
        page.get_by_label("Name", exact=True).fill("Before the show")
        page.get_by_label("Its mails leave from").select_option(index=1)
        page.get_by_role("button", name="Make the sequence").click()
        self.address = page.url.partition("#")[0]
        page.get_by_role("link", name="Start with a mail").click()
        page.get_by_label("Template", exact=True).select_option(label="Invitation")
        page.get_by_role("button", name="Add the step").click()
        self.add("Wait", Days="2")
        self.add("Branch", Fact_1="tier", Test_1="is one of", Value_1="A")
        self.add("E-mail", after="3 yes", Template="Reminder")
        self.add("End")
        expect(page.locator(".spine-title")).to_have_count(5)
        self.look("built")
        page.get_by_role("button", name="Publish").click()
        expect(page.locator("#toasts")).to_contain_text("Version 1 is published")

    def rehearse(self) -> None:
        page = self.page
        page.get_by_role("link", name="Preview").click()
        expect(page.locator(".outlook thead th")).to_have_count(4)
        self.look("rehearsed")

    def enroll(self) -> None:
        page = self.page
        page.get_by_role("link", name="People", exact=True).last.click()
        page.get_by_role("link", name="Add people").first.click()
        page.get_by_role("link", name="Tier A at this show").click()
        expect(page.locator("main")).to_contain_text("There is no e-mail address.")
        self.look("who-begins")
        page.get_by_role("button", name=f"Let {len(KINDS)} people begin").click()
        expect(page.locator(".causes")).to_contain_text(f"{len(KINDS)} Its mail is on the way")

    def ring(self) -> None:
        """What an outside scheduler does; the worker sends too, so either may have sent a mail."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        answer = self.page.request.get("/api/cron/sequences", headers=headers, timeout=60_000)
        assert answer.ok, answer.text()

    def sent(self) -> int:
        with org_scope(self.organization.pk):
            return Message.objects.filter(sent_at__isnull=False).count()

    def answer_as_everybody(self, sandbox: RunningSandbox, audience: dict[str, str]) -> None:
        other = self.page.context.new_page()
        for kind, address in audience.items():
            other.goto(f"{sandbox.url}/?q={address}")
            other.locator("main a[href^='/mails/']").first.click()
            other.get_by_role("button", name=KINDS[kind], exact=True).click()
        other.close()

    def reasons(self) -> dict[str, str]:
        with org_scope(self.organization.pk):
            rows = Enrollment.objects.select_related("person")
            return {one.person.email: one.get_cause_display() for one in rows}

    def until(self, check: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONG
        while not check():
            assert time.monotonic() < deadline, sorted(self.reasons().items())
            time.sleep(0.3)


def test_a_sequence_from_its_first_step_to_every_kind_of_answer(
    visit: Callable[..., Page],
    product: RunningSandbox,
    owner: User,
    organization: Organization,
    event: Event,
    audience: dict[str, str],
    templates: None,
    settings: object,
) -> None:
    settings.CRON_SECRET, settings.EVENTOPS_DEMO = "ring-ring-ring", True  # type: ignore[attr-defined]
    mailbox = MailboxFactory.create(
        organization=organization, window_days=list(range(7)), window_opens="00:00", window_closes="23:59:59",
        keeps_holidays=False, reply_domain="replies.nordlicht.example", spacing_seconds=0,
    )  # fmt: skip
    connecting.connect(organization.pk, mailbox.pk)
    story = Story(visit("/", user=owner), organization, "ring-ring-ring")
    expected = {address: WHY[kind] for kind, address in audience.items()}

    story.build()
    story.rehearse()
    story.enroll()
    call_command("demo_clock", hours=1, organization=organization.slug)
    story.ring()
    story.until(lambda: story.sent() == len(KINDS))
    story.answer_as_everybody(product, audience)
    story.until(lambda: story.reasons() == expected)

    page = story.page
    with org_scope(organization.pk):
        sequence = Sequence.objects.get()
    page.goto(f"/sequences/people/?sequence={sequence.pk}")
    for kind in KINDS:
        expect(page.locator("tr", has_text=kind.replace("_", " ").title()).first).to_contain_text(WHY[kind])
    story.look("reasons")
    page.goto("/outreach/replies/")
    for kind in ("interested", "question", "referral", "not_now", "other"):
        expect(page.locator(".inbox-row", has_text=kind.replace("_", " ").title())).to_have_count(1)
    story.look("inbox")

    call_command("demo_clock", days=3, organization=organization.slug)
    story.ring()
    story.ring()
    story.until(lambda: story.sent() == len(KINDS) + 2)
    with org_scope(organization.pk):
        again = Message.objects.filter(sent_at__isnull=False).values_list("to_address", flat=True)
        second = {address for address in again if list(again).count(address) == 2}
        classes = set(InboundMail.objects.exclude(label="").values_list("label", flat=True))
    assert second == {audience["auto_reply"], audience["bounce_soft"]}
    assert classes >= {"interested", "question", "referral", "not_now", "opt_out", "out_of_office"}
