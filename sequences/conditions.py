"""What a branch asks: a rule over an allow-list of facts. Pure: the facts come as plain values.

A rule is JSON: ``{"match": "all", "tests": [{"fact": "target.tier", "is": "one_of", "value": ["A", "B"]}]}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from accounts.models import TargetAccount, Tier
from common.text import normalise
from people.models import PERSONA_FLAGS

Value = str | int | bool | tuple[str, ...] | None
Facts = Mapping[str, Value]


class Sort(StrEnum):
    """What kind of value a fact has, and so which tests fit it."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes_no"
    TAGS = "tags"


@dataclass(frozen=True)
class Fact:
    label: str
    sort: Sort
    choices: Mapping[str, str] | None = None


FACTS: Mapping[str, Fact] = {
    "person.title": Fact("job title", Sort.TEXT),
    "person.seniority": Fact("seniority", Sort.TEXT),
    "person.department": Fact("department", Sort.TEXT),
    "person.city": Fact("city of the person", Sort.TEXT),
    "person.country": Fact("country of the person", Sort.TEXT),
    "person.icp_score": Fact("score of the person", Sort.NUMBER),
    "person.tags": Fact("tag of the person", Sort.TAGS),
    "person.owner": Fact("owner of the person", Sort.TEXT),
    "person.met_at_booth": Fact("the person was met at the booth", Sort.YES_NO),
    "person.has_phone": Fact("the person has a phone number", Sort.YES_NO),
    "person.has_linkedin": Fact("the person has a LinkedIn address", Sort.YES_NO),
    **{f"person.{flag}": Fact(f"persona {label}", Sort.YES_NO) for flag, label in PERSONA_FLAGS.items()},
    "account.industry": Fact("industry", Sort.TEXT),
    "account.country": Fact("country of the company", Sort.TEXT),
    "account.employee_count": Fact("employees of the company", Sort.NUMBER),
    "account.tags": Fact("tag of the company", Sort.TAGS),
    "target.tier": Fact("tier", Sort.CHOICE, dict(Tier.choices)),
    "target.status": Fact("status", Sort.CHOICE, dict(TargetAccount.Status.choices)),
    "target.stage": Fact("stage", Sort.CHOICE, dict(TargetAccount.Stage.choices)),
    "target.icp_score": Fact("score of the company", Sort.NUMBER),
    "target.owner": Fact("owner at the show", Sort.TEXT),
    "mail.opened": Fact("a person opened a mail of this sequence", Sort.YES_NO),
    "mail.clicked": Fact("a person clicked in a mail of this sequence", Sort.YES_NO),
    "mail.replied": Fact("the person answered", Sort.YES_NO),
}
"""Every fact a rule may name. Opens and clicks are those of people; machines do not count."""

TESTS: Mapping[Sort, Mapping[str, str]] = {
    Sort.TEXT: {"contains": "contains", "one_of": "is one of", "known": "is known", "unknown": "is not known"},
    Sort.NUMBER: {"at_least": "is at least", "below": "is below", "known": "is known", "unknown": "is not known"},
    Sort.CHOICE: {"one_of": "is one of", "none_of": "is none of"},
    Sort.YES_NO: {"yes": "yes", "no": "no"},
    Sort.TAGS: {"one_of": "is one of", "none_of": "is none of"},
}
"""The tests that fit each sort of fact, and how a page words them."""


class Test(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    fact: str
    test: str = Field(alias="is")
    value: str | int | list[str] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Test:
        fact = FACTS.get(self.fact)
        if fact is None:
            raise ValueError(f"There is no fact “{self.fact}”.")
        if self.test not in TESTS[fact.sort]:
            raise ValueError(f"“{fact.label}” cannot be asked “{self.test}”.")
        if self.test in {"contains", "one_of", "none_of"} and not self.words:
            raise ValueError(f"Say what “{fact.label}” should be.")
        if self.test in {"at_least", "below"} and not isinstance(self.value, int):
            raise ValueError(f"“{fact.label}” is compared with a number.")
        unknown = [word for word in self.words if fact.choices and word not in fact.choices]
        if unknown:
            raise ValueError(f"“{fact.label}” is never “{unknown[0]}”.")
        return self

    @property
    def words(self) -> list[str]:
        """The values of the test as a list of texts."""
        values = self.value if isinstance(self.value, list) else [] if self.value is None else [str(self.value)]
        return [word.strip() for word in values if word.strip()]

    def holds(self, facts: Facts) -> bool:
        return _HOLDS[self.test](facts.get(self.fact), self)

    def __str__(self) -> str:
        fact = FACTS[self.fact]
        if fact.sort == Sort.YES_NO:
            return fact.label if self.test == "yes" else f"not: {fact.label}"
        names = [fact.choices.get(word, word) if fact.choices else word for word in self.words]
        return " ".join(filter(None, [fact.label, TESTS[fact.sort][self.test], " or ".join(names)]))


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Literal["all", "any"] = "all"
    tests: tuple[Test, ...] = Field(min_length=1, max_length=10)

    def holds(self, facts: Facts) -> bool:
        answers = (test.holds(facts) for test in self.tests)
        return all(answers) if self.match == "all" else any(answers)

    def __str__(self) -> str:
        return (", and " if self.match == "all" else ", or ").join(map(str, self.tests))


class InvalidRule(ValueError):
    """The rule cannot be asked. Its text says why, in plain words."""


def read_rule(data: Any) -> Rule:
    """The rule a JSON value means. Raises InvalidRule."""
    try:
        return Rule.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise InvalidRule(str(first["msg"]).removeprefix("Value error, ")) from error


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Value) -> str:
    return normalise(value) if isinstance(value, str) else ""


def _contains(value: Value, test: Test) -> bool:
    return any(normalise(word) in _text(value) for word in test.words)


def _one_of(value: Value, test: Test) -> bool:
    words = {normalise(word) for word in test.words}
    return any(_text(one) in words for one in (value if isinstance(value, tuple) else (value,)) if _text(one))


def _at_least(value: Value, test: Test) -> bool:
    number = _number(value)
    return number is not None and isinstance(test.value, int) and number >= test.value


def _below(value: Value, test: Test) -> bool:
    number = _number(value)
    return number is not None and isinstance(test.value, int) and number < test.value


_HOLDS: Mapping[str, Callable[[Value, Test], bool]] = {
    "contains": _contains,
    "one_of": _one_of,
    "none_of": lambda value, test: not _one_of(value, test),
    "at_least": _at_least,
    "below": _below,
    "known": lambda value, _test: value not in {None, ""},
    "unknown": lambda value, _test: value in {None, ""},
    "yes": lambda value, _test: value is True,
    "no": lambda value, _test: value is not True,
}
