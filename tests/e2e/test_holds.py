"""What people decide about accounts that are held, and the tap at the booth, seen on both widths."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from outreach import guard, switches
from people.models import Person
from sequences.models import EnrollmentRule
from tests.e2e.browser import axe_findings, picture, sideways
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    SequenceFactory,
)

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
REASONS = {
    "Mälardalens Precisionsteknik Aktiebolag": ("reply", "Grace Hopper answered: yes, gladly, at your booth."),
    "Acme GmbH": ("scan", "Ada Lovelace came to the booth."),
}


@pytest.fixture
def person(organization: Organization, event: Event, admin_member: User) -> Person:
    """Somebody at one of two held accounts, each with a mail that waits; sending was stopped once, and a rule has run."""
    mailbox = MailboxFactory.create(organization=organization)
    campaign = CampaignFactory.create(mailbox=mailbox, status="sending")
    for name, (cause, reason) in REASONS.items():
        person = PersonFactory.create(account=AccountFactory.create(organization=organization, name=name))
        MessageFactory.create(
            person=person, mailbox=mailbox, campaign=campaign, due_at=timezone.now() + timedelta(days=1)
        )
        with org_scope(organization.pk):
            guard.hold_account(organization.pk, person.account_id, cause=cause, reason=reason)
    sequence = SequenceFactory.create(organization=organization, mailbox=mailbox, event=event, status="active")
    with org_scope(organization.pk):
        switches.stop(organization, reason="Wrong list", actor=admin_member)
        switches.start(organization, actor=admin_member)
        EnrollmentRule.objects.create(
            organization=organization, sequence=sequence, author=admin_member, begun=12, begun_at=timezone.now(),
            rule={"match": "all", "tests": [{"fact": "person.met_at_booth", "is": "yes"}]}, looked_at=timezone.now(),
            left_out=[{"person": str(person.pk), "reason": "There is no e-mail address.", "at": ""}],
        )  # fmt: skip
    return person


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_pages_are_accessible_and_fit(
    visit: Callable[..., Page], admin_member: User, organization: Organization, person: Person, width: int, theme: str
):
    with org_scope(organization.pk):
        rules = f"/sequences/{EnrollmentRule.objects.get().sequence_id}/rules/"
    for name, path in {"holds": "/outreach/holds/", "stops": "/outreach/mailboxes/stops/", "rules": rules}.items():
        page = visit(path, user=admin_member, width=width, theme=theme)
        picture(page, f"{name}-{width}-{theme}")
        assert axe_findings(page) == []
        assert sideways(page) == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_one_tap_at_the_booth_and_back(visit: Callable[..., Page], admin_member: User, person: Person, width: int):
    page = visit(f"/people/{person.pk}/", user=admin_member, width=width)

    page.get_by_role("button", name="Met at the booth").click()
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    picture(page, f"booth-{width}-light")
    assert axe_findings(page) == []
    assert sideways(page) == 0
    page.get_by_label("What was talked about").fill("Wants a demo.")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#booth")).to_contain_text("Wants a demo.")
    page.get_by_role("button", name="Take back").click()

    expect(page.locator("#booth")).to_have_count(0)


def test_an_owner_decides(visit: Callable[..., Page], admin_member: User, person: Person):
    page = visit("/outreach/holds/", user=admin_member)

    page.get_by_role("button", name="Release Acme GmbH").click()
    expect(page.locator("#toasts")).to_contain_text("Automatic mail to Acme GmbH goes on.")
    page.get_by_role("button", name="End it for Mälardalens Precisionsteknik Aktiebolag").click()
    page.get_by_role("button", name="End it for everybody").click()

    expect(page.locator("main")).to_contain_text("Nothing for you to decide")
