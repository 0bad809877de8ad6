"""What a score is: pure functions from rules and facts to points and reasons.

The definition, in full:

* Every rule asks one question about one fact. Rules about the same fact are rungs of one ladder: of those that award
  points, only the best one that fits counts. Rules that deduct points all count.
* What can be reached is the sum, over the facts, of the best award for each.
* The score is ``100 x (awards - deductions) / what can be reached``, rounded half up and kept within 0 and 100. A fact
  that is not known earns nothing and stays in what can be reached: knowing more can only help.
* Without any rule that awards points there is no score.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from uuid import UUID

from common.text import normalise
from research.facts import FACTS, Fact, Kind
from research.models import Operator

Outcome = Literal["met", "missed", "unknown", "deducted"]


class Reason(TypedDict):
    """One line of the explanation: ``points`` earned of the ``most`` that this fact can bring."""

    fact: str
    outcome: Outcome
    points: int
    most: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule without its row. ``value`` is ``{"min":…}``, ``{"max":…}``, both, ``{"words": […]}`` or empty."""

    subject: str
    fact: str
    operator: str
    points: int
    value: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    id: UUID | None = None

    def describe(self) -> str:
        """The question in words: ``200–5,000 employees``, ``industry mentions robot, automation``."""
        return self.label or _describe(FACTS[self.subject][self.fact], self.operator, self.value)


@dataclass(frozen=True)
class Thresholds:
    a: int = 80
    b: int = 60
    c: int = 40

    def tier(self, score: int | None) -> str:
        """The tier a score proposes; ``""`` without a score."""
        if score is None:
            return ""
        return "A" if score >= self.a else "B" if score >= self.b else "C" if score >= self.c else "D"


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of an organization as of ``version`` (0: the defaults, never saved)."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds = Thresholds()
    version: int = 0

    def of(self, subject: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.subject == subject)


@dataclass(frozen=True)
class Score:
    value: int | None
    reasons: list[Reason]


def plain(reason: Mapping[str, Any]) -> str:
    """A reason as one line: ``+20 200–5,000 employees (620)``, ``0 industry unknown``, ``−10 tag competitor``."""
    points = reason["points"]
    sign = "+" if points > 0 else "−" if points < 0 else ""
    return f"{sign}{abs(points)} {reason['text']}"


def percent(earned: int, reachable: int) -> int | None:
    """The share as 0 to 100, rounded half up; ``None`` when nothing can be reached."""
    if reachable <= 0:
        return None
    return max(0, min(100, (200 * earned + reachable) // (2 * reachable)))


_MEMO_LIMIT = 50_000


class Scorer:
    """The rules of one subject, made ready for many rows.

    ``facts`` names the values a row must bring, in that order. Values repeat (countries, industries, sizes), so every
    answer about a value is remembered.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        by_fact: dict[str, list[Rule]] = {}
        for rule in rules:
            by_fact.setdefault(rule.fact, []).append(rule)
        self.facts = tuple(by_fact)
        self._ladders = [_Ladder(FACTS[ladder[0].subject][key], ladder) for key, ladder in by_fact.items()]
        self.reachable = sum(ladder.best for ladder in self._ladders)

    def score(self, values: Sequence[Any]) -> Score:
        """``values`` in the order of ``facts``; ``None`` and ``""`` mean unknown."""
        pairs = list(zip(self._ladders, values, strict=True))
        reasons = [reason for ladder, value in pairs for reason in ladder.reasons(value)]
        return Score(percent(sum(reason["points"] for reason in reasons), self.reachable), reasons)

    def score_as_json(self, values: Sequence[Any]) -> tuple[int | None, str]:
        """The same, with the reasons as a JSON array: what is written for a hundred thousand rows."""
        answers = [ladder.answer(value) for ladder, value in zip(self._ladders, values, strict=True)]
        points = sum(answer.points for answer in answers)
        return percent(points, self.reachable), "[" + ",".join(a.json for a in answers if a.json) + "]"


@dataclass(frozen=True, slots=True)
class _Answer:
    points: int
    lines: tuple[tuple[Outcome, int, int, str], ...]
    json: str


class _Ladder:
    """All rules about one fact."""

    def __init__(self, fact: Fact, rules: Sequence[Rule]) -> None:
        self.fact = fact
        ready = [_Ready(rule, rule.describe(), _test(fact, rule.operator, rule.value)) for rule in rules]
        self._awards = sorted((one for one in ready if one.rule.points > 0), key=lambda one: -one.rule.points)
        self._deductions = [one for one in ready if one.rule.points < 0]
        self._memo: dict[Any, _Answer] = {}
        self.best = self._awards[0].rule.points if self._awards else 0

    def answer(self, value: Any) -> _Answer:
        key = tuple(value) if isinstance(value, list) else value
        found = self._memo.get(key)
        if found is None:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            found = self._memo[key] = self._work_out(_clean(self.fact, value))
        return found

    def reasons(self, value: Any) -> list[Reason]:
        key = self.fact.key
        return [
            Reason(fact=key, outcome=outcome, points=points, most=most, text=text)
            for outcome, points, most, text in self.answer(value).lines
        ]

    def _work_out(self, value: Any) -> _Answer:
        lines: list[tuple[Outcome, int, int, str]] = []
        if self._awards:
            met = next((one for one in self._awards if one.test(value)), None)
            if met:
                lines.append(("met", met.rule.points, self.best, met.text(self.fact, value)))
            elif value is None:
                lines.append(("unknown", 0, self.best, self.fact.say_absence()))
            else:
                wanted = self._awards[0].description
                lines.append(("missed", 0, self.best, f"{self.fact.say(value)} (wanted: {wanted})"))
        lines += [
            ("deducted", one.rule.points, 0, one.text(self.fact, value)) for one in self._deductions if one.test(value)
        ]
        encoded = ",".join(
            f'{{"fact":"{self.fact.key}","outcome":"{outcome}","points":{points},"most":{most},'
            f'"text":{json.dumps(text)}}}'
            for outcome, points, most, text in lines
        )
        return _Answer(sum(line[1] for line in lines), tuple(lines), encoded)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule with its words and its question worked out once."""

    rule: Rule
    description: str
    test: Callable[[Any], bool]

    def text(self, fact: Fact, value: Any) -> str:
        if value is None or self.rule.operator in _PRESENCE:
            return self.description
        return f"{self.description} ({fact.say_value(value)})"


_PRESENCE = frozenset({Operator.IS_SET, Operator.IS_NOT_SET})


def _clean(fact: Fact, value: Any) -> Any:
    """The value, or ``None`` when it says nothing."""
    if fact.kind is Kind.NUMBER:
        return value
    if fact.kind is Kind.LIST:
        items = [item for item in value.split(",") if item] if isinstance(value, str) else list(value or ())
        return items or None
    return (value or "").strip() or None


def _test(fact: Fact, operator: str, value: Mapping[str, Any]) -> Callable[[Any], bool]:
    if operator == Operator.IS_SET:
        return lambda known: known is not None
    if operator == Operator.IS_NOT_SET:
        return lambda known: known is None
    if fact.kind is Kind.NUMBER:
        low, high = value.get("min"), value.get("max")
        return lambda known: known is not None and (low is None or known >= low) and (high is None or known <= high)
    words = [normalise(word) for word in value.get("words", ())]
    if operator == Operator.CONTAINS_ANY:
        pattern = word_pattern(words)
        return lambda known: known is not None and pattern.search(normalise(known)) is not None
    wanted = frozenset(words)
    if fact.kind is Kind.LIST:
        return lambda known: known is not None and any(normalise(item) in wanted for item in known)
    return lambda known: known is not None and normalise(known) in wanted


def word_pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Finds any of ``words`` (normalised) as whole words; one that ends in ``*`` also as the beginning of a word."""
    parts = [rf"{re.escape(w[:-1])}\w*" if w.endswith("*") else re.escape(w) for w in words if w.strip("*")]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)" if parts else r"(?!)")


def _describe(fact: Fact, operator: str, value: Mapping[str, Any]) -> str:
    if operator == Operator.BETWEEN:
        return fact.quantity(value["min"], value["max"])
    if operator == Operator.AT_LEAST:
        return fact.bounded("at least", value["min"])
    if operator == Operator.AT_MOST:
        return fact.bounded("at most", value["max"])
    if operator == Operator.IS_SET:
        return f"{fact.word} known"
    if operator == Operator.IS_NOT_SET:
        return f"{fact.word} not known"
    words = [(fact.choices or {}).get(word, word).rstrip("*") for word in value.get("words", ())]
    shown = ", ".join(words[:4]) + (" …" if len(words) > 4 else "")
    verb = "mentions" if operator == Operator.CONTAINS_ANY else "is" if fact.kind is Kind.TEXT else "include"
    return f"{fact.word} {verb} {shown}"
