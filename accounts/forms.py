"""Accounts as forms: a new one, its facts, one cell of the list."""

from typing import Any

from django import forms

from accounts.models import Account, Tag, TargetAccount, Tier
from accounts.owners import members
from common.text import normalise
from identity.models import Organization, User

FACTS = (
    "name", "website", "industry", "description", "headquarters", "street", "postal_code", "city", "region", "country",
    "phone", "linkedin", "revenue", "employee_count", "notes", "source",
)  # fmt: skip


class OwnerField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    """An active member of the organization, or nobody."""

    def __init__(self, organization: Organization, **kwargs: Any) -> None:
        ids = [user.pk for user in members(organization.pk)]
        super().__init__(
            User.objects.filter(pk__in=ids).order_by("name"), required=False, empty_label="Nobody", **kwargs
        )


class TagsField(forms.CharField):
    """Names of tags separated by commas."""

    def clean(self, value: Any) -> list[str]:
        names = [name.strip() for name in str(super().clean(value) or "").split(",") if name.strip()]
        if any(len(name) > 60 for name in names):
            raise forms.ValidationError("A tag has at most 60 characters.")
        return list({normalise(name): name for name in names}.values())


def tag_names(tags: "list[Tag]") -> str:
    return ", ".join(tag.name for tag in tags)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    tags = TagsField(required=False, max_length=600, help_text="Separate several with commas.")

    class Meta:
        model = Account
        fields: tuple[str, ...] = FACTS
        widgets = {"description": forms.Textarea(attrs={"rows": 3}), "notes": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"revenue": "In US dollars."}

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"] = OwnerField(organization)
        self.fields["website"].widget.attrs["placeholder"] = "https://"
        if self.instance.pk and not self.instance._state.adding:
            self.initial["owner"] = self.instance.owner_id
            self.initial["tags"] = tag_names(list(self.instance.tags.all()))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not normalise(name):
            raise forms.ValidationError("Enter the name of the company.")
        return name

    def values(self) -> dict[str, Any]:
        """The cleaned facts, without the tags."""
        return {name: self.cleaned_data[name] for name in (*FACTS, "owner") if name in self.cleaned_data}


class NewAccountForm(AccountForm):
    """The few facts that matter when a company is first noted; the rest can follow on its page."""

    tier = forms.ChoiceField(choices=[("", "No tier"), *Tier.choices], required=False)
    hall = forms.CharField(max_length=80, required=False)
    stand = forms.CharField(max_length=60, required=False)
    anyway = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta(AccountForm.Meta):
        fields = ("name", "website", "industry", "city", "country", "phone", "employee_count", "revenue", "notes")


class CellForm(forms.Form):
    """One value of a target account, edited where it stands."""

    def __init__(self, *args: Any, field: str, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field == "owner":
            self.fields["value"] = OwnerField(organization, label="Owner")
        else:
            choices = list(getattr(TargetAccount._meta.get_field(field), "choices", None) or [])
            self.fields["value"] = forms.ChoiceField(
                label=field.capitalize(), choices=[("", "None"), *choices], required=False
            )
        self.fields["value"].widget.attrs["aria-label"] = field.capitalize()


FACT_CELLS = (
    "website", "industry", "headquarters", "city", "region", "country", "phone", "linkedin", "employee_count", "revenue",
)  # fmt: skip
"""The facts of an account that can be edited where they stand."""


class FactForm(forms.ModelForm):  # type: ignore[type-arg]
    """One fact of an account."""

    class Meta:
        model = Account
        fields = FACT_CELLS

    def __init__(self, *args: Any, field: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {field: self.fields[field]}
        self.fields[field].widget.attrs["aria-label"] = str(self.fields[field].label)


class StandForm(forms.Form):
    hall = forms.CharField(max_length=80, required=False)
    number = forms.CharField(label="Stand", max_length=60, required=False)


StandFormSet = forms.formset_factory(StandForm, extra=2, max_num=40, absolute_max=60)
