"""People on the way: who gets what, when, and why somebody does not."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from activities.models import Task
from activities.services import finish_task
from eventops.demo.clock import let_pass
from identity.scope import org_scope
from outreach import delivery
from outreach.inbound import record_reply
from outreach.models import Message
from outreach.suppressing import suppress_addresses
from sequences import runner
from sequences.models import Enrollment, StepRun
from sequences.services import enrollments, moving, plans
from tests.factories import AccountFactory, InboundMailFactory, PersonFactory

MAIL = {"kind": "email"}
CALL = {"kind": "call", "subject": "Ask for a slot", "delay_days": 1}


def runs_of(person):
    with org_scope(person.organization_id):
        return list(
            StepRun.objects.for_org(person.organization_id)
            .filter(enrollment__person=person)
            .order_by("label")
            .values_list("label", "outcome")
        )


@pytest.mark.parametrize(("delay_from", "second_wait", "days_until_the_third"), [("previous", 4, 4), ("start", 7, 4)])
def test_three_mails_on_day_zero_three_and_seven(
    publish, enroll, turn, where, person, sandbox, delay_from, second_wait, days_until_the_third
):
    publish(
        MAIL,
        MAIL | {"delay_days": 3, "delay_from": delay_from},
        MAIL | {"delay_days": second_wait, "delay_from": delay_from},
    )
    enroll(person)

    turn()
    first_day = len(sandbox.world.mails)
    turn(days=2, hours=23)
    before_day_three = len(sandbox.world.mails)
    turn(hours=1)
    third_day = len(sandbox.world.mails)
    turn(days=days_until_the_third - 1, hours=23)
    before_day_seven = len(sandbox.world.mails)
    turn(hours=1)

    assert (first_day, before_day_three, third_day, before_day_seven, len(sandbox.world.mails)) == (1, 1, 2, 2, 3)
    assert (where(person).state, where(person).cause) == ("completed", "completed")
    assert runs_of(person) == [("1", "sent"), ("2", "sent"), ("3", "sent")]


def test_a_planned_mail_stands_in_the_ledger_with_its_time(publish, enroll, turn, person, mails_to, where):
    publish(MAIL, MAIL | {"delay_days": 3})
    enroll(person)

    turn()

    first, second = mails_to(person)
    assert (first.state, second.state) == ("accepted", "queued")
    assert (second.due_at - first.sent_at).days == 3
    assert (where(person).state, where(person).cause, where(person).message_id) == ("waiting", "mail", second.pk)


def test_a_follow_up_goes_on_in_the_thread_of_the_first_mail(publish, enroll, turn, person, sandbox, mails_to):
    publish(MAIL, MAIL | {"delay_days": 1})
    enroll(person)

    turn()
    turn(days=1)

    first, second = sandbox.world.mails.values()
    own_id = mails_to(person)[0].mail_message_id
    assert (first.subject, second.subject) == ("Acme GmbH at the show", "Re: Acme GmbH at the show")
    assert (second.headers["In-Reply-To"], second.headers["References"]) == (own_id, own_id)
    assert "In-Reply-To" not in first.headers


def test_words_are_those_of_the_template_when_the_mail_leaves(publish, enroll, turn, person, template, sandbox):
    publish(MAIL | {"delay_days": 1})
    enroll(person)
    with org_scope(template.organization_id):
        template.subject = "Corrected"
        template.save()

    turn(days=1)

    [mail] = sandbox.world.mails.values()
    assert mail.subject == "Corrected"


def test_an_answer_stops_everything_and_the_next_mail_never_leaves(
    publish, enroll, turn, person, sandbox, where, mails_to
):
    publish(MAIL, MAIL | {"delay_days": 1})
    enroll(person)
    turn()

    answered = mails_to(person)[0]
    with org_scope(person.organization_id):
        mail = InboundMailFactory.create(mailbox=answered.mailbox, message=answered, subject="Re: yes")
        record_reply(answered, mail, at=answered.sent_at)
    turn(days=2)

    assert len(sandbox.world.mails) == 1
    assert (where(person).state, where(person).cause, where(person).reason) == (
        "stopped",
        "replied",
        "Answered: Re: yes",
    )
    assert [m.state for m in mails_to(person)] == ["accepted", "cancelled"]


def test_an_unsubscribed_person_is_out_of_every_sequence(publish, enroll, turn, person, where, sandbox):
    publish(MAIL | {"delay_days": 1})
    enroll(person)

    with org_scope(person.organization_id):
        suppress_addresses(person.organization, addresses=[person.email], reason="unsubscribed", source="test")
    turn(days=1)

    assert len(sandbox.world.mails) == 0
    assert (where(person).state, where(person).cause) == ("stopped", "unsubscribed")


def test_a_task_waits_for_a_person_and_its_end_lets_the_sequence_go_on(publish, enroll, turn, person, rep, where):
    publish(CALL, MAIL)
    enroll(person)

    turn(days=1)
    with org_scope(person.organization_id):
        [task] = Task.objects.for_org(person.organization_id)
    waiting = where(person).cause
    turn(days=5)
    still_waiting = where(person).cause
    with org_scope(person.organization_id):
        finish_task(task, actor=rep)
    turn()

    assert (task.title, waiting, still_waiting) == ("Ask for a slot", "task", "task")
    assert where(person).state == "completed"
    assert runs_of(person) == [("1", "done"), ("2", "sent")]


def test_a_branch_sends_everybody_their_own_way(sequence, template, rep, enroll, turn, sandbox):
    boss, other = (
        PersonFactory.create(account=AccountFactory.create(organization=sequence.organization, name=name), title=title)
        for name, title in (("Boss AG", "CEO"), ("Other AG", "Clerk"))
    )
    rule = {"tests": [{"fact": "person.title", "is": "contains", "value": "ceo"}]}
    with org_scope(sequence.organization_id):
        branch = plans.add_step(sequence, fields={"kind": "branch", "rule": rule})
        plans.add_step(sequence, fields={"kind": "email", "template": template}, parent=branch, lane="yes")
        plans.add_step(sequence, fields={"kind": "task", "subject": "Look who decides"}, parent=branch, lane="no")
        plans.add_step(sequence, fields={"kind": "end"})
        plans.publish(sequence, actor=rep)

    enroll(boss, other)
    turn()

    assert [mail.subject for mail in sandbox.world.mails.values()] == ["Boss AG at the show"]
    assert runs_of(boss) == [("1", "yes"), ("1 yes 1", "sent"), ("2", "done")]
    assert runs_of(other) == [("1", "no")]


def test_people_who_may_not_begin_are_counted_with_the_reason(publish, enroll, person, organization, sequence):
    publish(MAIL)
    nobody = PersonFactory.create(account=person.account, email="")
    refused = PersonFactory.create(account=person.account, email="no@acme.example")
    homeless = PersonFactory.create(organization=organization, account=None, email="a@b.example")
    with org_scope(organization.pk):
        suppress_addresses(organization, addresses=[refused.email], reason="manual", source="test")
    enroll(person)

    result = enroll(person, nobody, refused, homeless)

    assert result.begun == 0
    assert dict(result.left_out) == {
        "Is in this sequence already.": 1,
        "There is no e-mail address.": 1,
        "The address is on the suppression list.": 1,
        "The company name is missing (step 1).": 1,
    }


def test_nothing_leaves_while_the_sequence_is_paused_and_nothing_is_lost(
    publish, enroll, turn, person, sequence, sandbox, where
):
    publish(MAIL | {"delay_days": 1}, CALL)
    enroll(person)

    with org_scope(sequence.organization_id):
        enrollments.pause_sequence(sequence)
    turn(days=3)
    paused = (len(sandbox.world.mails), where(person).state, where(person).cause)
    with org_scope(sequence.organization_id):
        enrollments.resume_sequence(sequence)
    turn()

    assert paused == (0, "paused", "sequence_paused")
    assert len(sandbox.world.mails) == 1


def test_a_skipped_step_never_leaves_and_the_next_one_comes(publish, enroll, turn, person, where, sandbox, mails_to):
    publish(MAIL | {"delay_days": 1}, MAIL | {"delay_days": 2})
    enroll(person)

    with org_scope(person.organization_id):
        moving.skip(where(person))
    turn(days=2)

    assert len(sandbox.world.mails) == 1
    assert [mail.state for mail in mails_to(person)] == ["cancelled", "accepted"]
    assert runs_of(person) == [("1", "skipped"), ("2", "sent")]


def test_no_step_runs_twice_for_one_person(publish, enroll, turn, person, where):
    version = publish(MAIL, CALL)
    enroll(person)
    turn()

    with org_scope(person.organization_id), pytest.raises(enrollments.CannotMove):
        moving.move_to(where(person), step_id=version.read().first)


@pytest.mark.django_db(transaction=True)
def test_five_sweeps_at_once_do_everything_once(publish, enroll, turn, organization, person, sandbox):
    publish({"kind": "wait", "delay_days": 1}, CALL | {"delay_days": 0})
    people = [PersonFactory.create(account=person.account, email=f"p{n}@acme.example") for n in range(30)]
    enroll(*people)
    let_pass(organization.pk, timedelta(days=1))

    def sweep():
        runner.sweep(seconds=10)
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with org_scope(organization.pk):
        assert Task.objects.for_org(organization).count() == 30
        assert StepRun.objects.for_org(organization).count() == 30


def test_a_mail_that_is_too_late_asks_a_person(publish, enroll, turn, person, where, sandbox):
    publish(MAIL)
    enroll(person)

    turn(days=4)

    assert len(sandbox.world.mails) == 0
    assert (where(person).state, where(person).cause) == ("held", "late")


def test_stop_races_with_the_last_gate_and_one_of_them_wins(
    publish, enroll, person, where, mailbox, organization, sandbox
):
    publish(MAIL)
    enroll(person)
    with delivery.open_desk(organization.pk, mailbox.pk) as desk:
        [claim] = delivery.claim_batch(desk, size=1)
        with org_scope(organization.pk):
            enrollments.stop(organization.pk, Enrollment.objects.filter(person=person))

        delivery.deliver_batch(desk, [claim], until=lambda: False)

    assert len(sandbox.world.mails) == 0
    with org_scope(organization.pk):
        assert Message.objects.for_org(organization).get().state == "cancelled"
