"""What the list of enrolled people can be filtered by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from accounts.filters import ListFilter, Rows, extra_filters
from common.search import words_of
from sequences.models import Enrollment

extra_filters["enrollments"] = []


class EnrollmentFilter(ListFilter):
    """People enrolled in one sequence; ``why`` is what they wait for or ended by."""

    subject = "enrollments"
    table = "people_person"
    sorts: ClassVar[Mapping[str, Sequence[str]]] = {"-started": ["-started_at"]}
    default_sort = "-started"

    sequence = forms.UUIDField(required=False, widget=forms.HiddenInput)
    why = forms.MultipleChoiceField(choices=Enrollment.Cause.choices, required=False)

    def prepare(self) -> None:
        self.event = None
        self.id_path, self.text_path = "person_id", "person__search_text"

    def words(self, name: str, value: Any) -> str:
        if name == "why":
            return " or ".join(Enrollment.Cause(one).label for one in value)
        return super().words(name, value)

    def chips(self) -> list[Any]:
        self.chosen.pop("sequence", None)
        return super().chips()

    def base(self) -> Rows:
        return Enrollment.objects.for_org(self.organization)

    def filtered(self, rows: Rows) -> Rows:
        if sequence := self.chosen.get("sequence"):
            rows = rows.filter(sequence=sequence)
        if causes := self.chosen.get("why"):
            rows = rows.filter(cause__in=causes)
        return rows

    def searched(self, rows: Rows) -> Rows:
        for word in words_of(self.chosen.get("q", "")):
            rows = rows.filter(person__search_text__contains=word)
        return rows
