"""The database itself refuses to seat a rep or a table twice."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection

from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from meetings.models import BoothTable, Meeting
from tests.factories import AccountFactory, BoothTableFactory, MeetingFactory


@pytest.fixture
def meeting(event: Event, rep: User) -> Meeting:
    table = BoothTableFactory.create(event=event, name="Table 1")
    return MeetingFactory.create(
        account=AccountFactory.create(organization=event.organization), event=event, rep=rep, table=table
    )


def _another(meeting: Meeting, **changes: object) -> Meeting:
    values = {
        "account": meeting.account, "event": meeting.event, "starts_at": meeting.starts_at + timedelta(minutes=15)
    }  # fmt: skip
    return MeetingFactory.create(**{**values, **changes})


def test_a_rep_cannot_sit_in_two_meetings(meeting: Meeting) -> None:
    with pytest.raises(IntegrityError, match="meeting_rep_sits_in_one_at_a_time"):
        _another(meeting, rep=meeting.rep)


def test_a_table_cannot_hold_two_meetings(meeting: Meeting) -> None:
    with pytest.raises(IntegrityError, match="meeting_table_holds_one_at_a_time"):
        _another(meeting, table=meeting.table)


def test_back_to_back_is_fine(meeting: Meeting) -> None:
    following = _another(meeting, rep=meeting.rep, table=meeting.table, starts_at=meeting.ends_at)

    assert following.starts_at == meeting.ends_at


@pytest.mark.parametrize("status", [Meeting.Status.NO_SHOW, Meeting.Status.CANCELLED])
def test_a_meeting_that_did_not_happen_frees_its_place(meeting: Meeting, status: Meeting.Status) -> None:
    with org_scope(meeting.organization_id):
        meeting.status = status
        meeting.cancelled_at = meeting.starts_at if status == Meeting.Status.CANCELLED else None
        meeting.save()

    again = _another(meeting, rep=meeting.rep, table=meeting.table)

    assert again.pk != meeting.pk


def test_another_organization_seats_its_people_as_it_likes(meeting: Meeting) -> None:
    theirs = MeetingFactory.create(rep=meeting.rep, starts_at=meeting.starts_at)

    assert theirs.organization_id != meeting.organization_id


@pytest.mark.django_db(transaction=True)
def test_two_connections_at_once_book_a_table_once(organization: Organization, event: Event) -> None:
    table: BoothTable = BoothTableFactory.create(event=event)
    account = AccountFactory.create(organization=organization)
    start, outcomes = threading.Barrier(2), []

    def book() -> None:
        try:
            with org_scope(organization.pk):
                start.wait(timeout=10)
                Meeting.objects.create(
                    organization=organization, event=event, account=account, title="Demo", table=table,
                    starts_at=MeetingFactory.starts_at, ends_at=MeetingFactory.starts_at + timedelta(minutes=30),
                )  # fmt: skip
            outcomes.append("booked")
        except (IntegrityError, OperationalError):
            # Two that wait for each other's row are told apart as a deadlock; the services queue up to avoid that.
            outcomes.append("refused")
        finally:
            connection.close()

    _run_together(book, book)

    assert sorted(outcomes) == ["booked", "refused"]


def _run_together(*jobs: Callable[[], None]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
