"""What comes back is read, sorted and answered, with keys and on the phone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from events.models import Event
from identity.models import Organization, User
from outreach.models import InboundMail, Message
from tests.e2e.browser import axe_findings, picture, sideways
from tests.factories import (
    AccountFactory,
    InboundMailFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    TemplateFactory,
)

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
CAME = [
    ("Ada Lovelace", "Acme GmbH", "interested", "Yes, gladly. Tuesday at 10 would suit us at your booth.", "gladly"),
    ("Grace Hopper", "Mälardalens Precisionsteknik Aktiebolag", "question", "What does a line cost?", "?"),
    ("Jan Kowalski", "Kolmex", "referral", "Please write to bob.miller@kolmex.example instead.", "write to"),
    ("Marie Dupont", "Dupont et Fils", "not_now", "Not this year, please ask again in March.", "ask again"),
    ("田中 花子", "東京精密", "opt_out", "Please remove me from your list.", "remove me"),
]


@pytest.fixture
def mails(organization: Organization, event: Event, rep: User) -> list[InboundMail]:
    """One answer of every kind, the first the newest, and a mail that names none of ours."""
    mailbox = MailboxFactory.create(organization=organization)
    TemplateFactory.create(organization=organization, name="Invitation to the stand")
    came, now = [], timezone.now()
    for number, (name, company, label, text, evidence) in enumerate(CAME):
        account = AccountFactory.create(organization=organization, name=company)
        person = PersonFactory.create(account=account, name=name)
        sent = MessageFactory.create(
            person=person, mailbox=mailbox, event=event, owner=rep, state=Message.State.ACCEPTED,
            sent_at=now - timedelta(days=2),
        )  # fmt: skip
        came.append(
            InboundMailFactory.create(
                mailbox=mailbox,
                message=sent,
                person=person,
                label=label,
                text=text,
                evidence=evidence,
                from_name=name,
                from_address=person.email,
                received_at=now - timedelta(hours=number),
                kind="opt_out" if label == "opt_out" else "reply",
                assignee=rep if number else None,
                other_address="bob.miller@kolmex.example" if label == "referral" else "",
            )
        )
    stray = InboundMailFactory.create(
        mailbox=mailbox, kind="unmatched", from_name="Someone Else", received_at=now - timedelta(days=1)
    )
    return [*came, stray]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_the_inbox_is_accessible_and_fits(
    visit: Callable[..., Page], rep: User, mails: list[InboundMail], width: int, theme: str
):
    paths = {"list": "", **{mail.label if mail.person_id else "unmatched": f"?mail={mail.pk}" for mail in mails}}
    for name, path in paths.items():
        page = visit(f"/outreach/replies/{path}", user=rep, width=width, theme=theme)
        picture(page, f"replies-{name}-{width}-{theme}")
        assert axe_findings(page) == []
        assert sideways(page) == 0


def test_triage_by_keys(visit: Callable[..., Page], rep: User, mails: list[InboundMail]):
    page = visit("/outreach/replies/", user=rep)
    title = page.locator("#mail-title")
    expect(title).to_have_text("Ada Lovelace")

    page.keyboard.press("j")
    expect(title).to_have_text("Grace Hopper")
    page.keyboard.press("k")
    expect(title).to_have_text("Ada Lovelace")
    page.keyboard.press("2")
    expect(page.locator(".inbox-why")).to_contain_text("question")
    page.keyboard.press("s")
    page.get_by_role("button", name="Tomorrow").click()
    expect(title).to_have_text("Grace Hopper")
    page.keyboard.press("e")
    expect(title).to_have_text("Jan Kowalski")
    page.keyboard.press("r")
    page.keyboard.type("Thank you, I will.")
    picture(page, "replies-answering-1440-light")
    page.get_by_role("button", name="Send and done").click()
    expect(title).to_have_text("Marie Dupont")
    expect(page.locator("#toasts")).to_contain_text("Your answer is on its way.")
    assert "mail=" in page.url

    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_contain_text("Snooze")


def test_a_mail_is_read_and_left_on_the_phone(visit: Callable[..., Page], rep: User, mails: list[InboundMail]):
    page = visit("/outreach/replies/", user=rep, width=390)

    page.get_by_role("link", name="Ada Lovelace").first.click()
    expect(page.locator(".inbox-list")).to_be_hidden()
    page.get_by_role("link", name="All replies").click()

    expect(page.locator(".inbox-list")).to_be_visible()
    expect(page.locator(".inbox-mail")).to_be_hidden()


def test_the_inbox_is_worked_without_scripts_and_without_a_mouse(
    visit: Callable[..., Page], rep: User, mails: list[InboundMail]
):
    page = visit("/outreach/replies/", user=rep, scripts=False)
    title = page.locator("#mail-title")

    def press(role: str, name: str) -> None:
        page.get_by_role(role, name=name).first.focus()  # type: ignore[arg-type]
        page.keyboard.press("Enter")

    press("link", "Grace Hopper")
    expect(title).to_have_text("Grace Hopper")
    page.locator("summary[title='Set the class']").focus()
    page.keyboard.press("Enter")
    press("button", "Interested")
    expect(page.locator(".inbox-why")).to_contain_text("interested")
    page.get_by_label("Answer", exact=True).focus()
    page.keyboard.type("Two lines cost less than you fear.")
    press("button", "Send and done")
    expect(page.locator("#toasts")).to_contain_text("Your answer is on its way.")

    press("link", "Ada Lovelace")
    page.locator("summary[title='Snooze']").focus()
    page.keyboard.press("Enter")
    press("button", "Tomorrow")
    press("link", "Snoozed")
    expect(page.locator(".inbox-row")).to_have_count(1)
    expect(page.locator(".inbox-row")).to_contain_text("Ada Lovelace")
    press("link", "Done")
    expect(page.locator(".inbox-row")).to_contain_text("Grace Hopper")
