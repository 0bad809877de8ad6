"""The scoring page in a real browser: the effect is seen while the weights are changed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import TargetAccount
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from research import services
from research.models import ScoringRule
from tests.e2e.browser import axe_findings, picture, sideways
from tests.factories import AccountFactory, PersonFactory, StandFactory, TargetAccountFactory

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

COMPANIES = [
    ("Roboter AG", 620, "Robotics", 50_000_000),
    (
        "Schäfer Werkzeugmaschinen und Fördertechnik GmbH & Co. Kommanditgesellschaft auf Aktien",
        90,
        "Machine tools",
        None,
    ),
    ("株式会社日本工作機械製作所", 12_000, "", 3_000_000_000),
    ("Bäckerei Müller", 12, "Food", 900_000),
    ("Unknown Ltd", None, "", None),
]


@pytest.fixture
def companies(organization: Organization, event: Event) -> None:
    for name, employees, industry, revenue in COMPANIES:
        account = AccountFactory.create(
            organization=organization, name=name, employee_count=employees, industry=industry, revenue=revenue
        )
        target = TargetAccountFactory.create(account=account, event=event, tier="")
        StandFactory.create(target=target)
        PersonFactory.create(account=account, name=f"Ada of {name}"[:80], is_ops=True)
    with org_scope(organization.pk):
        services.score_accounts(organization.pk, TargetAccount.objects.values_list("account", flat=True), actor_id=None)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_page_is_accessible_and_fits(
    visit: Callable[..., Page], manager: User, companies: None, width: int, theme: str
):
    page = visit("/scoring/", user=manager, width=width, theme=theme)

    picture(page, f"scoring-{width}-{theme}")

    assert axe_findings(page) == []
    assert sideways(page) == 0


def test_effect_is_seen_before_saving(
    visit: Callable[..., Page], manager: User, organization: Organization, companies: None
):
    page = visit("/scoring/", user=manager)

    page.get_by_role("list").filter(has=page.get_by_label("Rule 1")).first.get_by_label("Points").first.fill("90")
    expect(page.locator("#preview figcaption")).to_contain_text("accounts change their score")
    page.locator("#add-account").click()
    expect(page.locator("#r14")).to_be_visible()
    page.locator("#r14").get_by_label("Fact").select_option("industry")
    expect(page.locator("#r14").get_by_label("Words, separated by commas")).to_be_visible()
    page.locator("#r14").get_by_label("Words, separated by commas").fill("food")
    page.locator("#r14").get_by_label("Points").fill("-20")
    expect(page.locator("#preview")).to_contain_text("Bäckerei Müller")
    picture(page, "scoring-edited")
    assert axe_findings(page) == []
    page.get_by_role("button", name="Save and score 5 accounts").click()

    expect(page.locator("#toasts")).to_contain_text("Rules saved")
    with org_scope(organization.pk):
        assert ScoringRule.objects.get(points=-20).value == {"words": ["food"]}
        assert ScoringRule.objects.count() == 15


def test_rep_reads_the_rules(visit: Callable[..., Page], rep: User, companies: None):
    page = visit("/scoring/", user=rep)

    picture(page, "scoring-rep")

    assert axe_findings(page) == []
