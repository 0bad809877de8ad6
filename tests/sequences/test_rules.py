"""Rules let people begin by themselves when they, or their target, change, however that comes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import bulk
from accounts.models import BulkJob, TargetAccount
from activities import booth
from activities.models import BoothVisit
from identity.scope import org_scope
from people.models import Person
from sequences import ruling
from sequences.models import Enrollment, EnrollmentRule, RuleNotice
from tests.factories import AccountFactory, PersonFactory, TargetAccountFactory

FORM = {"rule-match": "all", "rule-fact0": "target.tier", "rule-test0": "one_of", "rule-value0": "A"}


@pytest.fixture
def two_steps(publish):
    return publish({"kind": "email"}, {"kind": "call", "subject": "Call", "delay_days": 2})


@pytest.fixture
def target(organization, event) -> TargetAccount:
    target = TargetAccountFactory.create(
        account=AccountFactory.create(organization=organization), event=event, tier="B"
    )
    PersonFactory.create(account=target.account)
    PersonFactory.create(account=target.account, email="")
    return target


def change(target: TargetAccount, **values: str) -> None:
    with org_scope(target.organization_id):
        for name, value in values.items():
            setattr(target, name, value)
        target.save()


def began(organization) -> list[str]:
    with org_scope(organization.pk):
        return list(Enrollment.objects.values_list("source", flat=True))


def test_people_begin_once_their_target_becomes_tier_a(organization, sequence, two_steps, target, rep, client_for):
    client_for(rep).post(f"/sequences/{sequence.pk}/rules/", FORM)

    ruling.sweep()
    before = began(organization)
    change(target, tier="A")
    first, second = ruling.sweep(), ruling.sweep()

    assert (before, first, second) == ([], 1, 0)
    assert began(organization) == ["Rule: tier is one of A"]


def test_targets_that_were_so_already_do_not_begin(organization, sequence, two_steps, target, rep, client_for):
    change(target, tier="A")
    client_for(rep).post(f"/sequences/{sequence.pk}/rules/", FORM)

    assert ruling.sweep() == 0


def test_checked_in_at_the_booth(organization, sequence, two_steps, target, rep, client_for):
    form = {"rule-match": "all", "rule-fact0": "target.stage", "rule-test0": "one_of", "rule-value0": "Checked in"}
    client_for(rep).post(f"/sequences/{sequence.pk}/rules/", form)

    change(target, stage="Checked In")

    assert ruling.sweep() == 1


def test_a_paused_sequence_takes_nobody_until_it_goes_on(organization, sequence, two_steps, target, rep, client_for):
    client = client_for(rep)
    client.post(f"/sequences/{sequence.pk}/rules/", FORM)
    client.post(f"/sequences/{sequence.pk}/pause/")
    change(target, tier="A")

    paused = ruling.sweep()
    client.post(f"/sequences/{sequence.pk}/pause/", {"paused": "0"})

    assert (paused, ruling.sweep()) == (0, 1)


def test_more_targets_than_a_batch_are_all_seen(organization, event, sequence, two_steps, rep, client_for, monkeypatch):
    monkeypatch.setattr(ruling, "BATCH", 2)
    client_for(rep).post(f"/sequences/{sequence.pk}/rules/", FORM)
    for _ in range(5):
        target = TargetAccountFactory.create(
            account=AccountFactory.create(organization=organization), event=event, tier="A"
        )
        PersonFactory.create(account=target.account)

    assert ruling.sweep() == 5


def test_a_rule_is_shown_and_removed(organization, sequence, two_steps, rep, client_for):
    client = client_for(rep)
    client.post(f"/sequences/{sequence.pk}/rules/", FORM)
    with org_scope(organization.pk):
        rule = EnrollmentRule.objects.get()

    shown = client.get(f"/sequences/{sequence.pk}/").content.decode()
    client.post(f"/sequences/rules/{rule.pk}/remove/")

    assert "When tier is one of A" in shown
    with org_scope(organization.pk):
        assert not EnrollmentRule.objects.exists()


def test_a_rule_that_asks_nothing_is_refused(sequence, rep, client_for):
    assert client_for(rep).post(f"/sequences/{sequence.pk}/rules/", {"rule-match": "all"}).status_code == 422


# --- Whatever changes a person ---------------------------------------------------------------------------------------


@pytest.fixture
def rule(organization, sequence, two_steps, rep, client_for):
    """Add a rule of one test, as its form does."""

    def add(fact: str, test: str, value: str = "") -> EnrollmentRule:
        form = {"rule-match": "all", "rule-fact0": fact, "rule-test0": test, "rule-value0": value}
        client_for(rep).post(f"/sequences/{sequence.pk}/rules/", form)
        with org_scope(organization.pk):
            return EnrollmentRule.objects.latest("created_at")

    return add


@pytest.fixture
def somebody(organization) -> Person:
    return PersonFactory.create(account=AccountFactory.create(organization=organization), name="Ada", icp_score=10)


def again(rule: EnrollmentRule) -> EnrollmentRule:
    with org_scope(rule.organization_id):
        return EnrollmentRule.objects.get(pk=rule.pk)


def notices(organization) -> int:
    with org_scope(organization.pk):
        return RuleNotice.objects.count()


@pytest.mark.parametrize(
    ("fact", "test", "value", "changes"),
    [
        ("person.icp_score", "at_least", "80", {"icp_score": 81}),
        ("person.title", "contains", "plant", {"title": "Plant manager"}),
        ("person.is_ops", "yes", "", {"is_ops": True}),
    ],
)
def test_a_change_in_bulk_by_any_statement_is_noticed_once(organization, rule, somebody, fact, test, value, changes):
    made = rule(fact, test, value)
    before = ruling.sweep()

    with org_scope(organization.pk):
        Person.objects.filter(pk=somebody.pk).update(**changes)
    came, none = ruling.sweep(), ruling.sweep()

    assert (before, came, none, notices(organization)) == (0, 1, 0, 0)
    assert (again(made).begun, again(made).begun_at is not None) == (1, True)


def test_an_owner_is_noticed(organization, rule, somebody, rep):
    rule("person.owner", "one_of", rep.name)

    with org_scope(organization.pk):
        Person.objects.filter(pk=somebody.pk).update(owner=rep)

    assert ruling.sweep() == 1


def test_what_no_rule_asks_about_leaves_no_notice(organization, rule, somebody):
    rule("person.icp_score", "at_least", "80")
    ruling.sweep()

    with org_scope(organization.pk):
        Person.objects.filter(pk=somebody.pk).update(notes="Met in May.", updated_at=timezone.now())

    assert notices(organization) == 0


@pytest.mark.parametrize(("subject", "fact"), [("people", "person.tags"), ("accounts", "account.tags")])
def test_a_tag_added_to_a_whole_list_is_noticed(organization, rule, somebody, rep, client_for, subject, fact):
    rule(fact, "one_of", "vip")
    form = {"action": "add_tag", "all": "1", "query": "all=1", "sure": "1", "tag": "VIP"}

    client_for(rep).post(f"/{subject}/bulk/", form)
    with org_scope(organization.pk):
        job = BulkJob.objects.get()
    bulk.run(job.pk, organization.pk)

    assert ruling.sweep() == 1


def test_whoever_is_new_is_noticed(organization, rule):
    rule("person.country", "one_of", "Germany")

    PersonFactory.create(account=AccountFactory.create(organization=organization), country="Germany")

    assert ruling.sweep() == 1


def test_a_visit_at_the_booth_counts_once_it_cannot_be_taken_back(organization, event, rule, somebody, rep):
    rule("person.met_at_booth", "yes")
    with org_scope(organization.pk):
        booth.meet(somebody, event=event, rep=rep)
    at_once = ruling.sweep()
    with org_scope(organization.pk):
        RuleNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        BoothVisit.objects.update(created_at=timezone.now() - timedelta(minutes=2))

    assert (at_once, ruling.sweep()) == (0, 1)


def test_a_visit_that_was_taken_back_lets_nobody_begin(organization, event, rule, somebody, rep):
    rule("person.met_at_booth", "yes")
    with org_scope(organization.pk):
        visit, _ = booth.meet(somebody, event=event, rep=rep)
        booth.undo(visit, actor=rep)
        RuleNotice.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    assert ruling.sweep() == 0


def test_a_paused_rule_notices_nothing_until_it_goes_on(organization, rule, somebody, sequence, rep, client_for):
    made = rule("person.icp_score", "at_least", "80")
    client = client_for(rep)

    client.post(f"/sequences/rules/{made.pk}/pause/")
    with org_scope(organization.pk):
        Person.objects.update(icp_score=90)
    paused = client.get(f"/sequences/{sequence.pk}/rules/").content.decode()
    client.post(f"/sequences/rules/{made.pk}/pause/", {"paused": "0"})
    still = ruling.sweep()
    with org_scope(organization.pk):
        Person.objects.update(icp_score=91)

    assert "Go on" in paused
    assert (still, ruling.sweep()) == (0, 1)


def test_the_last_people_left_out_are_named_with_the_reason(organization, rule, somebody, sequence, rep, client_for):
    rule("person.icp_score", "at_least", "80")
    with org_scope(organization.pk):
        Person.objects.update(icp_score=90, email="")

    came = ruling.sweep()
    page = client_for(rep).get(f"/sequences/{sequence.pk}/rules/").content.decode()

    assert came == 0
    assert "There is no e-mail address." in page
    assert f"/people/{somebody.pk}/" in page
    assert "nobody began by it so far" in page


def test_changes_wait_while_the_sequence_can_take_nobody(organization, rule, somebody, sequence, mailbox):
    made = rule("person.icp_score", "at_least", "80")
    with org_scope(organization.pk):
        type(mailbox).objects.update(archived_at=timezone.now())
        Person.objects.update(icp_score=90)
    refused, problem = ruling.sweep(), again(made).problem
    with org_scope(organization.pk):
        type(mailbox).objects.update(archived_at=None)

    assert (refused, problem) == (0, "Choose a mailbox for the sequence first.")
    assert (ruling.sweep(), again(made).problem) == (1, "")


def test_another_organization_notices_nothing(organization, rule):
    rule("person.country", "one_of", "Germany")

    PersonFactory.create(country="Germany")

    assert (ruling.sweep(), notices(organization)) == (0, 0)


def test_deleting_people_and_sequences_leaves_no_notice_behind(organization, rule, somebody, sequence):
    rule("person.icp_score", "at_least", "80")
    with org_scope(organization.pk):
        Person.objects.update(icp_score=90)
        somebody.delete()
        before = ruling.sweep()
        Person.objects.update(icp_score=91)
        Enrollment.objects.all().delete()
        sequence.delete()

    assert (before, notices(organization)) == (0, 0)
