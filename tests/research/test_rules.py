"""What a score is: the definition in ``research/rules.py``, example by example and by properties."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.facts import ACCOUNT_FACTS, amount
from research.models import Operator, Subject
from research.rules import Rule, Scorer, Thresholds, percent, plain, word_pattern


def rule(
    fact: str, operator: str, points: int, *, subject: str = Subject.ACCOUNT, label: str = "", **value: object
) -> Rule:
    return Rule(subject=subject, fact=fact, operator=operator, points=points, value=value, label=label)


EMPLOYEES = rule("employee_count", Operator.BETWEEN, 20, min=200, max=5000)
INDUSTRY = rule("industry", Operator.CONTAINS_ANY, 20, words=["robot*", "automation"])


def test_score_is_the_share_of_the_points_within_reach_with_the_reasons_in_words():
    scorer = Scorer([EMPLOYEES, INDUSTRY])

    score = scorer.score([620, ""])

    assert score.value == 50
    assert [plain(reason) for reason in score.reasons] == ["+20 200–5,000 employees (620)", "0 industry unknown"]


def test_best_rung_of_a_ladder_counts_once():
    scorer = Scorer([EMPLOYEES, rule("employee_count", Operator.AT_LEAST, 10, min=100), INDUSTRY])

    assert scorer.reachable == 40
    assert scorer.score([620, "Food"]).value == 50
    assert scorer.score([150, "Food"]).value == 25


def test_missed_fact_says_what_was_wanted():
    reasons = Scorer([EMPLOYEES]).score([12]).reasons

    assert [plain(reason) for reason in reasons] == ["0 12 employees (wanted: 200–5,000 employees)"]


def test_deductions_all_count_and_never_push_below_zero():
    competitor = rule("tags", Operator.ONE_OF, -30, words=["Competitor"], label="is a competitor")
    scorer = Scorer([EMPLOYEES, competitor])

    assert scorer.score([620, ["competitor"]]).value == 0
    assert [plain(reason) for reason in scorer.score([620, ["competitor"]]).reasons] == [
        "+20 200–5,000 employees (620)",
        "−30 is a competitor (competitor)",
    ]
    assert scorer.score([620, []]).value == 100


def test_without_awarding_rules_there_is_no_score():
    assert Scorer([]).score([]).value is None
    assert Scorer([rule("website", Operator.IS_NOT_SET, -10)]).score([""]).value is None


def test_presence_rules_know_nothing_from_something():
    scorer = Scorer([rule("website", Operator.IS_SET, 10)])

    assert scorer.score(["https://acme.example"]).value == 100
    assert [plain(reason) for reason in scorer.score(["  "]).reasons] == ["0 website unknown"]


def test_personas_are_named_as_the_page_names_them():
    scorer = Scorer([rule("personas", Operator.ONE_OF, 10, subject=Subject.PERSON, words=["is_ops", "is_proc"])])

    assert [plain(reason) for reason in scorer.score(["is_ops,is_tech,"]).reasons] == [
        "+10 personas include Operations, Procurement (Operations, Technology)"
    ]
    assert [plain(reason) for reason in scorer.score([""]).reasons] == ["0 no personas"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CTO", True),
        ("Director of Sales", False),
        ("Stellv. Geschäftsführer", True),
        ("Roboter-Abteilung", True),
        ("MVP", False),
        ("vice  president", True),
    ],
)
def test_words_match_whole_words_without_regard_to_case_and_accents(text: str, found: bool):
    scorer = Scorer(
        [
            rule(
                "title",
                Operator.CONTAINS_ANY,
                10,
                subject=Subject.PERSON,
                words=["cto", "vp", "vice president", "Geschäftsführer", "robot*"],
            )
        ]
    )

    assert scorer.score([text]).value == (100 if found else 0)


def test_empty_words_match_nothing():
    assert word_pattern(["", "*"]).search("anything") is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (5000, "5,000"),
        (Decimal("12500000.00"), "12.5M"),
        (10**9, "1B"),
        (999_999, "999,999"),
        (5 * 10**12, "5,000B"),
    ],
)
def test_amounts_are_short_and_exact_enough(number: int, text: str):
    assert amount(number) == text


@pytest.mark.parametrize(
    ("fact", "operator", "value", "words"),
    [
        ("employee_count", Operator.AT_LEAST, {"min": 200}, "at least 200 employees"),
        ("stands", Operator.AT_LEAST, {"min": 1}, "at least 1 stand"),
        ("revenue", Operator.AT_MOST, {"max": 10**7}, "revenue at most 10M USD"),
        ("revenue", Operator.BETWEEN, {"min": 10**6, "max": 10**9}, "revenue 1M–1B USD"),
        ("website", Operator.IS_NOT_SET, {}, "website not known"),
        ("tags", Operator.ONE_OF, {"words": ["Key", "Old"]}, "tags include Key, Old"),
        ("country", Operator.ONE_OF, {"words": ["Germany"]}, "country is Germany"),
    ],
)
def test_rules_are_described_in_words(fact: str, operator: str, value: dict, words: str):
    assert Rule(subject=Subject.ACCOUNT, fact=fact, operator=operator, points=1, value=value).describe() == words


def test_score_of_the_account_is_named_before_its_bound():
    reasons = (
        Scorer([rule("account_score", Operator.AT_LEAST, 20, subject=Subject.PERSON, min=60)]).score([100]).reasons
    )

    assert [plain(reason) for reason in reasons] == ["+20 ICP score of the account at least 60 (100)"]


def test_tiers_follow_the_thresholds():
    tiers = Thresholds(80, 60, 40)

    assert [tiers.tier(score) for score in (100, 80, 79, 60, 59, 40, 39, 0, None)] == [*"AABBCCDD", ""]


OPERATORS = st.sampled_from(
    [
        rule("employee_count", Operator.BETWEEN, 1, min=10, max=100),
        rule("employee_count", Operator.AT_LEAST, 1, min=50),
        rule("revenue", Operator.AT_MOST, 1, max=1000),
        rule("industry", Operator.CONTAINS_ANY, 1, words=["robot*"]),
        rule("industry", Operator.ONE_OF, 1, words=["food"]),
        rule("website", Operator.IS_SET, 1),
        rule("tags", Operator.ONE_OF, 1, words=["key"]),
    ]
)
RULES = st.lists(
    st.builds(
        lambda base, points: Rule(
            subject=base.subject, fact=base.fact, operator=base.operator, value=base.value, points=points
        ),
        OPERATORS,
        st.integers(-100, 100).filter(bool),
    ),
    max_size=12,
)
ACCOUNTS = st.fixed_dictionaries(
    {
        "employee_count": st.none() | st.integers(0, 10**6),
        "revenue": st.none() | st.decimals(0, 10**12, places=2),
        "industry": st.sampled_from(["", "Food", "Robotics"]) | st.text(max_size=20),
        "website": st.sampled_from(["", "https://acme.example"]),
        "tags": st.lists(st.sampled_from(["key", "other"]), unique=True),
    }
)


@given(RULES, st.lists(ACCOUNTS, min_size=1, max_size=5))
def test_scores_stay_within_bounds_and_equal_the_sum_of_their_reasons(rules: list[Rule], accounts: list[dict]):
    scorer = Scorer(rules)

    for account in accounts:
        values = [account[key] for key in scorer.facts]
        score = scorer.score(values)
        assert score.value is None or 0 <= score.value <= 100
        assert score.value == percent(sum(reason["points"] for reason in score.reasons), scorer.reachable)
        assert all(reason["points"] <= reason["most"] or reason["outcome"] == "deducted" for reason in score.reasons)
        assert Scorer(rules).score(values) == score


@given(RULES, ACCOUNTS)
def test_what_is_stored_equals_what_is_shown(rules: list[Rule], account: dict):
    scorer = Scorer(rules)
    values = [account[key] for key in scorer.facts]

    value, reasons = scorer.score_as_json(values)

    assert (value, json.loads(reasons)) == (scorer.score(values).value, scorer.score(values).reasons)


@given(RULES, ACCOUNTS)
def test_order_of_rules_does_not_change_the_score(rules: list[Rule], account: dict):
    there, back = Scorer(rules), Scorer(rules[::-1])

    assert there.score([account[k] for k in there.facts]).value == back.score([account[k] for k in back.facts]).value


def test_every_fact_offers_operators_that_fit():
    assert all(fact.operators for fact in ACCOUNT_FACTS.values())
