"""The show as a form: its facts, and its costs as rows below."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from events.models import Event, EventCost
from events.services import EDITABLE, Cost


def time_zone_choices() -> list[tuple[str, str]]:
    """Every time zone of the world, named as people read it."""
    names = sorted(
        n for n in available_timezones() if "/" in n and not n.startswith(("Etc/", "SystemV/", "posix", "right"))
    )
    return [("UTC", "UTC"), *((n, n.replace("_", " ")) for n in names)]


class EventForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(
        choices=time_zone_choices, help_text="Meetings and opening days are shown in this zone."
    )

    class Meta:
        model = Event
        fields = EDITABLE
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "notes": forms.Textarea(attrs={"rows": 4}),
        }
        labels = {"name": "Name of the show", "starts_on": "First day", "ends_on": "Last day", "booth": "Our booth"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "The last day is before the first day.")
        return data

    def values(self) -> dict[str, Any]:
        """The cleaned fields of the show."""
        return {name: self.cleaned_data[name] for name in EDITABLE if name in self.cleaned_data}


class DeleteForm(forms.Form):
    """Asks for the name of the show, so that nobody deletes it by accident. Without a name it asks for nothing."""

    name = forms.CharField(label="Type the name of the show to delete it", required=False)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = name
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if self.wanted and typed.strip() != self.wanted:
            raise forms.ValidationError(f"Type “{self.wanted}” exactly. Nothing was deleted.")
        return typed


class CostForm(forms.Form):
    kind = forms.ChoiceField(choices=EventCost.Kind, initial=EventCost.Kind.BOOTH)
    description = forms.CharField(max_length=200, required=False)
    amount = forms.DecimalField(max_digits=12, decimal_places=2, min_value=0)


CostFormSet = forms.formset_factory(CostForm, extra=2, can_delete=True, max_num=60, absolute_max=80)


def costs_of(formset: Any) -> list[Cost]:
    """The cost rows a person filled in and did not strike out."""
    rows = [form.cleaned_data for form in formset if form.has_changed() or form.initial]
    return [
        Cost(kind=row["kind"], description=row["description"], amount=row["amount"])
        for row in rows
        if row and not row.get("DELETE")
    ]
