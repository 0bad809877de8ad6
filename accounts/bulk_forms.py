"""What an action on many rows needs to know. ``params()`` gives plain values, kept with the job."""

from typing import Any

from django import forms

from accounts.bulk import Selection
from accounts.forms import OwnerField
from accounts.models import TargetAccount


class OwnerForm(forms.Form):
    def __init__(self, selection: Selection, data: Any = None) -> None:
        super().__init__(data)
        self.fields["owner"] = OwnerField(selection.organization, label="New owner")

    def params(self) -> dict[str, Any]:
        owner = self.cleaned_data["owner"]
        return {"owner": str(owner.pk) if owner else None}


class ChoiceForm(forms.Form):
    """One of the values of a target account's field."""

    def __init__(self, field: str, data: Any = None) -> None:
        super().__init__(data)
        choices = [("", "None"), *(getattr(TargetAccount._meta.get_field(field), "choices", None) or [])]
        self.field = field
        self.fields["value"] = forms.ChoiceField(label=f"New {field}", choices=choices, required=False)

    def params(self) -> dict[str, Any]:
        return {"value": self.cleaned_data["value"]}


class TagForm(forms.Form):
    tag = forms.CharField(max_length=60)

    def __init__(self, selection: Selection, data: Any = None) -> None:
        super().__init__(data)

    def params(self) -> dict[str, Any]:
        return {"tag": self.cleaned_data["tag"].strip()}


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label="File", choices=[("xlsx", "Excel (.xlsx)"), ("csv", "CSV")], widget=forms.RadioSelect, initial="xlsx"
    )

    def __init__(self, selection: Selection, data: Any = None) -> None:
        super().__init__(data)

    def params(self) -> dict[str, Any]:
        return {"format": self.cleaned_data["format"]}
