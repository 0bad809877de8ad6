from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from icalendar import Calendar

from identity.models import Organization, User
from identity.scope import org_scope
from meetings import delivery, services
from meetings.calendars import as_ics
from meetings.models import Invitation, Meeting
from meetings.services import Plan
from outreach.suppressing import suppress_addresses
from tests.meetings.conftest import TEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(organization: Organization, plan: Plan, rep: User) -> Meeting:
    with org_scope(organization.pk):
        return services.book(plan, actor=rep)


def _invite(meeting: Meeting, actor: User) -> list[Invitation]:
    with org_scope(meeting.organization_id):
        return services.send_invitations(meeting, actor=actor)


def _states(meeting: Meeting) -> list[tuple[str, int, str]]:
    with org_scope(meeting.organization_id):
        return list(meeting.invitations.order_by("created_at").values_list("method", "sequence", "status"))


def _entry(message: object) -> dict[str, object]:
    part = next(p for p in message.message().walk() if p.get_content_type() == "text/calendar")
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    event = calendar.walk("VEVENT")[0]
    return {"method": calendar["METHOD"], "uid": event["UID"], "sequence": event["SEQUENCE"], "status": event["STATUS"]}


def test_an_invitation_is_sent_once_however_often_it_rings(meeting: Meeting, rep: User) -> None:
    [invitation] = _invite(meeting, rep)

    delivery.deliver(invitation.pk)
    delivery.deliver(invitation.pk)
    _invite(meeting, rep)

    [message] = mail.outbox
    assert (message.to, message.reply_to, message.subject) == (
        ["ada@acme.example"],
        ["rep@example.com"],
        "Invitation: Introduction with Acme GmbH",
    )
    assert "Tuesday 8 December 2026, 10:00 to 10:30 (Europe/Berlin)" in message.body
    assert _entry(message) == {
        "method": "REQUEST",
        "uid": f"{meeting.pk}@eventops",
        "sequence": 0,
        "status": "CONFIRMED",
    }
    assert _states(meeting) == [("REQUEST", 0, "sent")]


def test_a_move_and_a_cancellation_keep_the_uid_and_count_on(meeting: Meeting, plan: Plan, rep: User) -> None:
    delivery.deliver(_invite(meeting, rep)[0].pk)
    with org_scope(meeting.organization_id):
        later = replace(plan, starts_at=TEN + timedelta(hours=1), ends_at=TEN + timedelta(hours=2))
        services.change(meeting, later, actor=rep)
    delivery.deliver(_invite(meeting, rep)[0].pk)
    with org_scope(meeting.organization_id):
        services.cancel(meeting, actor=rep)
    delivery.deliver(_invite(meeting, rep)[0].pk)

    entries = [_entry(message) for message in mail.outbox]

    assert {entry["uid"] for entry in entries} == {f"{meeting.pk}@eventops"}
    assert [(e["method"], e["sequence"], e["status"]) for e in entries] == [
        ("REQUEST", 0, "CONFIRMED"),
        ("REQUEST", 1, "CONFIRMED"),
        ("CANCEL", 2, "CANCELLED"),
    ]


def test_a_cancellation_goes_only_to_who_was_invited(meeting: Meeting, rep: User) -> None:
    with org_scope(meeting.organization_id):
        services.cancel(meeting, actor=rep)

    assert _invite(meeting, rep) == []


def test_a_mail_that_was_overtaken_by_a_change_is_not_sent(meeting: Meeting, rep: User) -> None:
    [invitation] = _invite(meeting, rep)
    with org_scope(meeting.organization_id):
        services.cancel(meeting, actor=rep)

    delivery.deliver(invitation.pk)

    assert mail.outbox == []
    assert _states(meeting) == [("REQUEST", 0, "skipped")]


def test_an_address_that_asked_us_to_stop_gets_nothing(meeting: Meeting, rep: User) -> None:
    [invitation] = _invite(meeting, rep)
    with org_scope(meeting.organization_id):
        suppress_addresses(meeting.organization, addresses=["ada@acme.example"], reason="unsubscribed", source="link")

    delivery.deliver(invitation.pk)

    assert mail.outbox == []
    assert _states(meeting) == [("REQUEST", 0, "skipped")]


def test_the_sweep_sends_what_no_bell_rang_for(meeting: Meeting, rep: User) -> None:
    [invitation] = _invite(meeting, rep)
    with org_scope(meeting.organization_id):
        Invitation.objects.filter(pk=invitation.pk).update(created_at=datetime.now(tz=UTC) - timedelta(minutes=1))

    delivery.sweep()
    delivery.sweep()

    assert len(mail.outbox) == 1


def test_a_claim_that_never_ended_is_unknown_and_stays_unsent(meeting: Meeting, rep: User) -> None:
    [invitation] = _invite(meeting, rep)
    with org_scope(meeting.organization_id):
        Invitation.objects.update(status="sending", claimed_at=datetime.now(tz=UTC) - timedelta(hours=1))

    delivery.sweep()
    delivery.deliver(invitation.pk)

    assert mail.outbox == []
    assert _states(meeting) == [("REQUEST", 0, "unknown")]


@pytest.mark.parametrize(
    ("moment", "local"),
    [
        (datetime(2026, 10, 24, 8, 0, tzinfo=UTC), "20261024T100000"),
        (datetime(2026, 10, 25, 9, 0, tzinfo=UTC), "20261025T100000"),
        (datetime(2026, 3, 28, 9, 0, tzinfo=UTC), "20260328T100000"),
        (datetime(2026, 3, 29, 8, 0, tzinfo=UTC), "20260329T100000"),
    ],
)
def test_ten_in_berlin_is_ten_on_both_sides_of_the_clock_change(
    scope: None, plan: Plan, rep: User, moment: datetime, local: str
) -> None:
    meeting = services.book(replace(plan, starts_at=moment, ends_at=moment + timedelta(minutes=30)), actor=rep)

    text = as_ics(meeting).decode().replace("\r\n ", "")

    calendar = Calendar.from_ical(text)
    assert f"DTSTART;TZID=Europe/Berlin:{local}" in text
    assert calendar.walk("VEVENT")[0].decoded("dtstart") == moment
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
