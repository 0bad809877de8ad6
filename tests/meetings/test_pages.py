from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from meetings import services
from meetings.models import BoothTable, Meeting, Schedule
from meetings.services import Plan
from people.models import Person
from tests.factories import AttendeeFactory, BoothTableFactory, MeetingFactory
from tests.meetings.conftest import TEN

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client_for: Callable[[User], Client], rep: User, event: Event) -> Client:
    return client_for(rep)


@pytest.fixture
def meeting(organization: Organization, plan: Plan, rep: User) -> Meeting:
    with org_scope(organization.pk):
        return services.book(plan, actor=rep)


def _booking(person: Person, table: BoothTable, rep: User, **changes: object) -> dict[str, object]:
    values = {
        "people": [str(person.pk)], "meeting_type": "DEMO", "day": "2026-12-08", "start": "10:00", "minutes": "30",
        "rep": str(rep.pk), "table": str(table.pk), "is_agreed": "on",
    }  # fmt: skip
    return {**values, **changes}


def _all(organization: Organization) -> list[Meeting]:
    with org_scope(organization.pk):
        return list(Meeting.objects.order_by("created_at").select_related("event"))


def test_booking_from_the_form(
    browser: Client, organization: Organization, person: Person, table: BoothTable, rep: User
) -> None:
    response = browser.post("/meetings/new/", _booking(person, table, rep))

    [meeting] = _all(organization)
    assert (response.status_code, response["Location"]) == (302, f"/meetings/{meeting.pk}/")
    assert (meeting.starts_at, meeting.minutes, meeting.meeting_type, meeting.title) == (
        TEN, 30, "DEMO", "Demo with Acme GmbH",
    )  # fmt: skip


def test_the_dialog_answers_with_a_redirect_of_its_own(
    browser: Client, person: Person, table: BoothTable, rep: User
) -> None:
    page = browser.get("/meetings/new/", headers=HTMX)
    response = browser.post("/meetings/new/", _booking(person, table, rep, next="/meetings/grid/"), headers=HTMX)

    assert "<html" not in page.text
    assert (response.status_code, response["HX-Redirect"]) == (200, "/meetings/grid/")


def test_next_never_leads_elsewhere(browser: Client, person: Person, table: BoothTable, rep: User) -> None:
    response = browser.post("/meetings/new/", _booking(person, table, rep, next="https://evil.example/"))

    assert response["Location"].startswith("/meetings/")


def test_a_taken_table_offers_others_and_takes_one_at_a_click(
    browser: Client, meeting: Meeting, person: Person, table: BoothTable, manager: User, event: Event
) -> None:
    second = BoothTableFactory.create(event=event, name="Table 2")
    wish = _booking(person, table, manager)

    refused = browser.post("/meetings/new/", wish)
    accepted = browser.post("/meetings/new/", {**wish, "instead": f"table:{second.pk}"})

    assert refused.status_code == 422
    assert "Table 1 is taken from 10:00 to 10:30: Introduction with Acme GmbH." in refused.text
    assert f'value="table:{second.pk}"' in refused.text
    assert accepted.status_code == 302
    assert [m.table_id for m in _all(event.organization)] == [table.pk, second.pk]


def test_a_form_without_anybody_is_422_and_keeps_what_was_typed(
    browser: Client, person: Person, table: BoothTable, rep: User
) -> None:
    response = browser.post("/meetings/new/", _booking(person, table, rep, people=[], location="Café Nord"))

    assert response.status_code == 422
    assert "Choose at least one person or a company to meet." in response.text
    assert 'value="Café Nord"' in response.text


def test_a_time_that_the_clocks_skip_is_refused(browser: Client, person: Person, table: BoothTable, rep: User) -> None:
    response = browser.post("/meetings/new/", _booking(person, table, rep, day="2027-03-28", start="02:30"))

    assert response.status_code == 422
    assert "The clocks skip this time on that day." in response.text


def test_people_of_another_organization_cannot_be_invited(
    browser: Client, organization: Organization, table: BoothTable, rep: User
) -> None:
    theirs = AttendeeFactory.create().person

    response = browser.post("/meetings/new/", _booking(theirs, table, rep))

    assert (response.status_code, _all(organization)) == (422, [])


def test_people_are_found_as_typed(browser: Client, person: Person) -> None:
    found = browser.get("/meetings/people/", {"q": "lovel"}, headers=HTMX)
    nobody = browser.get("/meetings/people/", {"q": "zzzzqqq"}, headers=HTMX)

    assert str(person.pk) in found.text
    assert "Nobody is called that." in nobody.text


def test_moving_a_meeting_and_telling_the_attendees(
    browser: Client, meeting: Meeting, person: Person, table: BoothTable, rep: User,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks():
        response = browser.post(
            f"/meetings/{meeting.pk}/edit/", _booking(person, table, rep, start="11:00", tell="on", title="Demo")
        )

    with org_scope(meeting.organization_id):
        moved = Meeting.objects.get()
        mails = list(moved.invitations.values_list("method", "sequence", "status"))
    assert response.status_code == 302
    assert (moved.starts_at, moved.sequence, moved.title) == (TEN + timedelta(hours=1), 1, "Demo")
    assert mails == [("REQUEST", 1, "queued")]


@pytest.mark.parametrize(
    ("action", "status"),
    [("check-in", "checked_in"), ("held", "held"), ("no-show", "no_show"), ("cancel", "cancelled")],
)
def test_closing_a_meeting(
    client_for: Callable[[User], Client],
    rep: User,
    organization: Organization,
    meeting: Meeting,
    action: str,
    status: str,
) -> None:
    with time_machine.travel(TEN + timedelta(minutes=5), tick=False):
        response = client_for(rep).post(f"/meetings/{meeting.pk}/{action}/")

    assert response.status_code == 302
    assert [m.status for m in _all(organization)] == [status]


def test_checking_in_from_the_list_answers_with_the_row_and_an_undo(browser: Client, meeting: Meeting) -> None:
    response = browser.post(f"/meetings/{meeting.pk}/check-in/", {"row": "1"}, headers=HTMX)

    assert f'id="meeting-{meeting.pk}"' in response.text
    assert f"/meetings/{meeting.pk}/reopen/" in response["HX-Trigger"]


def test_what_cannot_be_done_says_why(browser: Client, meeting: Meeting) -> None:
    browser.post(f"/meetings/{meeting.pk}/held/")

    response = browser.post(f"/meetings/{meeting.pk}/cancel/")

    assert response.status_code == 422
    assert "This meeting is already held." in response.text


def test_an_unknown_action_is_404(browser: Client, meeting: Meeting) -> None:
    assert browser.post(f"/meetings/{meeting.pk}/explode/").status_code == 404


def test_the_list_narrows_by_day_rep_table_and_status(
    browser: Client, meeting: Meeting, manager: User, event: Event
) -> None:
    MeetingFactory.create(
        account=meeting.account, event=event, title="Other day", rep=manager, starts_at=TEN + timedelta(days=1),
        status="requested",
    )  # fmt: skip
    narrowed = {
        "day=2026-12-08": ["Introduction with Acme GmbH"],
        "day=2026-12-09": ["Other day"],
        "rep=me": ["Introduction with Acme GmbH"],
        f"rep={manager.pk}": ["Other day"],
        f"table={meeting.table_id}": ["Introduction with Acme GmbH"],
        "table=none": ["Other day"],
        "status=requested": ["Other day"],
        "status=requested&status=confirmed": ["Introduction with Acme GmbH", "Other day"],
        "status=nonsense&day=never&rep=x": ["Introduction with Acme GmbH", "Other day"],
        "when=past": [],
    }

    found = {query: _titles(browser.get(f"/meetings/?{query}")) for query in narrowed}

    assert found == narrowed


def _titles(response: object) -> list[str]:
    return [meeting.title for meeting in response.context["page"].items]


def test_the_list_asks_the_same_number_of_queries_for_one_and_for_many(
    browser: Client, meeting: Meeting, event: Event, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(40) as few:
        browser.get("/meetings/?when=all")
    for number in range(1, 6):
        extra = MeetingFactory.create(account=meeting.account, event=event, starts_at=TEN + timedelta(hours=number))
        AttendeeFactory.create(meeting=extra)

    with django_assert_max_num_queries(len(few)):
        browser.get("/meetings/?when=all")


def test_the_next_rows_come_alone(browser: Client, meeting: Meeting, event: Event) -> None:
    for number in range(1, 53):
        MeetingFactory.create(
            account=meeting.account, event=event, title=f"M{number}", starts_at=TEN + timedelta(hours=number)
        )

    first = browser.get("/meetings/?when=all")
    rest = browser.get(f"/meetings/{first.context['next_url']}", headers=HTMX)

    assert (len(_titles(first)), len(_titles(rest))) == (50, 3)
    assert "<html" not in rest.text


def test_the_grid_shows_blocks_free_slots_and_now(
    client_for: Callable[[User], Client], rep: User, meeting: Meeting
) -> None:
    with time_machine.travel(TEN + timedelta(hours=1, minutes=5), tick=False):
        page = client_for(rep).get("/meetings/grid/")

    assert page.context["day"] == date(2026, 12, 8)
    assert f'href="/meetings/{meeting.pk}/"' in page.text
    assert page.text.count("is-now") == 1
    assert 'aria-label="Book Table 1 at 10:00"' not in page.text
    assert 'aria-label="Book Table 1 at 10:30"' in page.text


def test_the_grid_by_rep_hatches_a_person_who_is_booked_twice(
    browser: Client, meeting: Meeting, person: Person, event: Event, manager: User
) -> None:
    second = MeetingFactory.create(account=meeting.account, event=event, title="Second", rep=manager, starts_at=TEN)
    AttendeeFactory.create(meeting=second, person=person)

    page = browser.get("/meetings/grid/?by=rep&day=2026-12-08")

    assert page.text.count("is-conflict") == 2
    assert "Ada Lovelace is also in: Second" in page.text


def test_a_no_show_leaves_its_slot_bookable(browser: Client, meeting: Meeting, rep: User) -> None:
    with org_scope(meeting.organization_id), time_machine.travel(TEN + timedelta(minutes=20), tick=False):
        services.mark_no_show(meeting, actor=rep)

    page = browser.get("/meetings/grid/?day=2026-12-08")

    assert 'aria-label="Book Table 1 at 10:00"' in page.text


def test_the_detail_page_and_its_file(browser: Client, meeting: Meeting) -> None:
    page = browser.get(f"/meetings/{meeting.pk}/")
    file = browser.get(f"/meetings/{meeting.pk}/calendar.ics")

    assert "Ada Lovelace" in page.text
    assert file["Content-Type"] == "text/calendar; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="introduction-with-acme-gmbh.ics"'


def test_an_invitation_is_only_sent_when_somebody_asks(browser: Client, meeting: Meeting) -> None:
    assert mail.outbox == []
    response = browser.post(f"/meetings/{meeting.pk}/invite/")

    with org_scope(meeting.organization_id):
        assert response.status_code == 302
        assert meeting.invitations.count() == 1


def test_pages_without_a_show_say_the_next_step(client_for: Callable[[User], Client], rep: User) -> None:
    browser = client_for(rep)

    for path in ("/meetings/", "/meetings/grid/"):
        assert "No show yet" in browser.get(path).text
    assert browser.get("/meetings/new/")["Location"] == "/meetings/"


def test_the_booth_has_hours_and_tables(
    client_for: Callable[[User], Client], manager: User, event: Event, meeting: Meeting
) -> None:
    browser = client_for(manager)

    browser.post("/meetings/booth/", {"opens_at": "10:00", "closes_at": "16:00", "slot_minutes": "60"})
    wrong = browser.post("/meetings/booth/", {"opens_at": "10:00", "closes_at": "09:00", "slot_minutes": "60"})
    added = browser.post("/meetings/booth/tables/", {"name": "Lounge", "seats": "8"})
    twice = browser.post("/meetings/booth/tables/", {"name": "lounge", "seats": "8"})
    kept = browser.post(f"/meetings/booth/tables/{meeting.table_id}/delete/", follow=True)

    with org_scope(event.organization_id):
        schedule = Schedule.objects.get()
        assert (schedule.opens_at.hour, schedule.slot_minutes) == (10, 60)
        assert set(BoothTable.objects.values_list("name", "seats")) == {("Table 1", 4), ("Lounge", 8)}
    assert (wrong.status_code, added.status_code, twice.status_code) == (422, 302, 422)
    assert "The booth must close after it opens." in wrong.text
    assert "Table 1 has meetings." in kept.text


def test_an_account_can_be_met_without_naming_anybody(
    browser: Client, organization: Organization, account: Account, person: Person, rep: User, table: BoothTable
) -> None:
    form = browser.get(f"/meetings/new/?account={account.pk}")
    browser.post("/meetings/new/", _booking(person, table, rep, people=[], account=str(account.pk)))

    assert "Ada Lovelace" in form.text
    assert [m.account_id for m in _all(organization)] == [account.pk]


def test_the_pages_of_account_and_person_show_meetings_and_offer_to_book(
    browser: Client, client_for: Callable[[User], Client], viewer: User, meeting: Meeting, person: Person
) -> None:
    of_account = browser.get(f"/accounts/{meeting.account_id}/")
    of_person = browser.get(f"/people/{person.pk}/")
    for_viewer = client_for(viewer).get(f"/people/{person.pk}/")

    assert f'href="/meetings/{meeting.pk}/"' in of_account.text
    assert f'href="/meetings/new/?account={meeting.account_id}"' in of_account.text
    assert f'href="/meetings/{meeting.pk}/"' in of_person.text
    assert f'href="/meetings/new/?person={person.pk}"' in of_person.text
    assert f"/meetings/new/?person={person.pk}" not in for_viewer.text
