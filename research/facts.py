"""The facts a scoring rule may ask about: an allow-list with how each is read and how it is said."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, F, Max, OuterRef, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat

from accounts.models import AccountTag, Stand, TargetAccount
from people.models import PERSONA_FLAGS, Person, PersonTag
from research.models import Operator, Subject


class Kind(Enum):
    """What sort of answer a fact has, and so which questions fit."""

    NUMBER = "number"
    TEXT = "text"
    LIST = "list"
    PRESENCE = "presence"


OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    Kind.NUMBER: (Operator.BETWEEN, Operator.AT_LEAST, Operator.AT_MOST, Operator.IS_SET, Operator.IS_NOT_SET),
    Kind.TEXT: (Operator.CONTAINS_ANY, Operator.ONE_OF, Operator.IS_SET, Operator.IS_NOT_SET),
    Kind.LIST: (Operator.ONE_OF, Operator.IS_SET, Operator.IS_NOT_SET),
    Kind.PRESENCE: (Operator.IS_SET, Operator.IS_NOT_SET),
}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing known, or not, about an account at a show or about a person.

    ``read`` gives the expression over ``TargetAccount`` or ``Person``. ``unit`` follows a number. ``choices`` are the
    only values of a closed list, with the words a page uses for them.
    """

    key: str
    subject: Subject
    label: str
    kind: Kind
    read: Callable[[], Combinable]
    unit: str = ""
    unit_of_one: str = ""
    choices: dict[str, str] | None = None

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind]

    @property
    def word(self) -> str:
        """The label inside a sentence."""
        return self.label if self.label[:2].isupper() else self.label[:1].lower() + self.label[1:]

    def say(self, value: Any) -> str:
        """A known value in words: ``620 employees``, ``industry Robotics``, ``halls 4, 5``."""
        if self.kind is Kind.NUMBER:
            return self.quantity(value)
        return f"{self.word} {self.say_value(value)}"

    def say_value(self, value: Any) -> str:
        """The value alone: ``620``, ``Robotics``, ``4, 5``."""
        if self.kind is Kind.NUMBER:
            return amount(value)
        if self.kind is Kind.LIST:
            shown = [(self.choices or {}).get(item, item) for item in value]
            return ", ".join(shown[:5]) + (" …" if len(shown) > 5 else "")
        return value if len(value) <= 60 else f"{value[:59]}…"

    def say_absence(self) -> str:
        """That nothing is known: ``industry unknown``, ``no tags``."""
        return f"no {self.word}" if self.kind is Kind.LIST else f"{self.word} unknown"

    def bounded(self, bound: str, number: Any) -> str:
        """A number with its bound: ``at least 200 employees``, ``revenue at most 10M USD``."""
        if self.unit and self.unit != "USD":
            return f"{bound} {self.quantity(number)}"
        return f"{self.word} {bound} {amount(number)}{' USD' if self.unit else ''}"

    def quantity(self, *numbers: Any) -> str:
        """One number or a range with its unit: ``200–5,000 employees``, ``revenue 10M–1B USD``."""
        shown = "–".join(amount(number) for number in numbers)
        if self.unit == "USD":
            return f"{self.word} {shown} USD"
        if self.unit:
            return f"{shown} {self.unit_of_one if numbers == (1,) else self.unit}"
        return f"{self.word} {shown}"


_SUFFIXES = ((10**9, "B"), (10**6, "M"))


def amount(number: int | Decimal) -> str:
    """``5,000``; from a million on with at most three figures: ``12.5M``, ``3B``."""
    for size, suffix in _SUFFIXES:
        if number >= size:
            share = int(number) / size
            digits = f"{share:,.{2 if share < 10 else 1 if share < 100 else 0}f}"
            short = digits.rstrip("0").rstrip(".") if "." in digits else digits
            return f"{short}{suffix}"
    return f"{number:,.0f}"


def _account_tags() -> Combinable:
    rows = AccountTag.objects.filter(account=OuterRef("account_id")).order_by("tag__name_norm")
    return ArraySubquery(rows.values("tag__name"))


def _person_tags() -> Combinable:
    return ArraySubquery(PersonTag.objects.filter(person=OuterRef("pk")).order_by("tag__name_norm").values("tag__name"))


def _stands() -> Combinable:
    rows = Stand.objects.filter(target=OuterRef("pk")).order_by().values("target").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(rows), 0)


def _halls() -> Combinable:
    rows = Stand.objects.filter(target=OuterRef("pk")).exclude(hall="").order_by("hall").values("hall").distinct()
    return ArraySubquery(rows)


def _contacts() -> Combinable:
    rows = Person.objects.filter(account=OuterRef("account_id")).order_by().values("account")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)


def _personas() -> Combinable:
    """The keys of the flags that are on, as ``is_ops,is_tech,``: text, because a row of six booleans has no name."""
    return Concat(*(Case(When(**{flag: True}, then=Value(f"{flag},")), default=Value("")) for flag in PERSONA_FLAGS))


def _account_score() -> Combinable:
    rows = TargetAccount.objects.filter(account=OuterRef("account_id")).order_by().values("account")
    return Subquery(rows.annotate(best=Max("icp_score")).values("best"))


def _of_account(name: str) -> Callable[[], Combinable]:
    return lambda: F(f"account__{name}")


def _own(name: str) -> Callable[[], Combinable]:
    return lambda: F(name)


def _account(key: str, label: str, kind: Kind, read: Callable[[], Combinable] | None = None, **more: Any) -> Fact:
    return Fact(key=key, subject=Subject.ACCOUNT, label=label, kind=kind, read=read or _of_account(key), **more)


def _person(key: str, label: str, kind: Kind, read: Callable[[], Combinable] | None = None, **more: Any) -> Fact:
    return Fact(key=key, subject=Subject.PERSON, label=label, kind=kind, read=read or _own(key), **more)


ACCOUNT_FACTS: dict[str, Fact] = {
    fact.key: fact
    for fact in (
        _account("employee_count", "Employees", Kind.NUMBER, unit="employees", unit_of_one="employee"),
        _account("revenue", "Revenue", Kind.NUMBER, unit="USD"),
        _account("industry", "Industry", Kind.TEXT),
        _account("description", "Description", Kind.TEXT),
        _account("country", "Country", Kind.TEXT),
        _account("region", "Region", Kind.TEXT),
        _account("city", "City", Kind.TEXT),
        _account("website", "Website", Kind.PRESENCE),
        _account("phone", "Phone", Kind.PRESENCE),
        _account("linkedin", "LinkedIn", Kind.PRESENCE),
        _account("tags", "Tags", Kind.LIST, _account_tags),
        _account("stands", "Stands", Kind.NUMBER, _stands, unit="stands", unit_of_one="stand"),
        _account("halls", "Halls", Kind.LIST, _halls),
        _account("contacts", "People", Kind.NUMBER, _contacts, unit="people we know", unit_of_one="person we know"),
    )
}
PERSON_FACTS: dict[str, Fact] = {
    fact.key: fact
    for fact in (
        _person("title", "Job title", Kind.TEXT),
        _person("seniority", "Seniority", Kind.TEXT),
        _person("department", "Department", Kind.TEXT),
        _person("personas", "Personas", Kind.LIST, _personas, choices=dict(PERSONA_FLAGS)),
        _person("email", "E-mail address", Kind.PRESENCE),
        _person("phone", "Phone", Kind.PRESENCE),
        _person("mobile", "Mobile", Kind.PRESENCE),
        _person("linkedin", "LinkedIn", Kind.PRESENCE),
        _person("country", "Country", Kind.TEXT),
        _person("city", "City", Kind.TEXT),
        _person("tags", "Tags", Kind.LIST, _person_tags),
        _person("account_score", "ICP score of the account", Kind.NUMBER, _account_score),
    )
}
FACTS: dict[str, dict[str, Fact]] = {Subject.ACCOUNT: ACCOUNT_FACTS, Subject.PERSON: PERSON_FACTS}
"""Subject to key to fact. A key that is not here is refused, wherever it comes from."""
