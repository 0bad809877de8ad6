import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection

from accounts.models import Account, TargetAccount
from activities.models import Activity, Task
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from meetings import services
from meetings.models import BoothTable, Meeting
from meetings.services import Plan
from people.models import Person
from tests.factories import BoothTableFactory, MembershipFactory, PersonFactory
from tests.meetings.conftest import TEN


def _target(account: Account) -> tuple[str, str]:
    target = TargetAccount.objects.get(account=account)
    return target.stage, target.status


def _kinds() -> list[str]:
    return list(Activity.objects.order_by("occurred_at", "id").values_list("kind", flat=True))


def test_booking_names_the_meeting_and_moves_the_account_on(
    scope: None, plan: Plan, rep: User, account: Account
) -> None:
    meeting = services.book(plan, actor=rep)

    assert (meeting.title, meeting.status, meeting.account) == (
        "Introduction with Acme GmbH",
        Meeting.Status.CONFIRMED,
        account,
    )
    assert [(a.person.name, a.is_primary) for a in meeting.attendees.all()] == [("Ada Lovelace", True)]
    assert _target(account) == ("Booked", "MEETING_SCHEDULED")
    entry = Activity.objects.get()
    assert (entry.kind, entry.actor, entry.account, entry.person.name) == (
        "MEETING_SCHEDULED",
        rep,
        account,
        "Ada Lovelace",
    )
    assert entry.summary == "Introduction with Acme GmbH: booked for Tue 8 Dec, 10:00, Table 1"


def test_a_request_books_nothing_until_it_is_confirmed(scope: None, plan: Plan, rep: User, account: Account) -> None:
    meeting = services.request_meeting(plan, actor=rep)
    requested = _target(account)

    services.confirm(meeting, actor=rep)

    assert requested == ("Lead", "PROSPECTING")
    assert _target(account) == ("Booked", "MEETING_SCHEDULED")
    assert _kinds() == ["MEETING_SCHEDULED", "MEETING_CONFIRMED"]


def test_from_check_in_to_held(scope: None, plan: Plan, rep: User, account: Account) -> None:
    meeting = services.book(plan, actor=rep)

    services.check_in(meeting, actor=rep)
    checked_in = _target(account)
    held = services.hold(meeting, actor=rep, outcome="Wants a pilot in spring.")

    assert checked_in == ("Checked In", "MEETING_SCHEDULED")
    assert (held.status, held.outcome) == (Meeting.Status.HELD, "Wants a pilot in spring.")
    assert _kinds() == ["MEETING_SCHEDULED", "MEETING_COMPLETED"]


def test_a_no_show_leaves_a_task_for_the_same_day(scope: None, plan: Plan, rep: User, account: Account) -> None:
    meeting = services.book(plan, actor=rep)

    with time_machine.travel(TEN + timedelta(minutes=20), tick=False):
        services.mark_no_show(meeting, actor=rep)

    task = Task.objects.get()
    assert (task.title, task.assignee, task.due_on) == (
        "Offer Ada Lovelace a new time after the no-show",
        rep,
        date(2026, 12, 8),
    )
    assert _target(account)[0] == "No Show"
    assert set(_kinds()) == {"MEETING_SCHEDULED", "MEETING_NO_SHOW", "TASK_ADDED"}


def test_nobody_misses_a_meeting_that_has_not_begun(scope: None, plan: Plan, rep: User) -> None:
    meeting = services.book(plan, actor=rep)

    with time_machine.travel(TEN - timedelta(minutes=1)), pytest.raises(services.WrongStatus, match="not begun"):
        services.mark_no_show(meeting, actor=rep)


def test_cancelling_frees_the_place_and_returns_the_account(
    scope: None, plan: Plan, rep: User, account: Account
) -> None:
    meeting = services.book(plan, actor=rep)

    cancelled = services.cancel(meeting, actor=rep, reason="Travel ban")
    again = services.book(plan, actor=rep)

    assert (cancelled.status, cancelled.sequence, cancelled.cancel_reason) == ("cancelled", 1, "Travel ban")
    assert again.status == Meeting.Status.CONFIRMED
    services.cancel(again, actor=rep)
    assert _target(account) == ("Qualified", "ENGAGED")


def test_a_result_is_not_overwritten(scope: None, plan: Plan, rep: User, account: Account) -> None:
    TargetAccount.objects.filter(account=account).update(status="WON")

    services.book(plan, actor=rep)

    assert _target(account) == ("Booked", "WON")


def test_a_taken_table_says_who_has_it_and_what_is_free(
    scope: None, plan: Plan, rep: User, manager: User, event: Event
) -> None:
    BoothTableFactory.create(event=event, name="Table 2")
    with time_machine.travel(TEN - timedelta(days=3)):
        services.book(plan, actor=rep)

        with pytest.raises(services.Taken) as refused:
            services.book(replace(plan, rep=manager), actor=rep)

    assert str(refused.value) == (
        "Table 1 is taken from 10:00 to 10:30: Introduction with Acme GmbH. "
        "Free at that time: Table 2. Next free times: 09:00, 09:30, 10:30."
    )
    assert [conflict.what for conflict in refused.value.conflicts] == ["table"]


def test_a_taken_rep_gets_other_reps_offered(scope: None, plan: Plan, rep: User, manager: User) -> None:
    services.book(plan, actor=rep)

    with pytest.raises(services.Taken) as refused:
        services.book(replace(plan, table=None), actor=rep)

    assert refused.value.offers.reps == [manager]


def test_moving_counts_the_change_and_keeps_its_own_place(scope: None, plan: Plan, rep: User) -> None:
    meeting = services.book(plan, actor=rep)

    moved = services.change(
        meeting, replace(plan, starts_at=TEN + timedelta(minutes=15), ends_at=TEN + timedelta(minutes=45)), actor=rep
    )
    same = services.change(moved, replace(plan, starts_at=moved.starts_at, ends_at=moved.ends_at, notes="x"), actor=rep)

    assert (moved.sequence, same.sequence) == (1, 1)
    assert _kinds() == ["MEETING_SCHEDULED", "MEETING_MOVED"]


def test_a_meeting_that_is_over_is_not_moved(scope: None, plan: Plan, rep: User) -> None:
    meeting = services.hold(services.book(plan, actor=rep), actor=rep)

    with pytest.raises(services.WrongStatus, match="book a new one"):
        services.change(meeting, replace(plan, ends_at=TEN + timedelta(hours=1)), actor=rep)


def test_people_can_join_and_the_first_is_primary(scope: None, plan: Plan, rep: User, account: Account) -> None:
    meeting = services.book(plan, actor=rep)
    grace = PersonFactory.create(account=account, name="Grace Hopper")

    services.change(meeting, replace(plan, people=[grace, *plan.people]), actor=rep)

    assert [(a.person.name, a.is_primary) for a in meeting.attendees.all()] == [
        ("Grace Hopper", True),
        ("Ada Lovelace", False),
    ]


def test_a_viewer_or_a_stranger_cannot_be_booked(scope: None, plan: Plan, viewer: User, stranger: User) -> None:
    for user in (viewer, stranger):
        with pytest.raises(services.NotAMember):
            services.book(replace(plan, rep=user), actor=None)


def test_more_people_than_seats_are_refused(scope: None, plan: Plan, person: Person, event: Event) -> None:
    small: BoothTable = BoothTableFactory.create(event=event, name="Bar", seats=1)

    with pytest.raises(services.TableUnfit, match="Bar has 1 seats, but 2 people"):
        services.book(replace(plan, table=small), actor=None)


def test_a_meeting_needs_somebody(scope: None, plan: Plan) -> None:
    with pytest.raises(services.NobodyToMeet):
        services.book(replace(plan, people=[]), actor=None)


def test_reopening_is_refused_when_the_place_is_gone(scope: None, plan: Plan, rep: User) -> None:
    first = services.cancel(services.book(plan, actor=rep), actor=rep)
    services.book(plan, actor=rep)

    with pytest.raises(services.Taken):
        services.reopen(first, actor=rep)


@pytest.mark.django_db(transaction=True)
def test_two_managers_click_at_once_and_one_gets_a_clear_answer(
    organization: Organization, plan: Plan, rep: User
) -> None:
    other = MembershipFactory.create(organization=organization).user
    start, outcomes = threading.Barrier(2), []

    def click(who: User) -> None:
        try:
            with org_scope(organization.pk):
                start.wait(timeout=10)
                services.book(replace(plan, rep=who), actor=who)
            outcomes.append("booked")
        except services.Taken as refused:
            outcomes.append(refused.conflicts[0].name)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[who]) for who in (rep, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(outcomes) == ["Table 1", "booked"]
