"""Comparisons of wordings: who gets which, what counts, how a winner is found and overruled."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from identity.history import history_of
from identity.scope import org_scope
from outreach import comparing, drafting, tasks
from outreach.models import Campaign, Comparison, Message
from outreach.services import campaigns
from people.models import Person
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    InboundMailFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    TemplateFactory,
)


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def compare(organization):
    """A comparison of as many templates as there are weights."""

    def make(*weights, **rule):
        with org_scope(organization.pk):
            return comparing.save_comparison(
                organization, comparison=None, rule=rule,
                variants=[(TemplateFactory.create(organization=organization, body=f"Text {n}, {{{{ my_company }}}}"), weight)
                          for n, weight in enumerate(weights or (1, 1))],
            )  # fmt: skip

    return make


@pytest.fixture
def many(organization):
    account = AccountFactory.create(organization=organization)
    return [PersonFactory.create(account=account) for _ in range(60)]


@pytest.fixture
def start(organization, event, mailbox, many, rep):
    """A campaign to sixty people that compares wordings."""

    def run(comparison, **options):
        with org_scope(organization.pk):
            first = comparison.variants.get(letter="A").template
            return campaigns.start_campaign(
                organization, name="Invitations", event=event, template=first, mailbox=mailbox, actor=rep,
                people=Person.objects.for_org(organization), comparison=comparison, **options,
            )  # fmt: skip

    return run


@pytest.fixture
def sent(organization, mailbox):
    """Mails of a comparison that left four days ago, so many of each letter; ``replied`` of them answered."""

    def make(comparison, letter, count, *, replied=0, label="interested", **fields):
        campaign = CampaignFactory.create(mailbox=mailbox)
        person_account = AccountFactory.create(organization=organization)
        long_ago = timezone.now() - timedelta(days=4)
        for number in range(count):
            answered = {"replied_at": long_ago} if number < replied else {}
            message = MessageFactory.create(
                person=PersonFactory.create(account=person_account), mailbox=mailbox, campaign=campaign, state="accepted",
                sent_at=long_ago, comparison=comparison, variant=letter, **answered, **fields,
            )  # fmt: skip
            if answered:
                InboundMailFactory.create(mailbox=mailbox, message=message, kind="reply", label=label)

    return make


def rows(organization, **fields):
    with org_scope(organization.pk):
        return list(Message.objects.for_org(organization).filter(**fields).order_by("id"))


def again(organization, row):
    with org_scope(organization.pk):
        return type(row).objects.get(pk=row.pk)


def test_a_person_always_draws_the_same_wording_and_shares_are_kept(organization, compare, many):
    comparison = compare(3, 1)
    with org_scope(organization.pk):
        deal = comparing.deals(organization.pk, [comparison.pk])[comparison.pk]

    drawn = [deal.draw(person.pk) for person in many]

    assert drawn == [deal.draw(person.pk) for person in many]
    assert 32 <= sum(letter == "A" for letter, _ in drawn) <= 57
    assert {letter for letter, _ in drawn} == {"A", "B"}


def test_each_person_of_a_campaign_gets_one_wording_and_the_database_keeps_it(organization, compare, start):
    comparison = compare(1, 1)

    campaign = start(comparison)

    messages = rows(organization, campaign=campaign)
    assert {(m.variant, m.body[:6]) for m in messages} == {("A", "Text 0"), ("B", "Text 1")}
    with org_scope(organization.pk), pytest.raises(ProgrammingError, match="variant"), transaction.atomic():
        Message.objects.filter(pk=messages[0].pk).update(variant="D")


def test_the_rest_of_a_campaign_waits_in_the_ledger_and_gets_the_winner(
    organization, compare, start, rep, mailbox, sandbox, send
):
    comparison = compare(1, 1)
    campaign = start(comparison, test_share=30)
    with org_scope(organization.pk):
        campaigns.approve_campaign(campaign, actor=rep)
    send(mailbox)
    waiting = rows(organization, campaign=campaign, state="planned")
    first = len(sandbox.world.mails)

    with org_scope(organization.pk):
        assert Message.objects.for_org(organization).open().count() == len(waiting)
        comparing.decide(comparison, letter="B", actor=rep)
    tasks.sweep()
    send(mailbox)

    assert {(m.cause, m.variant) for m in waiting} == {("compared", "")}
    assert (5 <= first <= 31, first + len(waiting)) == (True, 60)
    assert {(m.variant, m.state) for m in rows(organization, pk__in=[m.pk for m in waiting])} == {("B", "accepted")}
    assert (len(sandbox.world.mails), again(organization, campaign).status) == (60, "done")


def test_the_rest_is_written_once_however_often_it_is_asked(organization, compare, start, rep):
    comparison = compare(1, 1)
    campaign = start(comparison, test_share=50)
    with org_scope(organization.pk):
        comparing.decide(comparison, letter="A", actor=rep)

    for _ in range(2):
        for organization_id, campaign_id in drafting.waiting_for_words():
            drafting.write_rest(organization_id, campaign_id)

    assert {m.state for m in rows(organization, campaign=campaign)} == {"draft"}
    assert drafting.waiting_for_words() == []


def test_the_beat_names_a_winner_by_the_rule(organization, compare, sent):
    comparison = compare(metric="positive", least_sends=20, certainty=90)
    sent(comparison, "A", 20, replied=12)
    sent(comparison, "B", 20, replied=1)

    assert comparing.judge_open() == 1

    decided = again(organization, comparison)
    assert (decided.winner, decided.decided_by, decided.looks) == ("A", None, 1)
    assert decided.decision["numbers"] == {"A": {"sends": 20, "results": 12}, "B": {"sends": 20, "results": 1}}
    assert comparing.judge_open() == 0


@pytest.mark.parametrize("label", ["not_now", "out_of_office", "other"])
def test_answers_that_are_not_positive_do_not_win(organization, compare, sent, label):
    comparison = compare(metric="positive", least_sends=20)
    sent(comparison, "A", 20, replied=15, label=label)
    sent(comparison, "B", 20)

    assert comparing.judge_open() == 0


def test_opens_and_clicks_of_machines_never_win(organization, compare, sent):
    comparison = compare(metric="clicks", least_sends=20, certainty=0, least_lead=1)
    now = timezone.now()
    sent(comparison, "A", 20, opened_at=now, machine_opened_at=now, machine_clicked_at=now)
    sent(comparison, "B", 20)

    assert comparing.judge_open() == 0


def test_mails_that_are_too_young_do_not_count(organization, compare, sent):
    comparison = compare(metric="replies", least_sends=20, wait_hours=200, certainty=0)
    sent(comparison, "A", 20, replied=15)
    sent(comparison, "B", 20)

    assert comparing.judge_open() == 0
    with org_scope(organization.pk):
        assert [arm.sends for arm in comparing.arms_of(comparison, now=timezone.now())] == [0, 0]


def test_a_meeting_counts_for_the_last_mail_before_it(organization, compare, mailbox):
    comparison = compare(metric="meetings")
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    now = timezone.now()
    older, newer = (
        MessageFactory.create(
            person=person, mailbox=mailbox, campaign=CampaignFactory.create(mailbox=mailbox), state="accepted",
            sent_at=now - timedelta(days=days), comparison=comparison, variant="A",
        )
        for days in (9, 5)
    )  # fmt: skip

    with org_scope(organization.pk):
        announce(Happening(kind=Kind.MEETING_SCHEDULED, organization_id=organization.pk, person_id=person.pk))

    assert (again(organization, older).met_at, again(organization, newer).met_at is None) == (None, False)
    with org_scope(organization.pk):
        assert [(a.sends, a.results) for a in comparing.arms_of(comparison, now=now)] == [(2, 1), (0, 0)]


def test_a_member_overrules_the_rule_and_the_history_keeps_who(organization, compare, sent, browser, rep):
    comparison = compare(metric="replies", least_sends=20, certainty=0)
    sent(comparison, "A", 20, replied=12)
    sent(comparison, "B", 20)
    comparing.judge_open()

    browser.post(f"/outreach/comparisons/{comparison.pk}/decide/", {"letter": "B", "next": "/outreach/"})

    decided = again(organization, comparison)
    assert (decided.winner, decided.decided_by_id) == ("B", rep.pk)
    with org_scope(organization.pk):
        changes = history_of(decided)
    assert any("winner" in str(change) for change in changes)


def test_a_decision_can_be_taken_back_and_nonsense_decides_nothing(organization, compare, browser):
    comparison = compare()
    url = f"/outreach/comparisons/{comparison.pk}/decide/"

    browser.post(url, {"letter": "A"})
    browser.post(url, {"letter": "Z"})
    assert again(organization, comparison).winner == "A"
    browser.post(url, {"letter": ""})

    assert again(organization, comparison).winner == ""


def test_the_form_starts_a_campaign_with_two_wordings(organization, browser, mailbox, many):
    first, second = (TemplateFactory.create(organization=organization) for _ in range(2))
    form = {
        "name": "x", "template": first.pk, "mailbox": mailbox.pk, "compare-template_B": second.pk, "compare-weight_B": 1,
        "compare-metric": "replies", "compare-least_sends": 25, "compare-test_share": 40,
    }  # fmt: skip

    url = browser.post("/outreach/new/", form).url

    with org_scope(organization.pk):
        campaign = Campaign.objects.get()
        assert (campaign.test_share, campaign.comparison.metric, campaign.comparison.least_sends) == (40, "replies", 25)
    page = browser.get(url).content.decode()
    assert "No clear winner yet: A and B are level" in page


@pytest.mark.parametrize("other", [{"compare-least_sends": 3}, {"compare-certainty": 42}, {"compare-weight_B": 0}])
def test_a_comparison_that_makes_no_sense_is_a_422(organization, browser, mailbox, many, other):
    first, second = (TemplateFactory.create(organization=organization) for _ in range(2))
    form = {"name": "x", "template": first.pk, "mailbox": mailbox.pk, "compare-template_B": second.pk} | other

    assert browser.post("/outreach/new/", form).status_code == 422
    same = {"name": "x", "template": first.pk, "mailbox": mailbox.pk, "compare-template_B": first.pk}
    assert browser.post("/outreach/new/", same).status_code == 422
    with org_scope(organization.pk):
        assert not Comparison.objects.exists()


def test_another_organizations_comparison_is_not_found(browser):
    mailbox = MailboxFactory.create()
    with org_scope(mailbox.organization_id):
        theirs = Comparison.objects.create(organization_id=mailbox.organization_id)

    assert browser.post(f"/outreach/comparisons/{theirs.pk}/decide/", {"letter": "A"}).status_code == 404
