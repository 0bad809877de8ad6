"""Whether one wording of several is better than the others, or only had luck. Pure.

The rule is asked when every wording has enough mails that are old enough, and again each time that number has doubled. To
ask often is to find luck sooner or later, so every further look, and every further wording, must be surer than the one
before: the chance of a wrong winner over all looks together stays below what the author allowed (Bonferroni; the looks
spend a half, a quarter, an eighth … of it). Two wordings are told apart by Fisher's exact test, which is right for small
numbers too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What one wording has come to: mails that count, and how many of them brought what is counted."""

    letter: str
    sends: int
    results: int

    @property
    def rate(self) -> float:
        return self.results / self.sends if self.sends else 0.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a wording has won. ``certainty`` in percent, 0 when the lead alone decides; ``what`` names the results."""

    least_sends: int
    least_lead: int
    certainty: int
    what: tuple[str, str] = ("answer", "answers")

    def sends_for_look(self, looks: int) -> int:
        """Mails that each wording needs before it is looked at for the next time, after ``looks`` looks."""
        return self.least_sends << min(looks, 30)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``winner`` is empty while there is none; ``looked`` says whether this was one of the looks that are counted."""

    words: str
    winner: str = ""
    looked: bool = False


def judge(arms: Sequence[Arm], rule: Rule, *, looks: int) -> Verdict:
    """Who has won by the rule, or why nobody has, in plain words."""
    ranked = sorted(arms, key=lambda arm: (-arm.rate, arm.letter))
    best, second = ranked[0], ranked[1]
    needed = rule.sends_for_look(looks)
    short = [arm for arm in arms if arm.sends < needed]
    ahead = _ahead(best, second, rule)
    if short:
        words = f"No clear winner yet: {ahead}. Asked {'again ' if looks else ''}at {needed:,} mails of each"
        lacking = ", ".join(f"{arm.letter} has {arm.sends:,}" for arm in short)
        return Verdict(words=f"{words}; {lacking} that count.")
    if _lead(best, second) < rule.least_lead:
        return Verdict(words=f"No clear winner yet: {ahead}; a winner leads by {rule.least_lead}.", looked=True)
    if rule.certainty:
        allowed = (1 - rule.certainty / 100) / 2 ** (looks + 1) / (len(arms) - 1)
        chance = max(by_chance(best, other) for other in ranked[1:])
        if chance > allowed:
            words = f"No clear winner yet: {ahead}, which may be chance ({_odds(chance)})."
            return Verdict(words=words, looked=True)
    return Verdict(words=f"{best.letter} won: {ahead}.", winner=best.letter, looked=True)


def _lead(best: Arm, second: Arm) -> int:
    """By how many results the best is ahead, over as many mails as the one with fewer has."""
    base = min(best.sends, second.sends)
    if not base:
        return 0
    return (best.results * second.sends - second.results * best.sends) * base // (best.sends * second.sends)


def _ahead(best: Arm, second: Arm, rule: Rule) -> str:
    lead, base = _lead(best, second), min(best.sends, second.sends)
    if not lead:
        return (
            f"{best.letter} and {second.letter} are level"
            if best.rate == second.rate
            else f"{best.letter} leads by less than one"
        )
    return f"{best.letter} is ahead by {lead:,} {rule.what[lead != 1]} of {base:,}"


def _odds(chance: float) -> str:
    return "as likely as not" if chance > 0.5 else f"1 in {round(1 / chance):,}"


def by_chance(one: Arm, other: Arm) -> float:
    """How likely a difference as large as this one is between two wordings that are equally good (two-sided)."""
    results, sends = one.results + other.results, one.sends + other.sends
    whole = _ln_choose(sends, results)

    def ln_probability(k: int) -> float:
        return _ln_choose(one.sends, k) + _ln_choose(other.sends, results - k) - whole

    seen = ln_probability(one.results)
    possible = range(max(0, results - other.sends), min(results, one.sends) + 1)
    return min(1.0, sum(exp(p) for k in possible if (p := ln_probability(k)) <= seen + 1e-7))


def _ln_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
