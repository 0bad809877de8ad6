from typing import Any

from django import forms

from common.text import normalise
from events.models import Event
from identity.models import Organization
from outreach.models import Template
from sequences.models import Sequence, Step


class SequenceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Sequence
        fields = ("name", "description", "event")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        labels = {"event": "Show", "description": "What it is for"}

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        shows = self.fields["event"]
        assert isinstance(shows, forms.ModelChoiceField)  # noqa: S101 - a foreign key's field
        shows.queryset = Event.objects.for_org(organization).in_use()
        shows.empty_label = "Any show"

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        others = Sequence.objects.for_org(self.organization).exclude(pk=self.instance.pk)
        if any(normalise(other) == normalise(name) for other in others.values_list("name", flat=True)):
            raise forms.ValidationError(
                "Another sequence has this name. Choose one that tells them apart.", code="taken"
            )
        return name


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    """A step. The wait is given in days and hours; which of the other fields count depends on the kind."""

    days = forms.IntegerField(label="Days", min_value=0, max_value=365, initial=0)
    hours = forms.IntegerField(label="Hours", min_value=0, max_value=23, initial=0)

    class Meta:
        model = Step
        fields = ("delay_from", "business_days", "template", "subject", "body")
        widgets = {"body": forms.Textarea(attrs={"rows": 4})}
        labels = {"delay_from": "Counted", "subject": "Title", "body": "Instructions", "template": "Template"}

    def __init__(self, *args: Any, organization: Organization, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = Step.Kind(kind)
        self.organization = organization
        if not self.instance._state.adding:
            self.initial["days"], self.initial["hours"] = divmod(self.instance.delay_hours, 24)
        templates = self.fields["template"]
        assert isinstance(templates, forms.ModelChoiceField)  # noqa: S101 - a foreign key's field
        templates.queryset = Template.objects.for_org(organization).filter(archived_at=None)
        templates.empty_label = "Choose a template"
        for name in ("subject", "body") if self.is_mail else ("template",):
            del self.fields[name]
        self.fields["template" if self.is_mail else "subject"].required = True

    @property
    def is_mail(self) -> bool:
        return self.kind == Step.Kind.EMAIL

    @property
    def has_templates(self) -> bool:
        return Template.objects.for_org(self.organization).filter(archived_at=None).exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("days") == 365 and data.get("hours"):
            self.add_error("hours", "A step can wait a year at most.")
        return data

    def _get_validation_exclusions(self) -> set[str]:
        # The kind is not an input, so the row is complete only in the service; the database checks it there.
        hidden: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*hidden, "kind", "position", "sequence"}

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "kind": self.kind,
            "delay_hours": data["days"] * 24 + data["hours"],
            "delay_from": data["delay_from"],
            "business_days": data["business_days"],
            "template": data.get("template"),
            "subject": data.get("subject", ""),
            "body": data.get("body", ""),
        }
