"""Scores in the database: written by a run or at once, only where something changed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as account_services
from accounts.models import AccountTag, TargetAccount
from activities.models import Activity
from common.happenings import Happening, Kind, announce
from identity.scope import org_scope, system_scope
from people.models import Person
from research import scoring, services
from research.defaults import DEFAULT_RULES
from research.models import Operator, ScoringProfile, ScoringRule, ScoringRun, Subject
from research.rules import Rule, Thresholds, plain
from tests.factories import (
    AccountFactory,
    EventFactory,
    OrganizationFactory,
    PersonFactory,
    StandFactory,
    TagFactory,
    TargetAccountFactory,
)

BIG = Rule(subject="account", fact="employee_count", operator="at_least", points=10, value={"min": 100})


def save(organization, manager, rules, version=0, thresholds=None):
    with org_scope(organization.pk):
        return services.save_rules(
            organization, rules=rules, thresholds=thresholds or Thresholds(), version=version, actor=manager
        )


def run_all(organization) -> ScoringRun:
    with org_scope(organization.pk):
        run = services.request_run(organization.pk, cause="Test")
    scoring.work_on(run.pk, organization.pk)
    with org_scope(organization.pk):
        run.refresh_from_db()
    return run


def test_run_scores_accounts_and_people_with_the_defaults(organization, event):
    account = AccountFactory.create(
        organization=organization, name="Roboter AG", employee_count=620, revenue=50_000_000, industry="Robotics"
    )
    target = TargetAccountFactory.create(account=account, event=event, tier="")
    StandFactory.create(target=target)
    person = PersonFactory.create(account=account, title="Head of Operations", is_ops=True)

    run = run_all(organization)

    with org_scope(organization.pk):
        target.refresh_from_db()
        person.refresh_from_db()
    assert (target.icp_score, target.proposed_tier, target.tier) == (100, "A", "")
    assert [plain(reason) for reason in target.icp_reasons] == [
        "+30 200–5,000 employees (620)",
        "+25 revenue 10M–1B USD (50M)",
        "+25 industry mentions manufactur, automat, robot, machin … (Robotics)",
        "+10 website known",
        "+10 at least 1 stand (1)",
    ]
    assert person.icp_score == 100
    assert (run.status, run.accounts_done, run.people_done, run.changed) == ("done", 1, 1, 2)


def test_second_run_changes_no_row(organization, event):
    target = TargetAccountFactory.create(account__organization=organization, event=event)
    run_all(organization)
    with org_scope(organization.pk):
        before = TargetAccount.objects.get(pk=target.pk).updated_at

    run = run_all(organization)

    with org_scope(organization.pk):
        assert TargetAccount.objects.get(pk=target.pk).updated_at == before
    assert run.changed == 0


def test_all_facts_can_be_read(organization, event, manager):
    target = TargetAccountFactory.create(account__organization=organization, event=event)
    StandFactory.create(target=target, hall="Hall 4")
    tag = TagFactory.create(organization=organization, name="Key account")
    with org_scope(organization.pk):
        AccountTag.objects.create(organization=organization, account=target.account, tag=tag)
    person = PersonFactory.create(account=target.account, is_tech=True)

    with org_scope(organization.pk):
        for subject, pk in ((Subject.ACCOUNT, target.pk), (Subject.PERSON, person.pk)):
            keys = list(scoring.FACTS[subject])
            rows = scoring.with_facts(scoring.rows_of(subject, organization.pk).filter(pk=pk), subject, keys)
            values = dict(zip(keys, rows.get()[1:], strict=True))
            if subject == Subject.ACCOUNT:
                assert (values["tags"], values["halls"], values["stands"], values["contacts"]) == (
                    ["Key account"],
                    ["Hall 4"],
                    1,
                    1,
                )
            else:
                assert values["personas"] == "is_tech,"


def test_runs_of_small_chunks_reach_every_row(organization, event, monkeypatch):
    monkeypatch.setattr(scoring, "CHUNK", 2)
    for _ in range(5):
        target = TargetAccountFactory.create(account__organization=organization, event=event)
        PersonFactory.create(account=target.account)

    run = run_all(organization)

    with org_scope(organization.pk):
        assert TargetAccount.objects.filter(icp_score=None).count() == 0
        assert Person.objects.filter(icp_score=None).count() == 0
    assert (run.accounts_done, run.people_done) == (5, 5)


def test_run_of_a_dead_worker_is_carried_on_from_its_place(organization, event, monkeypatch):
    monkeypatch.setattr(scoring, "CHUNK", 2)
    targets = [TargetAccountFactory.create(account__organization=organization, event=event) for _ in range(4)]
    with org_scope(organization.pk):
        run = services.request_run(organization.pk, cause="Test")
        token = run.claim(timezone.now())
    scoring._step(run.pk, organization.pk, token)
    with org_scope(organization.pk):
        ScoringRun.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))

    scoring.sweep()

    with org_scope(organization.pk):
        run.refresh_from_db()
        assert TargetAccount.objects.filter(pk__in=[t.pk for t in targets], icp_score=None).count() == 0
    assert (run.status, run.accounts_done) == ("done", 4)


def test_run_that_somebody_holds_is_left_alone(organization, event):
    TargetAccountFactory.create(account__organization=organization, event=event)
    with org_scope(organization.pk):
        run = services.request_run(organization.pk, cause="Test")
        run.claim(timezone.now())

    scoring.work_on(run.pk, organization.pk)

    with org_scope(organization.pk):
        run.refresh_from_db()
    assert (run.status, run.done) == ("running", 0)


def test_run_that_never_gets_on_is_given_up_with_a_reason(organization):
    with org_scope(organization.pk):
        run = services.request_run(organization.pk, cause="Test")
        ScoringRun.objects.filter(pk=run.pk).update(attempts=ScoringRun.MAX_ATTEMPTS)

    scoring.work_on(run.pk, organization.pk)

    with org_scope(organization.pk):
        run.refresh_from_db()
    assert run.status == "failed"
    assert run.error == "Stopped after 5 tries. What was scored is kept; start it again."


def test_request_during_a_run_starts_it_over_instead_of_a_second_one(organization, event, monkeypatch):
    monkeypatch.setattr(scoring, "CHUNK", 1)
    for _ in range(3):
        TargetAccountFactory.create(account__organization=organization, event=event)
    with org_scope(organization.pk):
        first = services.request_run(organization.pk, cause="First")
        token = first.claim(timezone.now())
    scoring._step(first.pk, organization.pk, token)

    with org_scope(organization.pk):
        second = services.request_run(organization.pk, cause="Second")

    assert (second.pk, second.cause, second.accounts_done, second.cursor) == (first.pk, "Second", 0, None)


def test_sweep_scores_rows_that_no_bell_rang_for(organization, event):
    target = TargetAccountFactory.create(account__organization=organization, event=event)

    scoring.sweep()

    with org_scope(organization.pk):
        target.refresh_from_db()
        assert ScoringRun.objects.get().cause == "New accounts or people"
    assert target.icp_score is not None


def test_sweep_leaves_organizations_alone_whose_rules_give_no_score(organization, event, manager):
    TargetAccountFactory.create(account__organization=organization, event=event)
    save(organization, manager, [])
    with org_scope(organization.pk):
        ScoringRun.objects.all().delete()

    scoring.sweep()

    with org_scope(organization.pk):
        assert ScoringRun.objects.count() == 0


def test_scoring_stays_within_the_organization(organization, event, manager):
    other = OrganizationFactory.create()
    foreign = TargetAccountFactory.create(
        account__organization=other, event=EventFactory.create(organization=other), account__employee_count=500
    )
    mine = TargetAccountFactory.create(account__organization=organization, event=event, account__employee_count=500)
    save(organization, manager, [BIG])

    run_all(organization)

    with system_scope():
        foreign.refresh_from_db()
        mine.refresh_from_db()
    assert (mine.icp_score, foreign.icp_score) == (100, None)


def test_saving_rules_keeps_rows_and_order_and_counts_the_version(organization, manager):
    save(organization, manager, DEFAULT_RULES.rules)
    with org_scope(organization.pk):
        stored = services.current_rules(organization.pk)
        edited = [stored.rules[1], stored.rules[0]]

    save(organization, manager, edited, version=1, thresholds=Thresholds(90, 50, 20))

    with org_scope(organization.pk):
        now = services.current_rules(organization.pk)
        assert [rule.id for rule in now.rules] == [rule.id for rule in edited]
        assert (now.version, now.thresholds) == (2, Thresholds(90, 50, 20))
        assert ScoringRule.objects.count() == 2
        assert ScoringProfile.objects.count() == 1


def test_saving_rules_somebody_else_has_changed_is_refused(organization, manager):
    save(organization, manager, DEFAULT_RULES.rules)

    with pytest.raises(services.RulesHaveChanged):
        save(organization, manager, [], version=0)


def test_saved_rules_of_another_organization_are_not_taken_over(organization, manager):
    other = OrganizationFactory.create()
    save(other, manager, [BIG])
    with org_scope(other.pk):
        foreign = services.current_rules(other.pk).rules[0]

    save(organization, manager, [foreign])

    with system_scope():
        assert ScoringRule.objects.count() == 2


def test_edited_account_and_its_people_are_scored_in_the_same_transaction(organization, event, manager):
    target = TargetAccountFactory.create(account__organization=organization, event=event, account__employee_count=50)
    person = PersonFactory.create(account=target.account)
    save(
        organization,
        manager,
        [BIG, Rule(subject="person", fact="account_score", operator=Operator.AT_LEAST, points=5, value={"min": 50})],
    )
    run_all(organization)

    with org_scope(organization.pk):
        target.account.employee_count = 500
        target.account.save()
        announce(
            Happening(
                kind=Kind.ACCOUNT_UPDATED,
                organization_id=organization.pk,
                actor_id=manager.pk,
                account_id=target.account_id,
            )
        )

    with org_scope(organization.pk):
        target.refresh_from_db()
        person.refresh_from_db()
        entry = Activity.objects.get(kind=Kind.SCORE_UPDATED, account=target.account)
    assert (target.icp_score, person.icp_score) == (100, 100)
    assert (entry.summary, entry.actor_id, entry.data) == ("ICP score 0 → 100", manager.pk, {"before": 0, "after": 100})


def test_created_person_is_scored(organization, event, manager):
    person = PersonFactory.create(account__organization=organization, title="CEO")

    with org_scope(organization.pk):
        announce(Happening(kind=Kind.PERSON_CREATED, organization_id=organization.pk, person_id=person.pk))
        person.refresh_from_db()

    assert person.icp_score == 50


@pytest.mark.parametrize("kind", [Kind.LIST_IMPORTED, Kind.ACCOUNT_UPDATED, Kind.PERSON_UPDATED])
def test_news_about_many_rows_asks_for_a_run(organization, kind):
    with org_scope(organization.pk):
        announce(Happening(kind=kind, organization_id=organization.pk, summary="7,213 rows"))

    with org_scope(organization.pk):
        assert ScoringRun.objects.active().count() == 1


def test_run_writes_one_line_to_the_timeline(organization, event):
    for _ in range(3):
        TargetAccountFactory.create(account__organization=organization, event=event)

    run_all(organization)

    with org_scope(organization.pk):
        assert [a.summary for a in Activity.objects.filter(kind=Kind.SCORE_UPDATED)] == [
            "Scored 3 accounts and 0 people: 3 changed"
        ]


def test_accepting_proposals_fills_only_accounts_without_a_tier(organization, event, manager):
    empty = TargetAccountFactory.create(account__organization=organization, event=event, tier="", proposed_tier="B")
    chosen = TargetAccountFactory.create(account__organization=organization, event=event, tier="C", proposed_tier="A")

    with org_scope(organization.pk):
        assert services.proposals(event) == services.Proposals(untiered=1, differing=1)
        assert services.accept_tiers(event, actor=manager) == 1
        assert services.accept_tiers(event, actor=manager) == 0
        empty.refresh_from_db()
        chosen.refresh_from_db()

    assert (empty.tier, chosen.tier) == ("B", "C")


def test_accepting_proposals_may_replace_chosen_tiers(organization, event, manager):
    chosen = TargetAccountFactory.create(account__organization=organization, event=event, tier="C", proposed_tier="A")

    with org_scope(organization.pk):
        assert services.accept_tiers(event, actor=manager, replace=True) == 1
        chosen.refresh_from_db()

    assert chosen.tier == "A"


def test_tagged_account_is_scored(organization, event, manager):
    target = TargetAccountFactory.create(account__organization=organization, event=event)
    save(
        organization,
        manager,
        [Rule(subject="account", fact="tags", operator="one_of", points=5, value={"words": ["Key"]})],
    )

    with org_scope(organization.pk):
        account_services.set_tags(target.account, names=["key"])
        target.refresh_from_db()

    assert target.icp_score == 100


def test_account_targeted_at_a_show_is_scored_there(organization, event, manager):
    account = AccountFactory.create(organization=organization, employee_count=620)

    with org_scope(organization.pk):
        target = account_services.target_account(account, event=event, actor=manager)
        target.refresh_from_db()

    assert target.icp_score == 40
