import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache as store
from django.test import Client

from accounts.models import Account
from analytics import cache, folding, receivers
from analytics.services import figures
from common.happenings import Happening, Kind
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from meetings import services
from meetings.models import Meeting
from meetings.services import Plan
from outreach.models import Message
from outreach.services.campaigns import start_campaign
from people.models import Person
from tests.factories import (
    AccountFactory,
    EventFactory,
    MailboxFactory,
    MeetingFactory,
    PersonFactory,
    TargetAccountFactory,
    TaskFactory,
    TemplateFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)


@pytest.fixture
def browser(client_for: Callable[[User], Client], rep: User, event: Event) -> Client:
    return client_for(rep)


@pytest.fixture
def account(organization: Organization, event: Event) -> Account:
    account = AccountFactory.create(organization=organization, name="Acme GmbH")
    TargetAccountFactory.create(account=account, event=event)
    return account


@pytest.fixture
def person(account: Account) -> Person:
    return PersonFactory.create(account=account, name="Ada Lovelace")


def _message(event: Event, person: Person, **fields: Any) -> Message:
    with org_scope(event.organization_id):
        return Message.objects.create(
            organization=event.organization, event=event, person=person, account=person.account,
            state="accepted" if fields.get("sent_at") else "draft", **fields,
        )  # fmt: skip


def test_today_shows_what_needs_me(
    browser: Client, event: Event, account: Account, person: Person, rep: User, manager: User
) -> None:
    MeetingFactory.create(account=account, event=event, rep=rep, title="Mine")
    MeetingFactory.create(account=account, event=event, rep=manager, title="Not mine")
    TaskFactory.create(organization=event.organization, title="Call Ada", assignee=rep, due_on=NOW.date())
    TaskFactory.create(
        organization=event.organization, title="Later", assignee=rep, due_on=NOW.date() + timedelta(days=9)
    )
    TaskFactory.create(organization=event.organization, title="Of others", assignee=manager, due_on=NOW.date())
    _message(event, person)

    page = browser.get("/")

    today = page.context["today"]
    assert [meeting.title for meeting in today.meetings] == ["Mine"]
    assert [task.title for task in today.tasks] == ["Call Ada"]
    assert [(need.number, need.words) for need in today.needs] == [
        (1, "drafts to approve"),
        (1, "tier A accounts without an owner"),
    ]


def test_today_of_an_organization_without_a_show_says_the_next_step(
    client_for: Callable[[User], Client], rep: User
) -> None:
    assert "Which show comes next?" in client_for(rep).get("/").text
    assert "No show yet" in client_for(rep).get("/dashboard/").text


def test_the_dashboard_links_every_figure_to_the_list_behind_it(
    browser: Client, event: Event, account: Account, person: Person
) -> None:
    other = TargetAccountFactory.create(account=AccountFactory.create(organization=event.organization), event=event)
    _message(event, person, sent_at=NOW, replied_at=NOW)
    MeetingFactory.create(account=account, event=event)

    page = browser.get("/dashboard/")

    board = page.context["board"]
    assert [(label, number) for label, number, _ in board.funnel] == [
        ("Targeted", 2), ("Contacted", 1), ("Delivered", 0), ("Opened by a person", 0), ("Replied", 1),
        ("Meeting booked", 1), ("Meeting held", 0),
    ]  # fmt: skip
    for label, number, address in board.funnel:
        rows = browser.get(address).context["page"].items
        assert (label, len(rows)) == (label, number)
    left = browser.get("/accounts/?reached=not-contacted").context["page"].items
    assert [row.account_id for row in left] == [other.account_id]
    for line in (*board.meetings, *board.outreach):
        assert len(browser.get(line.href).context["page"].items) == line.number
    rate = next(one for one in board.headlines if one.label.startswith("Response rate"))
    assert len(browser.get(rate.href).context["page"].items) == board.figures.rate.replied == 1


def test_the_dashboard_api_names_what_it_must(browser: Client, event: Event, account: Account, person: Person) -> None:
    for number in range(3):
        _message(event, person, sent_at=NOW - timedelta(days=number), replied_at=NOW if number == 0 else None)
    _message(event, person)
    MeetingFactory.create(account=account, event=event)

    body = browser.get("/api/analytics/dashboard", {"eventId": str(event.pk)}).json()

    del body["computedAt"]
    assert body == {
        "eventId": str(event.pk),
        "totals": {"accounts": 1, "people": 1, "outreach": 4, "meetings": 1},
        "outreachByStatus": {"DRAFT": 1, "SENT": 2, "RESPONDED": 1, "BOUNCED": 0},
        "meetingsByStatus": {
            "REQUESTED": 0, "SCHEDULED": 1, "CHECKED_IN": 0, "COMPLETED": 0, "NO_SHOW": 0, "CANCELLED": 0,
        },
        "responseRate": 33.33,
        "response": {"days": 30, "sent": 3, "responded": 1, "rate": 33.33},
        "funnel": {
            "targets": 1, "contacted": 1, "delivered": 0, "opened": 0, "replied": 1, "booked": 1, "held": 0,
        },
        "topAccounts": [{"id": str(account.pk), "name": "Acme GmbH", "meetings": 1, "outreach": 4, "score": 14}],
    }  # fmt: skip


def test_the_dashboard_api_needs_a_show_of_ours(browser: Client) -> None:
    theirs = EventFactory.create()

    without = browser.get("/api/analytics/dashboard")
    foreign = browser.get("/api/analytics/dashboard", {"eventId": str(theirs.pk)})
    damaged = browser.get("/api/analytics/dashboard", {"eventId": "x"})

    assert (without.status_code, without.json()["error"]) == (400, "eventId required")
    assert (foreign.status_code, damaged.status_code) == (404, 422)


def test_the_stats_carry_the_last_twenty_activities_with_who_and_when(
    browser: Client, scope: None, event: Event, person: Person, rep: User
) -> None:
    for number in range(21):
        starts_at = NOW + timedelta(days=number)
        services.book(
            Plan(event=event, people=[person], starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30)),
            actor=rep,
        )

    body = browser.get("/api/dashboards/stats").json()

    assert body["totals"]["meetings"] == 21
    assert len(body["activity"]) == 20
    assert body["activity"][0]["type"] == "MEETING_SCHEDULED"
    assert body["activity"][0]["user"] == {"id": str(rep.pk), "name": str(rep)}
    assert body["activity"][0]["occurredAt"] >= body["activity"][-1]["occurredAt"]


def test_figures_are_remembered_until_something_changes(
    organization: Organization, event: Event, person: Person,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    with org_scope(organization.pk):
        before = figures(organization, event)
        MeetingFactory.create(account=person.account, event=event)
        unseen = figures(organization, event)
        with django_capture_on_commit_callbacks(execute=True):
            services.confirm(
                MeetingFactory.create(
                    account=person.account, event=event, status=Meeting.Status.REQUESTED, starts_at=NOW
                ),
                actor=None,
            )
        after = figures(organization, event)

    assert (before.meetings, unseen.meetings, after.meetings) == (0, 0, 2)


def test_drafts_written_for_a_campaign_are_on_the_dashboard_at_once(
    organization: Organization, event: Event, person: Person, rep: User,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    template = TemplateFactory.create(organization=organization)
    mailbox = MailboxFactory.create(organization=organization)
    with org_scope(organization.pk):
        before = figures(organization, event).outreach
        with django_capture_on_commit_callbacks() as callbacks:
            start_campaign(
                organization, name="Invitation", event=event, template=template, mailbox=mailbox,
                people=Person.objects.for_org(organization), actor=rep,
            )  # fmt: skip
        for callback in callbacks:
            callback()

        assert (before, figures(organization, event).outreach) == (0, 1)


def test_a_change_nobody_announced_is_seen_when_it_is_folded(
    organization: Organization, event: Event, person: Person,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    with org_scope(organization.pk):
        before = figures(organization, event).outreach
    _message(event, person)
    with org_scope(organization.pk):
        unseen = figures(organization, event).outreach

    with django_capture_on_commit_callbacks(execute=True):
        folding.fold()

    with org_scope(organization.pk):
        assert (before, unseen, figures(organization, event).outreach) == (0, 0, 1)


def test_many_changes_at_once_make_the_figures_old_once(
    organization: Organization, event: Event, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    happening = Happening(kind=Kind.OUTREACH_SENT, organization_id=organization.pk, event_id=event.pk)

    with org_scope(organization.pk), django_capture_on_commit_callbacks() as callbacks:
        receivers.after_happenings([happening] * 500)

    assert len(callbacks) == 1


def test_keys_name_the_organization(organization: Organization, event: Event) -> None:
    mine = cache.remembered("x", organization_id=organization.pk, event_id=None, compute=lambda: "mine")
    theirs = cache.remembered("x", organization_id=event.pk, event_id=None, compute=lambda: "theirs")

    assert (mine, theirs) == ("mine", "theirs")


def test_ten_who_look_at_once_compute_once(organization: Organization) -> None:
    computed, seen = [], []
    start = threading.Barrier(10)

    def slowly() -> str:
        computed.append(1)
        threading.Event().wait(0.3)
        return "figures"

    def look() -> None:
        start.wait(timeout=10)
        seen.append(cache.remembered("slow", organization_id=organization.pk, event_id=None, compute=slowly))

    threads = [threading.Thread(target=look) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert (len(computed), seen) == (1, ["figures"] * 10)


def test_a_computation_that_fails_does_not_block_the_next(organization: Organization) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.remembered("y", organization_id=organization.pk, event_id=None, compute=fail)

    assert cache.remembered("y", organization_id=organization.pk, event_id=None, compute=lambda: "fine") == "fine"
    store.clear()
