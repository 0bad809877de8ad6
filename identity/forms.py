"""What people type about themselves, their organization and its members."""

import zoneinfo
from datetime import datetime, timedelta
from typing import Any

from allauth.account.forms import LoginForm, SignupForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from django.utils import timezone

from common.text import email_key
from identity.adapter import address_may_sign_up
from identity.apiauth import ROLE_OF_SCOPE
from identity.models import ApiToken, Membership, Organization, Role, User


def zone_choices() -> list[tuple[str, str]]:
    return [
        (name, name.replace("_", " "))
        for name in sorted(zoneinfo.available_timezones())
        if "/" in name or name == "UTC"
    ]


class ZoneField(forms.TypedChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=zone_choices, label="Time zone", **kwargs)


class CurrencyField(forms.CharField):
    """An ISO 4217 code of three letters."""

    def __init__(self, **kwargs: Any) -> None:
        check = RegexValidator(r"^[A-Z]{3}$", "Use a currency code of three letters, such as EUR.")
        super().__init__(max_length=3, validators=[check], help_text="Three letters, such as EUR or USD.", **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).strip().upper()


class SignInForm(LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "remember" in self.fields:
            self.fields["remember"].label = "Stay signed in on this device"


class DomainSignupForm(SignupForm):  # type: ignore[misc]
    """Sign-up with the e-mail domains that this installation allows."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not address_may_sign_up(email):
            raise forms.ValidationError(
                "Use your company e-mail address. If it is one, ask an admin for an invitation."
            )
        return email


class WelcomeForm(forms.Form):
    your_name = forms.CharField(max_length=200)
    name = forms.CharField(label="Organization", max_length=200, help_text="Your company, as customers know it.")
    time_zone = ZoneField(initial="UTC", widget=forms.Select(attrs={"data-js": "timezone"}))
    currency = CurrencyField(initial="USD")


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = ZoneField(help_text="Times of day are shown in this zone; times of a show in the show's.")

    class Meta:
        model = User
        fields = ["name", "time_zone"]


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = ZoneField()
    currency = CurrencyField()

    class Meta:
        model = Organization
        fields = ["name", "postal_address", "time_zone", "currency"]
        widgets = {"postal_address": forms.Textarea(attrs={"rows": 3})}


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(initial=Role.REP)

    def __init__(self, *args: Any, actor: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles_given_by(actor)  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        return email_key(self.cleaned_data["email"])


class RoleForm(forms.Form):
    role = forms.ChoiceField()

    def __init__(self, *args: Any, actor: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles_given_by(actor)  # type: ignore[attr-defined]


def roles_given_by(actor: Membership) -> list[tuple[str, str]]:
    """Only an owner makes owners."""
    return [(role.value, str(role.label)) for role in Role if role != Role.OWNER or actor.role == Role.OWNER]


class JoinForm(forms.Form):
    """A new person accepts an invitation."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 12 characters."
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> None:
        password = self.cleaned_data.get("password")
        if password:
            person = User(email=self.email, name=self.cleaned_data.get("name", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)


class TokenForm(forms.Form):
    DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "Never")]

    name = forms.CharField(max_length=100, help_text="What will use it, so that you know it again.")
    scopes = forms.MultipleChoiceField(label="It may", widget=forms.CheckboxSelectMultiple)
    days = forms.ChoiceField(label="Expires after", choices=DAYS, required=False, initial="90")

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope.value, str(scope.label)) for scope in ApiToken.Scope if membership.may(ROLE_OF_SCOPE[scope])
        ]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None

    @property
    def chosen_scopes(self) -> list[ApiToken.Scope]:
        return [ApiToken.Scope(value) for value in self.cleaned_data["scopes"]]
