"""When a campaign leaves, as a form."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from outreach.models import Campaign
from outreach.services.campaigns import Schedule

FURTHEST = timedelta(days=366)


class ScheduleForm(forms.Form):
    """At once, or from a day and time by the clocks of the show or of the organization."""

    when = forms.ChoiceField(
        label="The mails leave", widget=forms.RadioSelect,
        choices=[("now", "At once"), ("later", "From a day and time on")],
    )  # fmt: skip
    day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    clock = forms.TimeField(
        label="Time", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), initial=time(9)
    )
    zone = forms.ChoiceField(label="By the clocks of", required=False)
    keeps_window = forms.BooleanField(
        label="Keep to each recipient's working hours", required=False,
        help_text="The sending days and hours of the mailbox, by the recipient's own clock, and not on their holidays.",
    )  # fmt: skip
    per_hour = forms.IntegerField(
        label="Mails an hour at most", required=False, min_value=1, max_value=3_600,
        help_text="Empty: as quickly as the mailbox may.",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        super().__init__(data)
        event, organization = campaign.event, campaign.organization
        zones = [(event.time_zone, f"{event.name} ({event.time_zone})")] if event else []
        zones += [(organization.time_zone, f"{organization.name} ({organization.time_zone})")]
        choices = self.fields["zone"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101 - declared above
        choices.choices = list({zone: (zone, words) for zone, words in reversed(zones)}.values())[::-1]
        zone = ZoneInfo(zones[0][0])
        planned = campaign.send_at if campaign.send_at and campaign.send_at > timezone.now() else None
        there = (planned or timezone.now() + timedelta(days=1)).astimezone(zone)
        self.initial.update(
            when="later" if planned else "now", day=there.date(), zone=str(zone),
            clock=there.time().replace(tzinfo=None) if planned else time(9),
            keeps_window=campaign.keeps_window, per_hour=campaign.per_hour,
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if data.get("when") != "later" or self.errors:
            return data | {"send_at": None}
        for name in ("day", "clock", "zone"):
            if not data.get(name):
                self.add_error(name, "Say when.")
        if self.errors:
            return data
        zone = ZoneInfo(data["zone"])
        moment = datetime.combine(data["day"], data["clock"], tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != datetime.combine(data["day"], data["clock"]):
            raise ValidationError("The clocks skip this time on that day. Choose another one.")
        if moment <= timezone.now():
            self.add_error("day", "This time has passed. Choose a later one, or “At once”.")
        elif moment > timezone.now() + FURTHEST:
            self.add_error("day", "Choose a day within a year.")
        return data | {"send_at": moment}

    def schedule(self) -> Schedule:
        data = self.cleaned_data
        return Schedule(send_at=data["send_at"], keeps_window=data["keeps_window"], per_hour=data["per_hour"])
