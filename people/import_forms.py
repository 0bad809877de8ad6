"""The steps of the import pages as forms."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from common.tabular import DELIMITERS, ENCODINGS, Layout
from events.models import Event
from identity.models import Organization
from people.import_models import ListImport
from people.importing import files, mapping
from people.importing.mapping import POLICIES, Column, MappingError
from people.importing.targets import TARGETS


class UploadForm(forms.Form):
    file = forms.FileField(error_messages={"required": "Choose a file first.", "empty": "The file is empty."})


class LayoutForm(forms.Form):
    """How to read the file: text has an encoding and a delimiter, a workbook has sheets."""

    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()), required=False)
    delimiter = forms.ChoiceField(choices=list(DELIMITERS.items()), required=False, label="Columns are separated by")
    sheet = forms.ChoiceField(required=False)
    header_row = forms.IntegerField(
        min_value=0, max_value=100, label="Row with the column names", help_text="0 when the list has none."
    )

    def __init__(self, data: Mapping[str, Any] | None, *, list_import: ListImport) -> None:
        self.now = files.layout_of(list_import)
        super().__init__(data, initial=list_import.layout)
        self.fields["sheet"].choices = [(name, name) for name in list_import.sheets]  # type: ignore[attr-defined]
        for name in ("encoding", "delimiter") if list_import.sheets else ("sheet",):
            del self.fields[name]

    def layout(self) -> Layout:
        values = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return Layout(**{**self.now.__dict__, **values})


class ColumnsForm(forms.Form):
    """What every column means (``target-0``, ``policy-0``, …), for which event, and what may be done."""

    event = forms.ModelChoiceField(
        Event.objects.none(), required=False, empty_label="No event: only accounts and people"
    )
    mode = forms.ChoiceField(choices=ListImport.Mode.choices, widget=forms.RadioSelect, label="What may happen")

    def __init__(self, data: Mapping[str, Any] | None, *, list_import: ListImport, organization: Organization) -> None:
        super().__init__(data, initial={"event": list_import.event_id, "mode": list_import.mode})
        self.fields["event"].queryset = Event.objects.for_org(organization).in_use()  # type: ignore[attr-defined]
        self._list_import = list_import

    def rows(self) -> list[dict[str, Any]]:
        """The columns as the page lists them: header, examples, and what is chosen."""
        columns = mapping.from_json(self._list_import.headers, self._list_import.mapping)
        return [
            {
                "index": c.index,
                "header": c.header,
                "examples": _examples(self._list_import.sample, c.index),
                "target": self.data.get(f"target-{c.index}", "")
                if self.is_bound
                else (c.target.key if c.target else ""),
                "policy": self.data.get(f"policy-{c.index}", "") if self.is_bound else c.policy,
            }
            for c in columns
        ]

    def columns(self) -> list[Column]:
        """The chosen columns. Raises ``MappingError``."""
        stored = [
            {"target": self.data.get(f"target-{i}", ""), "policy": self.data.get(f"policy-{i}", "")}
            for i in range(len(self._list_import.headers))
        ]
        columns = mapping.from_json(self._list_import.headers, stored)
        mapping.check(columns, has_event=self.cleaned_data.get("event") is not None)
        return columns

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            self.columns()
        except MappingError as error:
            raise forms.ValidationError(str(error)) from None
        return cleaned


def target_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The meanings a column can have, by what they belong to."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for target in TARGETS.values():
        groups.setdefault(target.group, []).append((target.key, target.label))
    return list(groups.items())


POLICY_CHOICES = list(POLICIES.items())


def _examples(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    found: list[str] = []
    for row in sample:
        value = row[index].strip() if index < len(row) else ""
        if value and value not in found:
            found.append(value)
        if len(found) == 3:
            break
    return found
