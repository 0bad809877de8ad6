"""People as forms: a new one, their facts, one value in place."""

from typing import Any

from django import forms
from django.core.validators import validate_email

from accounts.forms import OwnerField, TagsField, tag_names
from accounts.models import Account
from common.text import company_key, email_key, normalise
from identity.models import Organization
from people.models import PERSONA_FLAGS, Person

FACTS = (
    "name", "first_name", "last_name", "title", "department", "seniority", "phone", "mobile", "linkedin", "city",
    "country", "time_zone", "contact_basis", "notes", "source", "next_touchpoint_on", *PERSONA_FLAGS,
)  # fmt: skip


class EmailsField(forms.CharField):
    """Addresses, one a line (or separated by commas); the first is the primary one."""

    widget = forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "autocapitalize": "none", "inputmode": "email"})

    def clean(self, value: Any) -> list[str]:
        text = str(super().clean(value) or "").replace(",", "\n").replace(";", "\n")
        emails = [line.strip() for line in text.splitlines() if line.strip()]
        for email in emails:
            try:
                validate_email(email_key(email))
            except forms.ValidationError:
                raise forms.ValidationError(f"{email} is not an e-mail address.") from None
        return list({email_key(email): email for email in emails}.values())


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    company = forms.CharField(
        max_length=300, required=False, help_text="A company that is not here yet is added as a new account."
    )
    emails = EmailsField(label="E-mail", required=False, help_text="One a line; the first is written to.")
    tags = TagsField(required=False, max_length=600, help_text="Separate several with commas.")

    class Meta:
        model = Person
        fields = FACTS
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 3}),
            "next_touchpoint_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["owner"] = OwnerField(organization)
        if "contact_basis" in self.fields:
            self.fields["contact_basis"].required = False
        self.fields["company"].widget.attrs |= {"list": "companies", "autocomplete": "off"}
        if self.instance.pk and not self.instance._state.adding:
            self.initial["owner"] = self.instance.owner_id
            self.initial["company"] = self.instance.account.name if self.instance.account else ""
            self.initial["emails"] = "\n".join(row.email for row in self.instance.emails.all())
            self.initial["tags"] = tag_names(list(self.instance.tags.all()))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not normalise(name):
            raise forms.ValidationError("Enter the person's name.")
        return name

    def clean_contact_basis(self) -> str:
        basis: str = self.cleaned_data["contact_basis"] or self.instance.contact_basis
        return basis

    def account(self) -> Account | None:
        """The account of the typed company, or None when there is none of this name yet."""
        key = company_key(self.cleaned_data.get("company", ""))
        if not key:
            return None
        return Account.objects.for_org(self.organization).filter(name_key=key).order_by("created_at").first()

    def values(self) -> dict[str, Any]:
        """The cleaned facts, without company, addresses and tags."""
        return {name: self.cleaned_data[name] for name in (*FACTS, "owner") if name in self.cleaned_data}


class NewPersonForm(PersonForm):
    """What is known when somebody is met."""

    anyway = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta(PersonForm.Meta):
        fields = ("name", "title", "phone", "mobile", "linkedin", "notes", *PERSONA_FLAGS)


CELLS = (
    "title",
    "department",
    "seniority",
    "phone",
    "mobile",
    "linkedin",
    "city",
    "country",
    "next_touchpoint_on",
    "owner",
)
"""What can be edited where it stands."""


class CellForm(forms.ModelForm):  # type: ignore[type-arg]
    """One value of a person."""

    class Meta:
        model = Person
        fields = tuple(name for name in CELLS if name != "owner")
        widgets = PersonForm.Meta.widgets

    def __init__(self, *args: Any, field: str, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {field: OwnerField(organization) if field == "owner" else self.fields[field]}
        self.fields[field].widget.attrs["aria-label"] = str(
            getattr(Person._meta.get_field(field), "verbose_name", field)
        ).capitalize()
        if field == "owner":
            self.initial["owner"] = self.instance.owner_id
