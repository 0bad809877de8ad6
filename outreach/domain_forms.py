"""What an admin says about a sending domain."""

import re

from django import forms
from django.core.exceptions import ValidationError


class OverrideForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        label="Why may it send though a check does not pass?",
        error_messages={"required": "Say why: it is kept with your name."},
    )


class SelectorForm(forms.Form):
    selector = forms.CharField(
        max_length=63,
        required=False,
        label="DKIM selector",
        help_text="The name your mail server signs under. Empty: we try the usual ones.",
    )

    def clean_selector(self) -> str:
        selector: str = self.cleaned_data["selector"].strip().lower().removesuffix("._domainkey")
        if selector and not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", selector):
            raise ValidationError("A selector is a name such as “mail” or “k1”.")
        return selector
