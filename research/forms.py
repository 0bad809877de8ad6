"""The rules as a form: any number of rows in the order they stand on the page, and the thresholds of the tiers."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.urls import reverse

from common.text import normalise
from research.facts import FACTS, Fact, Kind
from research.models import Operator, Subject
from research.rules import Rule, RuleSet, Thresholds

MOST_RULES = 60
_AMOUNT = re.compile(r"^(\d{1,15}(?:\.\d{1,3})?)\s*(k|m|mn|b|bn)?$")
_SIZES = {None: 1, "k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}


def show_effect() -> dict[str, str | bool]:
    """The attributes of an input whose change shows the effect of the whole form beside it."""
    return {
        "hx-post": reverse("research:edit"),
        "hx-trigger": "input delay:350ms",
        "hx-target": "#preview",
        "hx-swap": "outerHTML",
        "hx-sync": "#editor:queue last",
    }


class AmountField(forms.CharField):
    """A whole number that may be written ``5,000``, ``10M`` or ``1.5bn``."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        found = _AMOUNT.match(text.lower().replace(",", "").replace(" ", "").replace("\u202f", ""))
        if not found:
            raise forms.ValidationError("Write a number such as 200, 5,000 or 10M.", code="invalid")
        return int(Decimal(found[1]) * _SIZES[found[2]])

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        for letter, size in (("B", 10**9), ("M", 10**6)):
            if value >= size and value % (size // 100) == 0:
                return f"{value / size:g}{letter}"
        return f"{value:,}"


class RuleForm(forms.Form):
    """One rule. Only the inputs that its operator needs exist; the others keep what was typed out of sight."""

    rule = forms.UUIDField(required=False, widget=forms.HiddenInput)
    subject = forms.ChoiceField(choices=Subject.choices, widget=forms.HiddenInput)
    fact = forms.ChoiceField(label="Fact")
    operator = forms.ChoiceField(label="Question")
    points = forms.IntegerField(label="Points", min_value=-100, max_value=100)
    label = forms.CharField(label="Shown as", max_length=120, required=False)

    def __init__(self, *args: Any, subject: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        facts = FACTS[subject]
        chosen = self["fact"].value()
        self.chosen: Fact = facts.get(chosen) or next(iter(facts.values()))
        operators = [operator.value for operator in self.chosen.operators]
        asked = self["operator"].value()
        self.asked: str = asked if asked in operators else operators[0]
        self._choose("fact", [(fact.key, fact.label) for fact in facts.values()])
        self._choose("operator", [(value, self._question(value)) for value in operators])
        self.initial["subject"] = subject
        self._add_values()

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    def _question(self, operator: str) -> str:
        if self.chosen.kind is Kind.LIST and operator == Operator.ONE_OF:
            return "include any of"
        return str(Operator(operator).label)

    def _add_values(self) -> None:
        if self.asked in {Operator.BETWEEN, Operator.AT_LEAST}:
            self.fields["low"] = AmountField(label="From" if self.asked == Operator.BETWEEN else "At least")
        if self.asked in {Operator.BETWEEN, Operator.AT_MOST}:
            self.fields["high"] = AmountField(label="To" if self.asked == Operator.BETWEEN else "At most")
        if self.asked in {Operator.ONE_OF, Operator.CONTAINS_ANY}:
            if self.chosen.choices:
                self.fields["words"] = forms.MultipleChoiceField(
                    label="Values", choices=list(self.chosen.choices.items()), widget=forms.CheckboxSelectMultiple
                )
            else:
                self.fields["words"] = forms.CharField(label="Words, separated by commas", max_length=2000)

    def clean_operator(self) -> str:
        """A question that does not fit the fact (it was just changed) falls back to the first that does."""
        return self.asked

    def clean_points(self) -> int:
        points: int = self.cleaned_data["points"]
        if points == 0:
            raise forms.ValidationError("Give points (1 to 100) or deduct some (−100 to −1).", code="zero")
        return points

    def clean_words(self) -> list[str]:
        raw = self.cleaned_data["words"]
        words = raw if isinstance(raw, list) else [word.strip() for word in raw.split(",")]
        kept = list({normalise(word): word for word in words if word.strip("* ")}.values())
        if not kept:
            raise forms.ValidationError("Write at least one word.", code="required")
        return kept

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        low, high = cleaned.get("low"), cleaned.get("high")
        if low is not None and high is not None and low > high:
            self.add_error("high", forms.ValidationError("This must not be less than the first number.", code="order"))
        return cleaned

    def value(self) -> Rule:
        """The rule of a valid row."""
        data = self.cleaned_data
        names = {"low": "min", "high": "max", "words": "words"}
        return Rule(
            id=data["rule"],
            subject=data["subject"],
            fact=data["fact"],
            operator=data["operator"],
            points=data["points"],
            label=data["label"].strip(),
            value={stored: data[name] for name, stored in names.items() if name in self.fields},
        )


class ThresholdsForm(forms.Form):
    """From which score on an account is proposed for a tier."""

    tier_a = forms.IntegerField(label="Tier A from", min_value=1, max_value=100)
    tier_b = forms.IntegerField(label="Tier B from", min_value=1, max_value=100)
    tier_c = forms.IntegerField(label="Tier C from", min_value=1, max_value=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs |= show_effect()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        a, b, c = (cleaned.get(name) for name in ("tier_a", "tier_b", "tier_c"))
        if a is not None and b is not None and a <= b:
            self.add_error("tier_b", "Tier B must start below tier A.")
        if b is not None and c is not None and b <= c:
            self.add_error("tier_c", "Tier C must start below tier B.")
        return cleaned

    def value(self) -> Thresholds:
        return Thresholds(self.cleaned_data["tier_a"], self.cleaned_data["tier_b"], self.cleaned_data["tier_c"])


class RulesForm:
    """The whole page: rows named ``r0``, ``r1``, … in the order of the hidden ``row`` inputs."""

    def __init__(self, rows: list[RuleForm], thresholds: ThresholdsForm, version: int) -> None:
        self.rows, self.thresholds, self.version = rows, thresholds, version
        self.error = ""

    @classmethod
    def of(cls, rules: RuleSet) -> "RulesForm":
        """The form as it stands before anybody types."""
        rows = [_row_of(f"r{i}", rule) for i, rule in enumerate(rules.rules)]
        tiers = rules.thresholds
        return cls(
            rows,
            ThresholdsForm(initial={"tier_a": tiers.a, "tier_b": tiers.b, "tier_c": tiers.c}),
            rules.version,
        )

    @classmethod
    def posted(cls, data: QueryDict, *, bind: bool = True) -> "RulesForm":
        """The form as somebody left it. Rows of unknown subjects are dropped; ``bind=False`` shows no complaints yet."""
        keys = list(dict.fromkeys(key for key in data.getlist("row") if re.fullmatch(r"r\d{1,4}", key)))
        rows = [
            RuleForm(data, prefix=key, subject=subject)
            for key in keys[:MOST_RULES]
            if (subject := data.get(f"{key}-subject", "")) in FACTS
        ]
        version = data.get("version", "")
        form = cls(rows, ThresholdsForm(data), int(version) if version.isascii() and version.isdigit() else -1)
        if not bind:
            form.rows = [_unbound(row, data) for row in rows]
        return form

    def is_valid(self) -> bool:
        """Whether everything can be saved. Every row is looked at, so that all complaints stand on the page."""
        return all([*(row.is_valid() for row in self.rows), self.thresholds.is_valid()])

    def complaints(self) -> list[str]:
        """What has to be corrected, a line per rule, for a place where the rows themselves are not drawn anew."""
        lines = [
            f"{row.chosen.label}: {' '.join(str(error) for errors in row.errors.values() for error in errors)}"
            for row in self.rows
            if row.is_bound and row.errors
        ]
        if self.thresholds.is_bound and self.thresholds.errors:
            lines += [str(error) for errors in self.thresholds.errors.values() for error in errors]
        return lines

    def rules(self) -> RuleSet:
        """What a valid form says."""
        return RuleSet(
            rules=tuple(row.value() for row in self.rows), thresholds=self.thresholds.value(), version=self.version
        )

    def sections(self) -> Iterator[tuple[str, str, list[RuleForm]]]:
        """``(subject, title, rows)`` for accounts and people."""
        for subject, title in Subject.choices:
            yield subject, title, [row for row in self.rows if row.initial["subject"] == subject]

    def change(self, action: str) -> bool:
        """Add, remove or move a row: ``add-account``, ``remove-r3``, ``up-r3``, ``down-r3``. Whether it was understood."""
        verb, _, what = action.partition("-")
        if verb == "add" and what in FACTS:
            if len(self.rows) < MOST_RULES:
                self.rows.append(_row_of(self._next_key(), None, what))
            return True
        place = next((i for i, row in enumerate(self.rows) if row.prefix == what), None)
        if place is None or verb not in {"remove", "up", "down"}:
            return False
        row = self.rows.pop(place)
        if verb != "remove":
            self.rows.insert(self._neighbour(row, place, -1 if verb == "up" else 1), row)
        return True

    def _neighbour(self, row: RuleForm, place: int, step: int) -> int:
        """Where ``row``, taken from ``place``, goes: past the next row of its own subject, or back where it was."""
        subject = row.initial["subject"]
        others = [i for i, other in enumerate(self.rows) if other.initial["subject"] == subject]
        if step < 0:
            return max((i for i in others if i < place), default=place)
        return min((i + 1 for i in others if i >= place), default=place)

    def _next_key(self) -> str:
        return f"r{max((int(str(row.prefix)[1:]) for row in self.rows), default=-1) + 1}"


def _row_of(key: str, rule: Rule | None, subject: str = "") -> RuleForm:
    if rule is None:
        return RuleForm(prefix=key, subject=subject, initial={"points": 10})
    initial: dict[str, Any] = {
        "rule": rule.id,
        "fact": rule.fact,
        "operator": rule.operator,
        "points": rule.points,
        "label": rule.label,
        "low": rule.value.get("min"),
        "high": rule.value.get("max"),
    }
    words = rule.value.get("words", [])
    initial["words"] = words if FACTS[rule.subject][rule.fact].choices else ", ".join(words)
    return RuleForm(prefix=key, subject=rule.subject, initial=initial)


def _unbound(row: RuleForm, data: Mapping[str, Any]) -> RuleForm:
    """The same row without complaints, its inputs as they were left."""
    subject = row.initial["subject"]
    initial: dict[str, Any] = {name: row[name].value() for name in row.fields if name != "subject"}
    rule = initial.get("rule")
    initial["rule"] = UUID(str(rule)) if rule and re.fullmatch(r"[0-9a-fA-F-]{36}", str(rule)) else None
    return RuleForm(prefix=row.prefix, subject=subject, initial=initial)
