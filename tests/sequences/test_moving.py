"""Where people go on: by another version, at another step, and after somebody has decided."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import bulk
from accounts.models import BulkJob
from identity.scope import org_scope
from outreach import guard
from outreach.models import AccountHold, Message
from sequences.models import Enrollment, Sequence, Step
from sequences.services import enrollments, plans
from tests.factories import EventFactory, PersonFactory, TemplateFactory


@pytest.fixture
def two_steps(publish):
    return publish({"kind": "email"}, {"kind": "call", "subject": "Call", "delay_days": 2})


@pytest.fixture
def in_bulk(organization, sequence, rep, client_for):
    """Run a bulk action on everybody in the sequence; answers with the job as it ended."""

    def run(action: str, **form: str) -> BulkJob:
        fields = {"action": action, "all": "1", "query": f"sequence={sequence.pk}", "sure": "1", **form}
        client_for(rep).post("/sequences/people/bulk/", fields)
        with org_scope(organization.pk):
            job = BulkJob.objects.latest("created_at")
        bulk.run(job.pk, organization.pk)
        with org_scope(organization.pk):
            return BulkJob.objects.get(pk=job.pk)

    return run


def colleague_of(person):
    return PersonFactory.create(account=person.account)


def hold(person, **values) -> AccountHold:
    with org_scope(person.organization_id):
        held = guard.hold_account(
            person.organization_id, person.account_id, cause="reply", reason="Ada answered.", **values
        )
    assert held
    return held


def make_late(organization, person, mails_to, turn) -> None:
    with org_scope(organization.pk):
        past = timezone.now() - timedelta(minutes=1)
        Message.objects.filter(person=person).update(due_at=past, not_after=past)
    turn()


def test_everybody_goes_on_by_the_newest_version(
    organization, sequence, two_steps, enroll, person, where, mails_to, rep, in_bulk
):
    enroll(person)
    other = TemplateFactory.create(organization=organization, name="Kinder words")
    with org_scope(organization.pk):
        mail = sequence.steps.get(kind="email")
        plans.change_step(mail, fields={"template": other})
        plans.add_step(sequence, fields={"kind": "visit", "subject": "Visit"})
        newest = plans.publish(sequence, actor=rep)
    due = mails_to(person)[0].due_at

    job = in_bulk("move", step="")

    (planned,) = mails_to(person)
    assert (job.changed, job.left_out) == (1, {})
    assert where(person).version_id == newest.pk
    assert (planned.template_id, planned.due_at, planned.state) == (other.pk, due, "queued")


def test_those_whose_step_is_gone_stay_and_the_reason_is_said(
    organization, sequence, two_steps, enroll, person, where, rep, in_bulk
):
    enroll(person)
    with org_scope(organization.pk):
        plans.remove_step(sequence.steps.get(kind="email"))
        plans.publish(sequence, actor=rep)

    job = in_bulk("move", step="")

    assert job.left_out == {"Their step is not in version 2: choose the step to go on with.": 1}
    assert where(person).version_id == two_steps.pk


def test_everybody_is_moved_to_a_step_of_the_newest_version(
    organization, sequence, two_steps, enroll, person, where, mails_to, rep, in_bulk
):
    other = colleague_of(person)
    enroll(person, other)
    with org_scope(organization.pk):
        visit = plans.add_step(sequence, fields={"kind": "visit", "subject": "Visit"})
        newest = plans.publish(sequence, actor=rep)

    job = in_bulk("move", step=str(visit.pk))

    assert job.changed == 2
    assert {(where(one).step_id, where(one).version_id) for one in (person, other)} == {(visit.pk, newest.pk)}
    assert [mail.state for mail in mails_to(person)] == ["cancelled"]


def test_a_move_asks_where_to(organization, sequence, two_steps, enroll, person, rep, client_for):
    enroll(person)
    fields = {"action": "move", "all": "1", "query": f"sequence={sequence.pk}"}
    client = client_for(rep)

    asked = client.post("/sequences/people/bulk/", fields).content.decode()
    refused = client.post("/sequences/people/bulk/", {**fields, "sure": "1", "step": "nowhere"})

    assert "Where they stand, by version 1" in asked
    assert "2. Call" in asked
    assert refused.status_code == 422


def test_a_late_mail_is_released_from_the_list(
    organization, sequence, two_steps, enroll, person, where, mails_to, turn, rep, client_for
):
    enroll(person)
    make_late(organization, person, mails_to, turn)
    before = where(person).cause
    client = client_for(rep)

    page = client.get(f"/sequences/people/?sequence={sequence.pk}").content.decode()
    answer = client.post(f"/sequences/people/{where(person).pk}/release/", {"back": "list"})

    assert before == "late"
    assert "Release<span" in page
    assert answer["Location"] == f"/sequences/people/?sequence={sequence.pk}"
    assert (where(person).state, where(person).cause) == ("waiting", "mail")
    turn()
    assert [mail.state for mail in mails_to(person)] == ["accepted"]


def test_a_late_mail_released_on_its_own_page_counts_too(
    organization, two_steps, enroll, person, where, mails_to, turn, rep, client_for
):
    enroll(person)
    make_late(organization, person, mails_to, turn)

    client_for(rep).post(f"/outreach/messages/{mails_to(person)[0].pk}/decide/", {"decision": "again"})

    assert where(person).cause == "mail"


def test_releasing_somebody_releases_the_account_by_name(organization, two_steps, enroll, person, where, rep, in_bulk):
    other = colleague_of(person)
    enroll(person, other)
    held = hold(person)

    job = in_bulk("release")

    with org_scope(organization.pk):
        held.refresh_from_db()
    assert {where(one).cause for one in (person, other)} == {"mail"}
    assert held.lifted_by == rep
    assert (job.changed, job.left_out) == (1, {"Is on the way already.": 1})


def test_a_mail_that_may_have_left_is_not_released_in_bulk(organization, two_steps, enroll, person, mails_to, in_bulk):
    enroll(person)
    with org_scope(organization.pk):
        Enrollment.objects.update(state="held", cause="mail_held")

    job = in_bulk("release")

    assert job.left_out == {"Decide on the mail first, or skip the step.": 1}
    assert [mail.state for mail in mails_to(person)] == ["queued"]


def test_whose_show_was_gone_goes_on_with_the_new_one(
    organization, sequence, publish, enroll, person, where, rep, in_bulk
):
    publish({"kind": "call", "subject": "Call", "delay_days": 3, "delay_from": "event_end"})
    enroll(person)
    with org_scope(organization.pk):
        Enrollment.objects.update(state="held", cause="no_event", event=None, due_at=None)
        Sequence.objects.update(event=None)
    refused = in_bulk("release")
    show = EventFactory.create(organization=organization)
    with org_scope(organization.pk):
        Sequence.objects.update(event=show)

    in_bulk("release")

    assert refused.left_out == {"Choose the show of the sequence first.": 1}
    assert (where(person).state, where(person).event_id) == ("active", show.pk)


def test_a_paused_sequence_is_not_released_one_by_one(organization, sequence, two_steps, enroll, person, in_bulk):
    enroll(person)
    with org_scope(organization.pk):
        enrollments.pause_sequence(Sequence.objects.get(pk=sequence.pk))

    job = in_bulk("release")

    assert job.left_out == {"The sequence is paused: let it go on.": 1}
    with org_scope(organization.pk):
        assert Step.objects.count() == 2
