"""Rules let people begin by themselves when their target changes."""

import pytest

from accounts.models import TargetAccount
from identity.scope import org_scope
from sequences import ruling
from sequences.models import Enrollment, EnrollmentRule
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
