"""Held accounts: who has to decide, what a decision does, and where it is written down."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.models import Activity
from identity.scope import org_scope
from outreach import guard, switches
from outreach.models import AccountHold, Message
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    EventFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    TargetAccountFactory,
)


@pytest.fixture
def acme(organization):
    return AccountFactory.create(organization=organization, name="Acme GmbH")


@pytest.fixture
def held(organization, acme):
    """Acme is held since somebody there answered, and a mail of a campaign waits for a colleague."""
    mailbox = MailboxFactory.create(organization=organization)
    person = PersonFactory.create(account=acme)
    MessageFactory.create(
        person=person, mailbox=mailbox, campaign=CampaignFactory.create(mailbox=mailbox, status="sending"),
        due_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    with org_scope(organization.pk):
        return guard.hold_account(organization.pk, acme.pk, cause="reply", reason="Ada answered: yes.")


def again(hold: AccountHold) -> AccountHold:
    with org_scope(hold.organization_id):
        return AccountHold.objects.select_related("lifted_by").get(pk=hold.pk)


def mail_state(organization) -> tuple[str, str]:
    with org_scope(organization.pk):
        mail = Message.objects.get()
    return mail.state, mail.cause


def told(organization) -> list[tuple[str, str]]:
    with org_scope(organization.pk):
        return list(Activity.objects.filter(kind="MAIL_DECIDED").values_list("summary", "actor__name"))


def test_the_owner_sees_the_account_and_others_do_not(organization, acme, held, rep, manager, client_for):
    with org_scope(organization.pk):
        type(acme).objects.filter(pk=acme.pk).update(owner=rep)

    mine = client_for(rep).get("/outreach/holds/").content.decode()
    theirs = client_for(manager).get("/outreach/holds/").content.decode()
    everything = client_for(manager).get("/outreach/holds/?show=all").content.decode()

    assert "Acme GmbH" in mine
    assert "Ada answered: yes." in mine
    assert "Acme GmbH" not in theirs
    assert "Acme GmbH" in everything


def test_an_owner_at_a_show_counts_and_nobodys_account_is_everybodys(
    organization, acme, held, rep, manager, client_for
):
    nobodys = "Acme GmbH" in client_for(manager).get("/outreach/holds/").content.decode()
    show = EventFactory.create(organization=organization)
    TargetAccountFactory.create(account=acme, event=show, owner=rep)

    assert nobodys
    assert "Acme GmbH" not in client_for(manager).get("/outreach/holds/").content.decode()
    assert "Acme GmbH" in client_for(rep).get("/outreach/holds/").content.decode()


def test_today_counts_what_is_for_me(organization, acme, held, rep, manager, event, client_for):
    with org_scope(organization.pk):
        type(acme).objects.filter(pk=acme.pk).update(owner=rep)

    words = "held accounts wait for your decision"
    assert words in client_for(rep).get("/").content.decode()
    assert words not in client_for(manager).get("/").content.decode()


def test_releasing_is_written_down(organization, acme, held, rep, client_for):
    answer = client_for(rep).post(
        f"/outreach/holds/{held.pk}/decide/", {"decision": "release", "next": "/outreach/holds/"}
    )

    assert answer["Location"] == "/outreach/holds/"
    assert again(held).lifted_by == rep
    assert mail_state(organization) == ("queued", "")
    assert told(organization) == [("Automatic mail goes on", rep.name)]
    assert rep.name in client_for(rep).get("/outreach/holds/?show=decided").content.decode()


def test_ending_it_cancels_what_is_planned_and_lifts_the_hold(organization, acme, held, rep, client_for):
    client_for(rep).post(f"/outreach/holds/{held.pk}/decide/", {"decision": "stop", "reason": "Customer already."})

    assert again(held).lift_reason == "Automatic mail to everybody there was ended. Customer already."
    assert mail_state(organization)[0] == "cancelled"
    assert told(organization) == [("Automatic mail to everybody there was ended: Customer already.", rep.name)]


def test_holding_until_a_day_ends_by_itself(organization, acme, held, rep, client_for):
    day = timezone.localdate() + timedelta(days=5)

    client_for(rep).post(f"/outreach/holds/{held.pk}/decide/", {"decision": "until", "until": day.isoformat()})

    found = again(held)
    assert found.lifted_at is None
    assert found.until == timezone.make_aware(datetime.combine(day, time()))
    assert mail_state(organization) == ("queued", "account_held")
    assert [name for _, name in told(organization)] == [rep.name]


@pytest.mark.parametrize(
    "form", [{}, {"decision": "x"}, {"decision": "until"}, {"decision": "until", "until": "2020-01-01"}]
)
def test_a_decision_that_makes_no_sense_changes_nothing(organization, acme, held, rep, client_for, form):
    client = client_for(rep)

    client.post(f"/outreach/holds/{held.pk}/decide/", form)

    assert (again(held).lifted_at, again(held).until, told(organization)) == (None, None, [])
    assert "Nothing was changed." in client.get(f"/accounts/{acme.pk}/").content.decode()


def test_deciding_twice_does_it_once(organization, acme, held, rep, client_for):
    for decision in ("release", "stop", "release"):
        client_for(rep).post(f"/outreach/holds/{held.pk}/decide/", {"decision": decision})

    assert len(told(organization)) == 1
    assert mail_state(organization)[0] == "queued"


def test_the_list_asks_the_same_number_of_questions_for_any_number(organization, held, rep, client_for):
    client = client_for(rep)
    client.get("/outreach/holds/?show=all")
    with CaptureQueriesContext(connection) as one:
        client.get("/outreach/holds/?show=all")
    with org_scope(organization.pk):
        for _ in range(3):
            account = AccountFactory.create(organization=organization)
            guard.hold_account(organization.pk, account.pk, cause="manual", reason="Talks.", held_by=rep)
    with CaptureQueriesContext(connection) as four:
        client.get("/outreach/holds/?show=all")

    assert len(four) == len(one)


def test_every_stop_of_sending_is_listed_with_who_and_why(organization, admin_member, viewer, client_for):
    with org_scope(organization.pk):
        switches.stop(organization, reason="Wrong list", actor=admin_member)
        switches.start(organization, actor=admin_member, reason="Mended")
        switches.stop(organization, reason="Server moves", actor=None)

    text = client_for(viewer).get("/outreach/mailboxes/stops/").content.decode()

    assert [words for words in ("Wrong list", "Mended", "Server moves", "An operator", "Stopped now") if words in text] == [
        "Wrong list", "Mended", "Server moves", "An operator", "Stopped now",
    ]  # fmt: skip
    assert text.count(admin_member.name) >= 2
