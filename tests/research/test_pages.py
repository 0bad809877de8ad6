"""The scoring page through the front door, and the API beside it."""

import re

import pytest

from accounts.models import TargetAccount
from identity.scope import org_scope
from research import scoring, services
from research.models import ScoringRule, ScoringRun
from research.rules import Rule, Thresholds
from tests.factories import AccountFactory, EventFactory, PersonFactory, TargetAccountFactory

PAGE = "/scoring/"
EDIT = "/scoring/edit/"
BASE = {"version": "0", "tier_a": "80", "tier_b": "60", "tier_c": "40"}
EMPLOYEES = {
    "r0-subject": "account",
    "r0-fact": "employee_count",
    "r0-operator": "between",
    "r0-low": "200",
    "r0-high": "5,000",
    "r0-points": "20",
    "r0-label": "",
}


def form(*rows: str, **more: str) -> dict[str, object]:
    return {**BASE, "row": list(rows), **(EMPLOYEES if "r0" in rows else {}), **more}


def target_of(organization, event, **account):
    return TargetAccountFactory.create(
        account=AccountFactory.create(organization=organization, **account), event=event, tier=""
    )


def test_page_shows_the_default_rules_and_their_effect(organization, event, manager, client_for):
    target_of(organization, event, name="Roboter AG", employee_count=620, industry="Robotics")

    page = client_for(manager).get(PAGE)

    assert page.status_code == 200
    text = page.content.decode()
    assert "Save and score 1 account" in text
    assert "Roboter AG" in text
    assert "200–5,000 employees (620)" in text


def test_viewing_the_page_writes_nothing(organization, event, manager, client_for):
    client_for(manager).get(PAGE)

    with org_scope(organization.pk):
        assert (ScoringRule.objects.count(), ScoringRun.objects.count()) == (0, 0)


def test_rep_reads_the_rules_in_plain_words_without_a_form(organization, event, rep, client_for):
    text = client_for(rep).get(PAGE).content.decode()

    assert "200–5,000 employees" in text
    assert 'id="editor"' not in text


def test_saved_rules_score_everything_in_the_background(
    organization, event, manager, client_for, django_capture_on_commit_callbacks
):
    target = target_of(organization, event, employee_count=620)

    answer = client_for(manager).post(EDIT, form("r0", do="save"))

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    with org_scope(organization.pk):
        run = ScoringRun.objects.get()
        assert (run.cause, run.requested_by) == ("The rules were changed", manager)
    scoring.work_on(run.pk, organization.pk)
    with org_scope(organization.pk):
        target.refresh_from_db()
    assert (target.icp_score, target.proposed_tier) == (100, "A")


def test_large_numbers_may_be_written_short(organization, manager, client_for):
    revenue = {
        "r1-subject": "account",
        "r1-fact": "revenue",
        "r1-operator": "between",
        "r1-low": "10M",
        "r1-high": "1.5bn",
        "r1-points": "20",
        "r1-label": "",
    }

    client_for(manager).post(EDIT, form("r1", do="save", **revenue))

    with org_scope(organization.pk):
        assert ScoringRule.objects.get().value == {"min": 10_000_000, "max": 1_500_000_000}


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("r0-points", "0", "Give points (1 to 100) or deduct some (−100 to −1)."),
        ("r0-low", "many", "Write a number such as 200, 5,000 or 10M."),
        ("r0-high", "5", "This must not be less than the first number."),
        ("tier_b", "90", "Tier B must start below tier A."),
    ],
)
def test_invalid_rules_are_not_saved_and_say_why(
    organization, manager, client_for, field: str, value: str, complaint: str
):
    answer = client_for(manager).post(EDIT, form("r0", **{"do": "save", field: value}))

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    with org_scope(organization.pk):
        assert ScoringRule.objects.count() == 0


def test_unknown_fact_is_refused(organization, manager, client_for):
    answer = client_for(manager).post(EDIT, form("r0", **{"do": "save", "r0-fact": "owner__password"}))

    assert answer.status_code == 422


def test_live_preview_shows_before_and_after_without_saving(organization, event, manager, client_for):
    target = target_of(organization, event, name="Roboter AG", employee_count=620)
    with org_scope(organization.pk):
        TargetAccount.objects.filter(pk=target.pk).update(icp_score=30, proposed_tier="D")

    answer = client_for(manager).post(
        EDIT, form("r0", do="look"), headers={"HX-Request": "true", "HX-Target": "preview"}
    )

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert "1 account changes its score" in text
    assert re.search(r"30 .*D.*<strong>100</strong>", text, re.DOTALL)
    with org_scope(organization.pk):
        assert ScoringRule.objects.count() == 0


def test_unfinished_rule_asks_for_the_rest_instead_of_an_effect(organization, event, manager, client_for):
    answer = client_for(manager).post(
        EDIT, form("r0", **{"do": "look", "r0-points": ""}), headers={"HX-Request": "true", "HX-Target": "preview"}
    )

    assert answer.status_code == 422
    assert "Employees: This field is required." in answer.content.decode()


def rows_of(answer) -> list[str]:
    return re.findall(r'name="row" value="(r\d+)"', answer.content.decode())


def test_rows_are_added_moved_and_removed_without_losing_what_was_typed(organization, manager, client_for):
    client = client_for(manager)
    second = {key.replace("r0", "r1"): value for key, value in EMPLOYEES.items()} | {"r1-points": "7"}

    added = client.post(EDIT, form("r0", "r1", do="add-account", **second))
    moved = client.post(EDIT, form("r0", "r1", do="down-r0", **second))
    removed = client.post(EDIT, form("r0", "r1", do="remove-r0", **second))

    assert rows_of(added) == ["r0", "r1", "r2"]
    assert rows_of(moved) == ["r1", "r0"]
    assert rows_of(removed) == ["r1"]
    assert 'name="r1-points" value="7"' in removed.content.decode()


def test_changed_fact_brings_the_questions_that_fit(organization, manager, client_for):
    answer = client_for(manager).post(
        EDIT,
        form("r0", **{"do": "refresh", "r0-fact": "industry"}),
        headers={"HX-Request": "true", "HX-Target": "editor"},
    )

    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="r0-words"' in text
    assert 'name="r0-low"' not in text


def test_rules_somebody_else_changed_are_not_overwritten(organization, manager, client_for):
    client = client_for(manager)
    client.post(EDIT, form("r0", do="save"))

    answer = client.post(EDIT, form("r0", do="save"))

    assert answer.status_code == 409
    assert "Somebody else saved other rules" in answer.content.decode()


def test_progress_is_polled_until_the_run_is_over(organization, event, manager, client_for):
    target_of(organization, event)
    client = client_for(manager)
    with org_scope(organization.pk):
        run = services.request_run(organization.pk, cause="Test")

    running = client.get("/scoring/progress/")
    scoring.work_on(run.pk, organization.pk)
    over = client.get("/scoring/progress/")

    assert (running.status_code, over.status_code) == (200, 286)
    assert "Scored 1 account and 0 people" in over.content.decode()


def test_taking_the_proposed_tiers(organization, event, rep, client_for):
    target = target_of(organization, event)
    with org_scope(organization.pk):
        TargetAccount.objects.filter(pk=target.pk).update(icp_score=90, proposed_tier="A")

    answer = client_for(rep).post("/scoring/accept/", follow=True)

    with org_scope(organization.pk):
        target.refresh_from_db()
    assert target.tier == "A"
    assert "1 account has the proposed tier now." in answer.content.decode()


def test_taking_one_proposed_tier_answers_with_the_panel(organization, event, rep, client_for):
    target = target_of(organization, event)
    with org_scope(organization.pk):
        TargetAccount.objects.filter(pk=target.pk).update(icp_score=90, proposed_tier="A")

    answer = client_for(rep).post(f"/scoring/accept/{target.pk}/", headers={"HX-Request": "true"})

    with org_scope(organization.pk):
        target.refresh_from_db()
    assert target.tier == "A"
    assert "proposes tier" not in answer.content.decode()


def test_next_address_of_another_site_is_not_followed(organization, event, rep, client_for):
    target = target_of(organization, event)

    answer = client_for(rep).post(f"/scoring/accept/{target.pk}/", {"next": "https://evil.example/"})

    assert answer["Location"] == PAGE


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_the_same_number_of_questions_for_any_number_of_rows(
    organization, event, manager, client_for, django_assert_num_queries, count: int
):
    for _ in range(count):
        PersonFactory.create(account=target_of(organization, event).account)
    client = client_for(manager)
    client.get(PAGE)

    with django_assert_num_queries(17):
        client.get(PAGE)


# --- API --------------------------------------------------------------------------------------------------------------

API = "/api/ai/score-icp"


def test_api_scores_an_account_and_stores_it(organization, event, rep, client_for):
    target = target_of(organization, event, employee_count=620, website="")

    answer = client_for(rep).post(API, {"accountId": str(target.account_id)}, content_type="application/json")

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["icpScore"], data["proposedTier"], data["eventId"]) == (30, "D", str(event.pk))
    assert data["reasons"][0] == {
        "fact": "employee_count",
        "outcome": "met",
        "points": 30,
        "most": 30,
        "text": "200–5,000 employees (620)",
    }
    with org_scope(organization.pk):
        target.refresh_from_db()
    assert target.icp_score == 30


def test_api_scores_a_person(organization, event, rep, client_for):
    person = PersonFactory.create(account=target_of(organization, event).account, title="CEO")

    answer = client_for(rep).post(API, {"personId": str(person.pk)}, content_type="application/json")

    assert answer.json()["data"]["icpScore"] == 50


def test_api_scores_a_show_in_the_background(organization, event, rep, client_for):
    target_of(organization, event)
    client = client_for(rep)

    answer = client.post(API, {"eventId": str(event.pk)}, content_type="application/json")

    run = answer.json()["data"]
    assert (answer.status_code, run["status"], run["total"]) == (202, "queued", 1)
    assert client.get(f"{API}/runs/{run['runId']}").json()["data"] == run


@pytest.mark.parametrize("body", [{}, {"accountId": "x"}])
def test_api_refuses_what_names_nothing(rep, client_for, body: dict):
    assert client_for(rep).post(API, body, content_type="application/json").status_code == 422


def test_api_says_when_an_account_is_at_no_show(organization, rep, client_for):
    account = AccountFactory.create(organization=organization)

    answer = client_for(rep).post(API, {"accountId": str(account.pk)}, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json()["title"] == "This account is not targeted at any show yet, and a score belongs to a show."


def test_api_does_not_know_records_of_other_organizations(organization, event, stranger, client_for):
    target = target_of(organization, event)

    answer = client_for(stranger).post(API, {"accountId": str(target.account_id)}, content_type="application/json")

    assert answer.status_code == 404


def test_api_reads_the_rules(organization, manager, viewer, client_for):
    with org_scope(organization.pk):
        services.save_rules(
            organization,
            rules=[Rule(subject="account", fact="website", operator="is_set", points=10)],
            thresholds=Thresholds(70, 50, 30),
            version=0,
            actor=manager,
        )

    assert client_for(viewer).get(f"{API}/rules").json()["data"] == {
        "version": 1,
        "tierA": 70,
        "tierB": 50,
        "tierC": 30,
        "rules": [
            {
                "subject": "account",
                "fact": "website",
                "operator": "is_set",
                "value": {},
                "points": 10,
                "text": "website known",
            }
        ],
    }


def test_best_target_is_the_chosen_show_or_the_latest(organization, event):
    target = target_of(organization, event)
    later = TargetAccountFactory.create(
        account=target.account,
        event=EventFactory.create(organization=organization, starts_on="2027-01-01", ends_on="2027-01-02"),
    )

    with org_scope(organization.pk):
        assert services.best_target(target.account, event) == target
        assert services.best_target(target.account, None) == later
