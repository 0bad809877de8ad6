"""What the lists of people can be filtered by."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Exists, OuterRef, Q

from accounts.filters import ListFilter, Rows, hall_choices, owner_choices, set_choices, tag_choices
from accounts.models import Account, Stand, TargetAccount, Tier
from people.hygiene import ROLE_PATTERN
from people.models import PERSONA_FLAGS, MailDomain, Person, PersonTag


class PersonFilter(ListFilter):
    """People at the target accounts of the event, or everybody in the organization."""

    subject = "people"
    table = "people_person"
    sorts: ClassVar[Mapping[str, Sequence[str]]] = {
        "name": ["name_norm"], "-name": ["-name_norm"], "score": ["icp_score"], "-score": ["-icp_score"],
        "created": ["created_at"], "-created": ["-created_at"],
    }  # fmt: skip
    default_sort = "-score"

    persona = forms.MultipleChoiceField(choices=list(PERSONA_FLAGS.items()), required=False)
    tier = forms.MultipleChoiceField(choices=[*Tier.choices, ("none", "none")], required=False)
    status = forms.MultipleChoiceField(choices=TargetAccount.Status.choices, required=False)
    stage = forms.MultipleChoiceField(choices=TargetAccount.Stage.choices, required=False)
    owner = forms.MultipleChoiceField(required=False)
    score_min = forms.IntegerField(label="Score from", min_value=0, max_value=100, required=False)
    score_max = forms.IntegerField(label="Score to", min_value=0, max_value=100, required=False)
    tag = forms.MultipleChoiceField(required=False)
    hall = forms.ChoiceField(required=False)
    email = forms.ChoiceField(
        label="E-mail",
        choices=[
            ("", "Any"), ("yes", "known"), ("no", "missing"), ("no_mail", "whose domain takes no mail"),
            ("typo", "probably mistyped"), ("disposable", "throw-away"), ("role", "of a department"),
        ],
        required=False,
    )  # fmt: skip
    account = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        set_choices(self, "owner", lambda: owner_choices(self.organization))
        set_choices(self, "tag", lambda: tag_choices(self.organization))
        set_choices(self, "hall", lambda: hall_choices(self.event))
        if self.everything:
            for name in ("tier", "status", "stage", "hall"):
                del self.fields[name]

    def words(self, name: str, value: Any) -> str:
        if name == "account":
            account = Account.objects.for_org(self.organization).filter(pk=value).first()
            return f"company {account}" if account else "an unknown company"
        return super().words(name, value)

    def base(self) -> Rows:
        return Person.objects.for_org(self.organization)

    def at_event(self, rows: Rows) -> Rows:
        chosen = self.chosen
        target: dict[str, Any] = {"account__targets__event": self.event}
        if tiers := chosen.get("tier"):
            target["account__targets__tier__in"] = ["" if tier == "none" else tier for tier in tiers]
        for name in ("status", "stage"):
            if values := chosen.get(name):
                target[f"account__targets__{name}__in"] = values
        # One filter call: all conditions are about one and the same target account.
        rows = rows.filter(**target)
        if hall := chosen.get("hall"):
            stands = Stand.objects.filter(target__event=self.event, target__account=OuterRef("account_id"), hall=hall)
            rows = rows.filter(Exists(stands))
        return rows

    def filtered(self, rows: Rows) -> Rows:
        chosen = self.chosen
        if self.event:
            rows = self.at_event(rows)
        if personas := chosen.get("persona"):
            condition = Q()
            for flag in personas:
                condition |= Q(**{flag: True})
            rows = rows.filter(condition)
        if chosen.get("owner"):
            rows = rows.filter(self.owner_filter())
        if (low := chosen.get("score_min")) is not None:
            rows = rows.filter(icp_score__gte=low)
        if (high := chosen.get("score_max")) is not None:
            rows = rows.filter(icp_score__lte=high)
        if tags := chosen.get("tag"):
            rows = rows.filter(Exists(PersonTag.objects.filter(person=OuterRef("pk"), tag__in=tags)))
        if email := chosen.get("email"):
            rows = self._by_email(rows, email)
        if account := chosen.get("account"):
            rows = rows.filter(account_id=account)
        return rows

    def _by_email(self, rows: Rows, wanted: str) -> Rows:
        if wanted == "yes":
            return rows.exclude(email_norm="")
        if wanted == "no":
            return rows.filter(email_norm="")
        if wanted == "role":
            return rows.filter(email_norm__regex=ROLE_PATTERN)
        domains = MailDomain.objects.for_org(self.organization)
        known = {
            "no_mail": domains.filter(receives=False),
            "typo": domains.exclude(meant=""),
            "disposable": domains.filter(is_disposable=True),
        }
        return rows.filter(email_domain__in=known[wanted].values("domain"))
