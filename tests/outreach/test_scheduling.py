"""When a campaign leaves: at a time, in working hours, so many an hour; moved, paused, stopped."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from identity.scope import org_scope
from outreach.claiming import claim_batch
from outreach.delivery import open_desk
from outreach.models import Message
from outreach.services import campaigns
from people.models import Person
from tests.factories import AccountFactory, PersonFactory, TemplateFactory

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def campaign(organization, event, mailbox, rep):
    """Three drafts."""
    account = AccountFactory.create(organization=organization, country="Japan")
    for _ in range(3):
        PersonFactory.create(account=account)
    with org_scope(organization.pk):
        return campaigns.start_campaign(
            organization, name="Invitations", event=event, mailbox=mailbox, actor=rep,
            template=TemplateFactory.create(organization=organization), people=Person.objects.for_org(organization),
        )  # fmt: skip


@pytest.fixture
def mails(organization, campaign):
    def read():
        with org_scope(organization.pk):
            campaign.refresh_from_db()
            return list(Message.objects.filter(campaign=campaign).order_by("due_at", "id"))

    return read


def next_monday(clock):
    today = timezone.now().astimezone(BERLIN).date()
    return datetime.combine(today + timedelta(days=7 - today.weekday()), clock, tzinfo=BERLIN)


def form(moment, **changes):
    return {
        "when": "later", "day": moment.date().isoformat(), "clock": f"{moment:%H:%M}", "zone": "Europe/Berlin",
    } | changes  # fmt: skip


def test_a_campaign_leaves_at_its_time_by_the_clocks_of_the_show(browser, campaign, mails, mailbox, send, sandbox):
    moment = next_monday(time(9, 30))

    answer = browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(moment))
    send(mailbox)

    assert answer.status_code == 302
    assert {(m.state, m.due_at) for m in mails()} == {("queued", moment)}
    assert len(sandbox.world.mails) == 0
    page = browser.get(f"/outreach/campaigns/{campaign.pk}/").content.decode()
    assert f"{moment:%a} {moment.day} {moment:%b}, 09:30" in page


def test_so_many_an_hour_means_that_far_apart(browser, campaign, mails):
    moment = next_monday(time(9))

    browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(moment, per_hour=60))

    assert [m.due_at - moment for m in mails()] == [timedelta(minutes=n) for n in range(3)]


def test_working_hours_are_those_of_the_recipient(browser, campaign, mails, mailbox, organization, send, sandbox):
    today = timezone.now().weekday()
    with org_scope(organization.pk):
        type(mailbox).objects.update(window_days=[(today + 3) % 7], window_opens=time(9), window_closes=time(12))

    browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", {"when": "now", "keeps_window": "on"})
    send(mailbox)

    assert {(m.state, m.cause, m.time_zone) for m in mails()} == {("queued", "window", "Asia/Tokyo")}
    assert len(sandbox.world.mails) == 0


def test_what_has_not_left_is_moved(browser, campaign, mails):
    browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(next_monday(time(9))))
    later = next_monday(time(14, 15))

    browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(later))

    assert {m.due_at for m in mails()} == {later}


def test_a_pause_holds_what_waits_and_what_a_worker_has_claimed(
    browser, campaign, mails, mailbox, organization, send, sandbox
):
    browser.post(f"/outreach/campaigns/{campaign.pk}/approve/")
    with open_desk(organization.pk, mailbox.pk) as desk:
        claim_batch(desk, size=1)

    browser.post(f"/outreach/campaigns/{campaign.pk}/pause/")
    send(mailbox)

    assert {(m.state, m.cause) for m in mails()} == {("planned", "paused")}
    assert (campaign.status, len(sandbox.world.mails)) == ("paused", 0)
    with org_scope(organization.pk):
        assert Message.objects.for_org(organization).open().count() == 3
    assert "The campaign was paused by" in browser.get("/outreach/ledger/").content.decode()


def test_a_paused_campaign_goes_on(browser, campaign, mails, mailbox, send, sandbox):
    browser.post(f"/outreach/campaigns/{campaign.pk}/approve/")
    browser.post(f"/outreach/campaigns/{campaign.pk}/pause/")

    browser.post(f"/outreach/campaigns/{campaign.pk}/pause/", {"paused": "0"})
    send(mailbox)

    assert len(sandbox.world.mails) == 3
    assert ({m.state for m in mails()}, campaign.status) == ({"accepted"}, "done")


def test_a_scheduled_or_paused_campaign_can_be_stopped(browser, campaign, mails, mailbox, send, sandbox):
    browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(next_monday(time(9))))
    browser.post(f"/outreach/campaigns/{campaign.pk}/pause/")

    browser.post(f"/outreach/campaigns/{campaign.pk}/cancel/")
    browser.post(f"/outreach/campaigns/{campaign.pk}/pause/", {"paused": "0"})
    send(mailbox)

    assert ({m.state for m in mails()}, campaign.status, len(sandbox.world.mails)) == ({"cancelled"}, "cancelled", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": "2020-01-06"},
        {"day": "2199-01-06"},
        {"day": ""},
        {"clock": "27:00"},
        {"zone": "Mars/Olympus"},
        {"per_hour": "0"},
        {"when": "someday"},
    ],
)
def test_a_schedule_that_makes_no_sense_is_a_422_and_nothing_is_approved(browser, campaign, mails, wrong):
    answer = browser.post(f"/outreach/campaigns/{campaign.pk}/schedule/", form(next_monday(time(9))) | wrong)

    assert (answer.status_code, {m.state for m in mails()}) == (422, {"draft"})
