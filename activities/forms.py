"""A note, a task."""

from typing import Any

from django import forms

from accounts.forms import OwnerField
from identity.models import Organization


class NoteForm(forms.Form):
    body = forms.CharField(
        label="Note", max_length=20_000, widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Write a note"}),
        error_messages={"required": "Write something first."},
    )  # fmt: skip


class TaskForm(forms.Form):
    title = forms.CharField(label="To do", max_length=200, error_messages={"required": "Say what is to be done."})
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"] = OwnerField(organization, label="For")
