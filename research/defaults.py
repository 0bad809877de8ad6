"""The rules an organization starts with, until it saves its own."""

from research.models import Operator, Subject
from research.rules import Rule, RuleSet

_INDUSTRIES = ["manufactur*", "automat*", "robot*", "machin*", "electr*", "logist*", "engineer*"]
_DECIDERS = [
    "chief", "ceo", "coo", "cto", "cpo", "founder", "owner", "president", "vp", "vice president", "director", "head",
    "geschäftsführer", "leiter", "leiterin",
]  # fmt: skip
_DOERS = ["manager", "lead", "senior", "principal"]


def _account(fact: str, operator: Operator, points: int, **value: object) -> Rule:
    return Rule(subject=Subject.ACCOUNT, fact=fact, operator=operator, points=points, value=value)


def _person(fact: str, operator: Operator, points: int, **value: object) -> Rule:
    return Rule(subject=Subject.PERSON, fact=fact, operator=operator, points=points, value=value)


DEFAULT_RULES = RuleSet(
    rules=(
        _account("employee_count", Operator.BETWEEN, 30, min=200, max=5_000),
        _account("employee_count", Operator.AT_LEAST, 20, min=5_001),
        _account("employee_count", Operator.BETWEEN, 10, min=50, max=199),
        _account("revenue", Operator.BETWEEN, 25, min=10_000_000, max=1_000_000_000),
        _account("revenue", Operator.AT_LEAST, 15, min=1_000_000_000),
        _account("industry", Operator.CONTAINS_ANY, 25, words=_INDUSTRIES),
        _account("website", Operator.IS_SET, 10),
        _account("stands", Operator.AT_LEAST, 10, min=1),
        _person("title", Operator.CONTAINS_ANY, 30, words=_DECIDERS),
        _person("title", Operator.CONTAINS_ANY, 15, words=_DOERS),
        _person("personas", Operator.ONE_OF, 30, words=["is_exec_ops", "is_ops", "is_proc"]),
        _person("email", Operator.IS_SET, 20),
        _person("account_score", Operator.AT_LEAST, 20, min=60),
        _person("account_score", Operator.AT_LEAST, 10, min=40),
    )
)
