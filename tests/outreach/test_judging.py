"""Who has won a comparison, and why nobody has."""

import random

import pytest

from outreach.judging import Arm, Rule, by_chance, judge

RULE = Rule(least_sends=40, least_lead=3, certainty=90)
LEAD_ALONE = Rule(least_sends=40, least_lead=3, certainty=0)


def arms(*numbers):
    return [
        Arm(letter=letter, sends=sends, results=results)
        for letter, (sends, results) in zip("ABCD", numbers, strict=False)
    ]


def test_without_enough_mails_nobody_wins_however_far_ahead():
    verdict = judge(arms((40, 0), (39, 30)), LEAD_ALONE, looks=0)

    assert (verdict.winner, verdict.looked) == ("", False)
    assert (
        verdict.words
        == "No clear winner yet: B is ahead by 30 answers of 39. Asked at 40 mails of each; B has 39 that count."
    )


def test_a_small_lead_is_said_and_does_not_win():
    verdict = judge(arms((40, 3), (40, 5)), RULE, looks=0)

    assert (verdict.winner, verdict.looked) == ("", True)
    assert verdict.words == "No clear winner yet: B is ahead by 2 answers of 40; a winner leads by 3."


def test_a_lead_that_chance_explains_does_not_win():
    verdict = judge(arms((40, 3), (40, 8)), RULE, looks=0)

    assert verdict.winner == ""
    assert verdict.words == "No clear winner yet: B is ahead by 5 answers of 40, which may be chance (1 in 5)."


def test_a_lead_that_chance_does_not_explain_wins():
    verdict = judge(arms((40, 1), (40, 14)), RULE, looks=0)

    assert (verdict.winner, verdict.words) == ("B", "B won: B is ahead by 13 answers of 40.")


def test_a_lead_over_unequal_numbers_is_counted_on_the_smaller():
    verdict = judge(arms((100, 10), (50, 10)), LEAD_ALONE, looks=0)

    assert (verdict.winner, verdict.words) == ("B", "B won: B is ahead by 5 answers of 50.")


def test_equal_wordings_are_level():
    assert judge(arms((40, 4), (40, 4)), RULE, looks=0).words.startswith("No clear winner yet: A and B are level")


def test_the_next_look_is_at_twice_as_many_and_stricter():
    seen = arms((80, 8), (80, 20))

    assert judge(arms((79, 0), (80, 30)), RULE, looks=1).looked is False
    assert [judge(seen, RULE, looks=looks).winner for looks in (0, 1)] == ["B", "B"]
    assert judge(arms((320, 32), (320, 52)), RULE, looks=0).winner == "B"
    assert judge(arms((320, 32), (320, 52)), RULE, looks=3).winner == ""


def test_every_other_wording_must_be_beaten():
    verdict = judge(arms((60, 2), (60, 15), (60, 14)), RULE, looks=0)

    assert verdict.winner == ""


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [((8, 2), (8, 7), 0.0406), ((10, 5), (10, 5), 1.0), ((12, 1), (15, 9), 0.0136), ((0, 0), (5, 1), 1.0)],
)
def test_chance_is_that_of_fishers_exact_test(one, other, chance):
    pair = [Arm(letter="A", sends=one[0], results=one[1]), Arm(letter="B", sends=other[0], results=other[1])]

    assert by_chance(*pair) == pytest.approx(chance, abs=5e-4)


def test_equal_wordings_seldom_have_a_winner_however_often_one_looks():
    chance, wrong = random.Random(7), 0
    for _ in range(400):
        results, looks = [0, 0], 0
        for sends in range(1, 321):
            for side in (0, 1):
                results[side] += chance.random() < 0.15
            verdict = judge(arms((sends, results[0]), (sends, results[1])), RULE, looks=looks)
            looks += verdict.looked
            if verdict.winner:
                wrong += 1
                break

    assert wrong / 400 <= 0.1
