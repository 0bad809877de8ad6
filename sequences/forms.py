"""What the pages of sequences ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from accounts.bulk import Selection
from common.text import normalise
from events.models import Event
from identity.models import Organization
from outreach.models import Mailbox, Template
from sequences.conditions import FACTS, TESTS, Fact, InvalidRule, Sort, read_rule
from sequences.library import LIBRARY
from sequences.models import Sequence, SequenceVersion, Step
from sequences.plan import BY_HAND, Kind

ROWS = 3
"""Rows of a rule that a new form offers."""
GROUPS = {"person": "Person", "account": "Company", "target": "At the show", "mail": "Mails of this sequence"}
NO_VALUE = frozenset({"known", "unknown", "yes", "no"})


class SequenceForm(forms.ModelForm):  # type: ignore[type-arg]
    start = forms.ChoiceField(
        label="Start with",
        choices=[("", "Nothing: I add the steps myself"), *((key, ready.label) for key, ready in LIBRARY.items())],
        widget=forms.RadioSelect,
        required=False,
    )

    class Meta:
        model = Sequence
        fields = ("name", "description", "event", "mailbox", "is_exclusive", "late_after_hours")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        labels = {
            "event": "Show", "description": "What it is for", "mailbox": "Its mails leave from",
            "is_exclusive": "Only for people who are in no other such sequence",
            "late_after_hours": "Hours a mail may be late",
        }  # fmt: skip
        help_texts = {
            "is_exclusive": "Two sequences never write to one person at the same time.",
            "late_after_hours": "A mail that is later than this waits for your decision.",
        }

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        shows, mailboxes = self.fields["event"], self.fields["mailbox"]
        assert isinstance(shows, forms.ModelChoiceField)  # noqa: S101 - a foreign key's field
        assert isinstance(mailboxes, forms.ModelChoiceField)  # noqa: S101 - a foreign key's field
        shows.queryset = Event.objects.for_org(organization).in_use()
        shows.empty_label = "Any show"
        mailboxes.queryset = Mailbox.objects.for_org(organization).filter(archived_at=None)
        mailboxes.empty_label = "Choose later"
        if not self.instance._state.adding:
            del self.fields["start"]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        others = Sequence.objects.for_org(self.organization).exclude(pk=self.instance.pk)
        if any(normalise(other) == normalise(name) for other in others.values_list("name", flat=True)):
            raise forms.ValidationError(
                "Another sequence has this name. Choose one that tells them apart.", code="taken"
            )
        return name


class RuleForm(forms.Form):
    """A rule as rows of fact, test and value; rows without a fact are left out. ``rule()`` is the JSON it makes."""

    match = forms.ChoiceField(label="Holds when", choices=[("all", "all of these hold"), ("any", "one of these holds")])

    def __init__(
        self, data: Any = None, *, rule: Mapping[str, Any] | None = None, groups: Iterable[str] = tuple(GROUPS)
    ) -> None:
        super().__init__(data, prefix="rule")
        tests = list(rule["tests"]) if rule else []
        self.fields["match"].initial = rule.get("match", "all") if rule else "all"
        self.count = max(ROWS, min(len(tests) + 1, 10))
        for n in range(self.count):
            test = tests[n] if n < len(tests) else {}
            value = test.get("value")
            self.fields[f"fact{n}"] = forms.ChoiceField(
                label=f"Fact {n + 1}", choices=_fact_choices(groups), required=False, initial=test.get("fact", ""),
                widget=_FactSelect(attrs={"data-rule-fact": ""}),
            )  # fmt: skip
            self.fields[f"test{n}"] = forms.ChoiceField(
                label=f"Test {n + 1}", choices=_test_choices(), required=False, initial=test.get("is", ""),
                widget=forms.Select(attrs={"data-rule-test": ""}),
            )  # fmt: skip
            self.fields[f"value{n}"] = forms.CharField(
                label=f"Value {n + 1}", required=False, max_length=200,
                initial=", ".join(value) if isinstance(value, list) else "" if value is None else value,
                widget=forms.TextInput(attrs={"data-rule-value": "", "placeholder": "Several with commas"}),
            )  # fmt: skip

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        return [[self[f"{name}{n}"] for name in ("fact", "test", "value")] for n in range(self.count)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        tests = [self._test(data, n) for n in range(self.count) if data.get(f"fact{n}")]
        if not tests:
            self.add_error(None, "Choose at least one fact.")
        elif not self.errors:
            try:
                read_rule({"match": data["match"], "tests": tests})
            except InvalidRule as error:
                self.add_error(None, str(error))
        data["rule"] = {"match": data.get("match", "all"), "tests": tests}
        return data

    def _test(self, data: Mapping[str, Any], n: int) -> dict[str, Any]:
        name, test, text = data[f"fact{n}"], data.get(f"test{n}") or "", (data.get(f"value{n}") or "").strip()
        fact = FACTS[name]
        test = test if test in TESTS[fact.sort] else next(iter(TESTS[fact.sort]))
        if test in NO_VALUE:
            return {"fact": name, "is": test}
        if fact.sort == Sort.NUMBER:
            return {"fact": name, "is": test, "value": int(text) if text.lstrip("-").isdigit() else text or None}
        return {"fact": name, "is": test, "value": [_chosen(fact, word) for word in text.split(",") if word.strip()]}

    def rule(self) -> dict[str, Any]:
        rule: dict[str, Any] = self.cleaned_data["rule"]
        return rule


class _FactSelect(forms.Select):
    """Tells the page, per fact, which tests fit it and which values there are."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        if fact := FACTS.get(str(option["value"])):
            option["attrs"] |= {"data-tests": " ".join(TESTS[fact.sort])}
            if fact.choices:
                option["attrs"] |= {"data-values": "|".join(fact.choices.values())}
        return option


def _fact_choices(groups: Iterable[str]) -> list[Any]:
    grouped = [
        (GROUPS[group], [(name, fact.label) for name, fact in FACTS.items() if name.startswith(f"{group}.")])
        for group in groups
    ]
    return [("", "Choose a fact"), *grouped]


def _test_choices() -> list[tuple[str, str]]:
    return [("", "…"), *{name: words for tests in TESTS.values() for name, words in tests.items()}.items()]


def _chosen(fact: Fact, word: str) -> str:
    """The stored value that a word typed by a person means."""
    named = {normalise(label): key for key, label in (fact.choices or {}).items()}
    return named.get(normalise(word), word.strip())


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    """A step. Which fields there are depends on the kind, and how the wait is counted on where it stands."""

    COUNTED = (
        ("previous", "after the step before"),
        ("start", "after the start"),
        ("-event_start", "before the first day of the show"),
        ("event_start", "after the first day of the show"),
        ("-event_end", "before the last day of the show"),
        ("event_end", "after the last day of the show"),
    )

    days = forms.IntegerField(label="Days", min_value=0, max_value=365, initial=0)
    hours = forms.IntegerField(label="Hours", min_value=0, max_value=23, initial=0)
    counted = forms.ChoiceField(label="Counted", choices=COUNTED, initial="previous")

    class Meta:
        model = Step
        fields = ("business_days", "at_time", "template", "same_thread", "resend_on_silence", "subject", "body")
        widgets = {
            "body": forms.Textarea(attrs={"rows": 4}),
            "at_time": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        labels = {
            "subject": "Title", "body": "Instructions", "template": "Template", "at_time": "At",
            "business_days": "Count only working days", "same_thread": "Answer in the thread of the first mail",
            "resend_on_silence": "Send again when the provider never reported it",
        }  # fmt: skip
        help_texts = {"at_time": "The recipient's time; empty: any time the mailbox sends."}

    def __init__(
        self, *args: Any, organization: Organization, kind: str, is_first: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = Kind(kind)
        self.organization = organization
        if not self.instance._state.adding:
            side = "-" if self.instance.delay_days < 0 else ""
            self.initial["days"], self.initial["hours"] = abs(self.instance.delay_days), self.instance.delay_hours
            self.initial["counted"] = f"{side}{self.instance.delay_from}"
        if is_first:
            counted = self.fields["counted"]
            assert isinstance(counted, forms.ChoiceField)  # noqa: S101 - declared above
            counted.choices = [("previous", "after the start"), *self.COUNTED[2:]]
        templates = self.fields["template"]
        assert isinstance(templates, forms.ModelChoiceField)  # noqa: S101 - a foreign key's field
        templates.queryset = Template.objects.for_org(organization).filter(archived_at=None)
        templates.empty_label = "Choose a template"
        for name in self._without():
            del self.fields[name]
        for name in ("template", "subject"):
            if name in self.fields:
                self.fields[name].required = True

    def _without(self) -> tuple[str, ...]:
        if self.kind == Kind.EMAIL:
            return ("subject", "body")
        mail = ("template", "same_thread", "resend_on_silence")
        return mail if self.is_by_hand else (*mail, "subject", "body")

    @property
    def is_mail(self) -> bool:
        return self.kind == Kind.EMAIL

    @property
    def is_by_hand(self) -> bool:
        return self.kind in BY_HAND

    @property
    def has_templates(self) -> bool:
        return Template.objects.for_org(self.organization).filter(archived_at=None).exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("days") == 365 and data.get("hours"):
            self.add_error("hours", "A step can wait a year at most.")
        if str(data.get("counted", "")).startswith("-") and data.get("hours"):
            self.add_error("hours", "Before the show, count in days; choose a time of the day instead of hours.")
        return data

    def _get_validation_exclusions(self) -> set[str]:
        # The kind is not an input, so the row is complete only in the service; the database checks it there.
        hidden: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*hidden, "kind", "position", "sequence", "rule"}

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        before, anchor = data["counted"].startswith("-"), data["counted"].lstrip("-")
        return {
            "kind": self.kind,
            "delay_days": -data["days"] if before else data["days"],
            "delay_hours": data["hours"],
            "delay_from": anchor,
            "business_days": data["business_days"],
            "at_time": data["at_time"],
            "template": data.get("template"),
            "same_thread": data.get("same_thread", True),
            "resend_on_silence": data.get("resend_on_silence", False),
            "subject": data.get("subject", ""),
            "body": data.get("body", ""),
        }


class MoveForm(forms.Form):
    """Where the chosen people of one sequence go on, by its newest version."""

    step = forms.ChoiceField(label="Where they go on", required=False)

    def __init__(self, selection: Selection, data: Any = None) -> None:
        super().__init__(data)
        found = selection.rows().order_by().values_list("sequence", flat=True).distinct()[:2]
        self.sequences = [str(pk) for pk in found]
        version = SequenceVersion.objects.for_org(selection.organization).filter(sequence__in=found).first()
        steps = version.read().steps if version else []
        field = self.fields["step"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [
            ("", f"Where they stand, by version {version.number if version else '–'}"),
            *((str(step.id), f"{step.label}. {step.title}") for step in steps),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if len(self.sequences) != 1:
            self.add_error(None, "Choose people of one sequence.")
        return data

    def params(self) -> dict[str, Any]:
        return {"step": self.cleaned_data["step"], "sequence": self.sequences[0]}


class EnrollForm(forms.Form):
    """Into which sequence; ``again`` lets those begin who went through it before."""

    into = forms.ModelChoiceField(label="Sequence", queryset=Sequence.objects.none(), empty_label="Choose a sequence")
    again = forms.BooleanField(label="Also those who were in it before", required=False)

    def __init__(self, data: Any = None, *, organization: Organization) -> None:
        super().__init__(data)
        into = self.fields["into"]
        assert isinstance(into, forms.ModelChoiceField)  # noqa: S101 - declared above
        into.queryset = Sequence.objects.for_org(organization).filter(status=Sequence.Status.ACTIVE)
