"""Steps whose wordings are compared: who gets which, in which version, and what the pages say."""

import pytest

from identity.scope import org_scope
from outreach import comparing
from sequences.models import Step
from sequences.services import plans
from tests.factories import AccountFactory, PersonFactory, TemplateFactory


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def people(organization):
    account = AccountFactory.create(organization=organization)
    return [PersonFactory.create(account=account) for _ in range(24)]


@pytest.fixture
def compared(organization, template, publish):
    """A published sequence with one mail in two wordings."""
    other = TemplateFactory.create(organization=organization, subject="Other words", body="Hello.")
    with org_scope(organization.pk):
        comparison = comparing.save_comparison(
            organization, comparison=None, rule={"metric": "replies"}, variants=[(template, 1), (other, 1)]
        )
    publish({"kind": "email", "comparison": comparison})
    return comparison


def test_everybody_enrolled_gets_one_wording_for_good(compared, people, enroll, turn, mails_to):
    enroll(*people)

    planned = {person.pk: mails_to(person)[0].variant for person in people}
    turn()

    sent = {person.pk: mails_to(person)[0] for person in people}
    assert set(planned.values()) == {"A", "B"}
    assert {pk: message.variant for pk, message in sent.items()} == planned
    subjects = {(message.variant, message.subject == "Other words") for message in sent.values()}
    assert subjects == {("A", False), ("B", True)}


def test_after_the_decision_whoever_comes_next_gets_the_winner(organization, compared, people, rep, enroll, mails_to):
    with org_scope(organization.pk):
        comparing.decide(compared, letter="B", actor=rep)

    enroll(*people)

    assert {mails_to(person)[0].variant for person in people} == {"B"}


def test_the_figures_show_the_comparison(compared, people, enroll, turn, sequence, browser):
    enroll(*people)
    turn()

    page = browser.get(f"/sequences/{sequence.pk}/figures/").content.decode()

    assert "Step 1: wordings compared" in page
    assert "No clear winner yet" in page


def test_a_step_gets_a_second_wording_by_its_form_and_keeps_its_numbers(
    organization, sequence, template, publish, browser
):
    publish({"kind": "email"})
    other = TemplateFactory.create(organization=organization)
    with org_scope(organization.pk):
        step = Step.objects.get()
    form = {"template": template.pk, "days": 0, "hours": 0, "counted": "previous", "compare-template_B": other.pk}

    def save(**changes):
        assert browser.post(f"/sequences/steps/{step.pk}/", form | changes).status_code == 302
        with org_scope(organization.pk):
            step.refresh_from_db()
            return step.comparison_id

    first = save()
    same = save(**{"compare-weight_B": 3, "compare-metric": "clicks"})
    with org_scope(organization.pk):
        changed = plans.has_unpublished_changes(sequence)
    third = save(**{"compare-template_B": TemplateFactory.create(organization=organization).pk})
    none = save(**{"compare-template_B": ""})

    assert (first == same, first == third, none, changed) == (True, False, None, True)


def test_a_copied_sequence_compares_for_itself(organization, compared, sequence, rep):
    with org_scope(organization.pk):
        twin = plans.copy_sequence(sequence, actor=rep, name="Twin")
        step = twin.steps.select_related("comparison").get()

        assert step.comparison_id != compared.pk
        assert step.comparison.variants.count() == 2
