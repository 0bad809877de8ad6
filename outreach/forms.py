"""Forms of templates, drafts, campaigns, mailboxes, replies and suppressions."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format

from accounts.forms import OwnerField
from accounts.models import Account
from events.models import Event
from identity.models import Organization
from outreach import merging, snippets
from outreach.classifying import ReplyClass
from outreach.comparing import RULE_FIELDS, save_comparison
from outreach.comparison_models import LETTERS
from outreach.models import Comparison, Mailbox, Snippet, Template, working_days
from people.models import Person

MOST_UPLOADED = 10 * 2**20
_ADDRESS = re.compile(r"[^\s,;:<>|\"'()@]{1,64}@[^\s,;:<>|\"'()@]{3,253}")


class BodyMixin:
    """A body that may hold merge fields and, with an organization, its snippets."""

    cleaned_data: dict[str, Any]
    organization: Organization | None = None

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"]).replace("\r\n", "\n").strip()
        try:
            merging.check(snippets.expand(self.organization, body))
        except merging.InvalidTemplate as error:
            raise ValidationError(error.problems) from error
        return body


class WordsMixin(BodyMixin):
    """Subject and body that may hold merge fields."""

    def clean_subject(self) -> str:
        subject = str(self.cleaned_data["subject"]).strip()
        try:
            merging.check_subject(subject)
        except merging.InvalidTemplate as error:
            raise ValidationError(error.problems) from error
        return subject


BODY = forms.Textarea(attrs={"rows": 14})


class SnippetForm(forms.Form):
    name = forms.CharField(max_length=40, help_text="Small letters, digits and underscores, such as where_to_find_us.")
    text = forms.CharField(label="Words", widget=forms.Textarea(attrs={"rows": 8}), max_length=10_000)

    def __init__(self, *args: Any, organization: Organization, snippet: Snippet | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization, self.snippet = organization, snippet
        self.fields["name"].disabled = snippet is not None

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not snippets.NAME.fullmatch(name):
            raise ValidationError("Write small letters, digits and underscores, beginning with a letter.")
        if self.snippet is None and Snippet.objects.for_org(self.organization).filter(name=name).exists():
            raise ValidationError("Another snippet has this name.")
        return name

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()
        try:
            merging.check(text)
        except merging.InvalidTemplate as error:
            raise ValidationError(error.problems) from error
        return text


class TemplateForm(WordsMixin, forms.Form):
    organization: Organization

    name = forms.CharField(max_length=120, help_text="Only you and your colleagues see it.")
    subject = forms.CharField(max_length=300, strip=False)
    body = forms.CharField(label="Text", widget=BODY, max_length=50_000)

    def __init__(self, *args: Any, organization: Organization, template: Template | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization, self.template = organization, template

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        same = Template.objects.for_org(self.organization).in_use().filter(name=name)
        if self.template:
            same = same.exclude(pk=self.template.pk)
        if same.exists():
            raise ValidationError("Another template has this name.")
        return name


class PreviewForm(forms.Form):
    """What the live preview is asked with; anything may be unfinished."""

    subject = forms.CharField(required=False, strip=False, max_length=300)
    body = forms.CharField(required=False, max_length=50_000)
    person = forms.UUIDField(required=False)


class TrialForm(forms.Form):
    """As whom a template is tried, and from which mailbox: the first one unless another is chosen."""

    person = forms.ModelChoiceField(Person.objects.none())
    mailbox = forms.ModelChoiceField(Mailbox.objects.none(), required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mailboxes = Mailbox.objects.for_org(organization).in_use()
        choose_from(self, "person", Person.objects.for_org(organization).select_related("account"))
        choose_from(self, "mailbox", self.mailboxes)

    def clean_mailbox(self) -> Mailbox:
        mailbox = self.cleaned_data["mailbox"] or self.mailboxes.first()
        if mailbox is None:
            raise ValidationError("There is no mailbox.")
        return mailbox


class DraftForm(WordsMixin, forms.Form):
    """The words of one mail to one person, without merge fields."""

    subject = forms.CharField(max_length=300, strip=False)
    body = forms.CharField(label="Text", widget=BODY, max_length=50_000)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if "subject" in data and "body" in data and merging.fields_in(data["subject"], data["body"]):
            raise ValidationError("This mail goes to one person: write the words instead of merge fields.")
        return data


class ComposeForm(WordsMixin, forms.Form):
    """A mail to one person; merge fields are filled when it is saved."""

    mailbox = forms.ModelChoiceField(Mailbox.objects.none(), empty_label=None, label="From")
    subject = forms.CharField(max_length=300, strip=False)
    body = forms.CharField(label="Text", widget=BODY, max_length=50_000)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        choose_from(self, "mailbox", Mailbox.objects.for_org(organization).in_use())


class CampaignForm(forms.Form):
    name = forms.CharField(max_length=200, help_text="How you find these mails again.")
    template = forms.ModelChoiceField(Template.objects.none(), empty_label="Choose a template")
    mailbox = forms.ModelChoiceField(Mailbox.objects.none(), empty_label=None, label="From")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self, "template", Template.objects.for_org(organization).in_use())
        choose_from(self, "mailbox", Mailbox.objects.for_org(organization).in_use())


class ComparisonForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Other wordings beside the first, their shares, and when one has won. Empty others: there is nothing to compare.

    ``first`` names the input of the form beside this one that holds the first wording.
    """

    test_share = forms.IntegerField(
        label="Percent who get a wording before there is a winner", required=False, min_value=1, max_value=100, initial=100,
        help_text="The others wait for the winner. 100: nobody waits.",
    )  # fmt: skip

    class Meta:
        model = Comparison
        fields = ("metric", "least_sends", "wait_hours", "least_lead", "certainty")
        help_texts = {"certainty": "However often it is asked. With few mails, only a large difference is no chance."}

    def __init__(
        self, data: Any = None, *, organization: Organization, instance: Comparison | None = None,
        first: str = "template", with_share: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(data, instance=instance, prefix="compare")
        self.first = str(data.get(first, "")) if data else ""
        self.organization, self.offers_share = organization, with_share
        known = list(instance.variants.all()) if instance else []
        for letter, variant in zip_longest(LETTERS, known):
            if letter != LETTERS[0]:
                self.fields[f"template_{letter}"] = forms.ModelChoiceField(
                    Template.objects.for_org(organization).in_use(), required=False, empty_label="None",
                    label=f"Wording {letter}", initial=variant.template_id if variant else None,
                )  # fmt: skip
            self.fields[f"weight_{letter}"] = forms.IntegerField(
                label=f"Share of {letter}", required=False, min_value=1, max_value=100,
                initial=variant.weight if variant else 1,
            )  # fmt: skip
        for name in RULE_FIELDS:
            self.fields[name].required = False
        if not with_share:
            del self.fields["test_share"]

    @property
    def is_open(self) -> bool:
        return bool(self.errors) or any(self[f"template_{letter}"].value() for letter in LETTERS[1:])

    @property
    def wordings(self) -> list[tuple[forms.BoundField | None, forms.BoundField]]:
        """Template and share of each, the first without its template."""
        return [
            (self[f"template_{letter}"] if f"template_{letter}" in self.fields else None, self[f"weight_{letter}"])
            for letter in LETTERS
        ]

    @property
    def rule(self) -> list[forms.BoundField]:
        return [self[name] for name in RULE_FIELDS]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        seen = {self.first}
        for letter in LETTERS[1:]:
            other = data.get(f"template_{letter}")
            if other is not None and str(other.pk) in seen:
                self.add_error(f"template_{letter}", "This wording is compared already. Choose another one.")
            seen |= {str(other.pk)} if other else set()
        return data

    def keep(self, first: Template) -> Comparison | None:
        """The comparison of these wordings, ``first`` among them; begun anew when they are others than before."""
        data = self.cleaned_data
        chosen = [(first if letter == LETTERS[0] else data[f"template_{letter}"], letter) for letter in LETTERS]
        return save_comparison(
            self.organization,
            # Read again: validation has put the new values into the instance.
            comparison=Comparison.objects.for_org(self.organization).filter(pk=self.instance.pk).first(),
            variants=[(template, data[f"weight_{letter}"] or 1) for template, letter in chosen if template],
            rule={name: value for name in RULE_FIELDS if (value := data.get(name)) not in {None, ""}},
        )


def choose_from(form: forms.Form, name: str, rows: Any) -> None:
    """The rows a field of ``form`` offers: only the organization's own."""
    form.fields[name].queryset = rows  # type: ignore[attr-defined]


DAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    window_days = forms.TypedMultipleChoiceField(
        label="Sends on",
        initial=working_days,
        choices=DAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day of the week."},
    )
    secret = forms.CharField(
        label="API key or password",
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Mailbox
        fields = (
            "name", "kind", "from_name", "from_address", "reply_to", "reply_domain", "signature", "daily_cap",
            "hourly_cap", "spacing_seconds", "warm_up_from", "window_days", "window_opens", "window_closes", "keeps_holidays",
            "track_opens", "track_opens_in_europe", "track_clicks", "smtp_host", "smtp_port", "smtp_username", "smtp_security",
        )  # fmt: skip
        widgets = {
            "signature": forms.Textarea(attrs={"rows": 4}),
            "kind": forms.RadioSelect,
            "warm_up_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "window_opens": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "window_closes": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.organization = organization
        self.fields["daily_cap"].help_text = "What the address may send once it is warm."
        self.fields["hourly_cap"].help_text = "Empty: as many as the day allows."
        self.fields["spacing_seconds"].help_text = "0: as quickly as the provider takes them."
        warming = "The first day of a new address: 10 mails, then 15 a day, 20, and so on. Empty: it is warm."
        self.fields["warm_up_from"].help_text = warming
        self.fields["reply_to"].help_text = "Where answers go when no reply domain is set. Empty: the sender address."
        if self.instance.credentials:
            self.fields["secret"].help_text = "Stored and encrypted. Leave empty to keep it."
        else:
            self.fields[
                "secret"
            ].help_text = "SendGrid: a key with “Mail Send”. It is stored encrypted and never shown."

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        same = Mailbox.objects.for_org(self.instance.organization).filter(name=name).exclude(pk=self.instance.pk)
        if same.exists():
            raise ValidationError("Another mailbox has this name.")
        return name

    def clean_from_name(self) -> str:
        name: str = self.cleaned_data["from_name"]
        if not name.isprintable():
            raise ValidationError("The sender name must be one line without control characters.")
        return name

    def clean_reply_domain(self) -> str:
        domain: str = self.cleaned_data["reply_domain"].strip().lower().lstrip("@")
        if domain and not all(part and part.replace("-", "").isalnum() for part in domain.split(".")):
            raise ValidationError("Write a domain such as replies.example.com.")
        return domain

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        opens, closes = data.get("window_opens"), data.get("window_closes")
        if opens and closes and opens >= closes:
            self.add_error("window_closes", "The window must close after it opens.")
        kind = data.get("kind")
        if kind == Mailbox.Kind.SMTP and not data.get("smtp_host"):
            self.add_error("smtp_host", "Name the mail server.")
        changed_kind = bool(self.instance.credentials) and "kind" in self.changed_data
        if kind == Mailbox.Kind.SENDGRID and not data.get("secret") and (not self.instance.credentials or changed_kind):
            self.add_error("secret", "SendGrid needs an API key.")
        return data


class SuppressForm(forms.Form):
    """Addresses typed in or in a file; ``addresses`` in the cleaned data are those of both, each once."""

    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=200_000,
        help_text="One on each line, or separated by commas.",
    )
    file = forms.FileField(
        label="Or a list",
        required=False,
        help_text="A CSV or text file, up to 10 MB. Every address in it counts, in whatever column.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    event = forms.ModelChoiceField(
        Event.objects.none(), required=False, empty_label="No mail at all", label="What they get from now on"
    )
    note = forms.CharField(required=False, max_length=300, label="Why")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self, "event", Event.objects.for_org(organization))
        self.fields["event"].label_from_instance = lambda event: f"No mails about {event.name}"  # type: ignore[attr-defined]

    def clean_file(self) -> list[str]:
        upload = self.cleaned_data["file"]
        if not upload:
            return []
        if upload.size > MOST_UPLOADED:
            raise ValidationError("The file is larger than 10 MB. Split it. Nothing was added.")
        found = _ADDRESS.findall(upload.read().decode("utf-8-sig", errors="replace"))
        if not found:
            raise ValidationError("There is no e-mail address in the file. Save it as CSV. Nothing was added.")
        return list(dict.fromkeys(found))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if not self.errors:
            data["addresses"] = list(dict.fromkeys([*data["addresses"], *data["file"]]))
            if not data["addresses"]:
                raise ValidationError("Write an address or choose a file. Nothing was added.")
        return data

    def clean_addresses(self) -> list[str]:
        text: str = self.cleaned_data["addresses"]
        found = [part.strip(" <>\t") for part in text.replace(",", "\n").replace(";", "\n").splitlines()]
        addresses = list(dict.fromkeys(filter(None, found)))
        wrong = [address for address in addresses if address.count("@") != 1 or " " in address or len(address) > 254]
        if wrong:
            raise ValidationError(f"“{wrong[0]}” is no e-mail address. Nothing was added.")
        return addresses


class LiftForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Why may we write to this address again?")


class StopForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Why is sending stopped?")


class HoldForm(forms.Form):
    reason = forms.CharField(max_length=200, label="Why is the account held?")


def tomorrow() -> date:
    return timezone.localdate() + timedelta(days=1)


class HoldDecisionForm(forms.Form):
    """What becomes of a held account. ``until`` is the first day on which automatic mail goes on."""

    decision = forms.ChoiceField(choices=[("release", "Release"), ("stop", "End it"), ("until", "Hold until")])
    until = forms.DateField(required=False, error_messages={"invalid": "Choose a day."})
    reason = forms.CharField(max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("decision") == "until" and (data.get("until") or date.min) < tomorrow():
            self.add_error("until", "Choose a day that is still to come.")
        return data

    @property
    def problem(self) -> str:
        return " ".join(str(sentence) for sentences in self.errors.values() for sentence in sentences)

    def morning(self) -> datetime:
        """When the chosen day begins."""
        day: date = self.cleaned_data["until"]
        return timezone.make_aware(datetime.combine(day, time()))

    def words(self, account: Account) -> str:
        match self.cleaned_data["decision"]:
            case "release":
                return f"Automatic mail to {account.name} goes on."
            case "stop":
                return f"All automatic mail to {account.name} has ended."
        return f"No automatic mail goes to {account.name} until {date_format(self.cleaned_data['until'], 'j F')}."


class AnswerForm(BodyMixin, forms.Form):
    """An answer to one person; merge fields of a template are filled when it is sent."""

    body = forms.CharField(
        label="Your answer",
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "Write an answer"}),
    )
    template = forms.ModelChoiceField(Template.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        choose_from(self, "template", Template.objects.for_org(organization).in_use())


class ClassForm(forms.Form):
    label = forms.TypedChoiceField(choices=ReplyClass.choices, coerce=ReplyClass)


class AssignForm(forms.Form):
    """Nobody chosen gives the mail back to everybody."""

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"] = OwnerField(organization)


class SnoozeForm(forms.Form):
    """Until when: ``tomorrow``, ``week``, the day in ``on``, or ``wake`` for now."""

    until_choice = forms.ChoiceField(choices=[(key, key) for key in ("tomorrow", "week", "date", "wake")])
    on = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if data.get("until_choice") == "date" and (data.get("on") is None or data["on"] <= timezone.localdate()):
            self.add_error("on", "Choose a day that is still to come.")
        return data

    def until(self, organization: Organization) -> datetime | None:
        """Eight in the morning of that day, by the organization's clocks."""
        today = timezone.now().astimezone(zone := ZoneInfo(organization.time_zone)).date()
        days = {"tomorrow": today + timedelta(days=1), "week": today + timedelta(days=7 - today.weekday())}
        choice = self.cleaned_data["until_choice"]
        if choice == "wake":
            return None
        return datetime.combine(days.get(choice) or self.cleaned_data["on"], time(8), tzinfo=zone)


class RemindForm(forms.Form):
    on = forms.DateField()

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on < timezone.localdate():
            raise ValidationError("Choose a day that is still to come.")
        return on


class TieForm(forms.Form):
    person = forms.ModelChoiceField(Person.objects.none())

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self, "person", Person.objects.for_org(organization))
