"""The style page: every piece of the look in every state, to be looked at and tested. Open only in development and demo."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

LONG = (
    "Rechtsschutzversicherungsgesellschaften-Dachverband für Maschinen- und Anlagenbau GmbH & Co. Kommanditgesellschaft"
)


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As it stands on the badge.", label="Full name")
    email = forms.EmailField(label="E-mail")
    zone = forms.ChoiceField(choices=[("utc", "UTC"), ("berlin", "Europe/Berlin")], label="Time zone")
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), label="Day")
    tier = forms.ChoiceField(choices=[("A", "Tier A"), ("B", "Tier B")], widget=forms.RadioSelect)
    halls = forms.MultipleChoiceField(
        choices=[("1", "Hall 1"), ("2", "Hall 2")], widget=forms.CheckboxSelectMultiple, required=False
    )
    note = forms.CharField(widget=forms.Textarea, required=False, help_text="Only your team sees this.")
    agree = forms.BooleanField(label="Send me a copy", required=False)
    file = forms.FileField(required=False)


def style_page(request: HttpRequest) -> HttpResponse:
    """Every component with long names, other scripts, empty and error states."""
    if not (settings.DEBUG or settings.EVENTOPS_DEMO):
        raise Http404
    if "toast" in request.GET:
        messages.success(request, "12 people were imported. Nothing was sent to anybody.")
        messages.error(request, "The mailbox refused 3 messages. They are kept as drafts.")
    template = "style_plain.html" if "plain" in request.GET else "style.html"
    return render(request, template, _samples(request))


def _samples(request: HttpRequest) -> dict[str, Any]:
    now, today = timezone.now(), timezone.localdate()
    request.event = _show(today)  # type: ignore[attr-defined]
    return {
        "nav_events": [request.event],  # type: ignore[attr-defined]
        "form": SampleForm(),
        "bad_form": SampleForm({"bad-email": "nobody@", "bad-name": ""}, prefix="bad"),
        "rows": _rows(),
        "days": [
            {
                "day": today,
                "items": [
                    {"icon": "reply", "tone": "ok", "text": "Reply from Ana Lima", "quote": "Tuesday at 14:00 works.", "at": now},
                    {"icon": "spark", "tone": "machine", "text": "Dossier written", "at": now - timedelta(hours=3)},
                ],
            },
            {
                "day": today - timedelta(days=1),
                "items": [{"icon": "alert", "tone": "bad", "text": f"Mail to {LONG} bounced", "at": now - timedelta(days=1)}],
            },
        ],
        "steps": [
            {"label": "Upload", "state": "done", "href": "#"},
            {"label": "Columns", "state": "now"},
            {"label": "Preview"},
            {"label": "Result"},
        ],
        "funnel_steps": [
            ("Targets", 300, "#"), ("Contacted", 212, "#"), ("Opened", 141, "#"), ("Replied", 48, "#"), ("Meeting", 19, "#")
        ],
        "weeks": [(f"W{n}", value) for n, value in enumerate((4, 9, 14, 12, 31, 28, 44, 61, 58, 72, 80, 96), start=10)],
        "before": (2, 4, 9, 12, 14, 20, 26, 30, 33, 41, 44, 52),
        "reasons": [
            {"text": "Industry is machine building", "points": 30, "most": 30},
            {"text": "More than 500 employees", "points": 20, "most": 25},
            {"text": "No website known", "points": -10, "most": 10},
        ],
        "statuses": ("new", "queued", "sent", "replied", "bounced", "booked", "confirmed", "no_show", "won", "running"),
        "icons": _icons(),
        "moments": [now, now - timedelta(minutes=7), now + timedelta(days=2), now - timedelta(days=40)],
        "lanes": ["Booth table 1", "Booth table 2", "Meeting room"],
        "slots": [f"{9 + n // 2:02d}:{30 * (n % 2):02d}" for n in range(8)],
        "long": LONG,
    }  # fmt: skip


def _show(today: date) -> SimpleNamespace:
    return SimpleNamespace(
        pk="1", name="TechExpo 2026", time_zone="Europe/Berlin",
        starts_on=today + timedelta(days=12), ends_on=today + timedelta(days=15),
    )  # fmt: skip


def _rows() -> list[dict[str, Any]]:
    names = (
        ("Nordlicht Robotics", "A", "contacted", 92, "Ana Lima"),
        (LONG, "B", "replied", 71, "Wolfeschlegelsteinhausenbergerdorff Hubert-Blaine"),
        ("株式会社日立製作所", "A", "meeting", 88, "山田 太郎"),
        ("شركة المراعي", "C", "bounced", 40, "محمد الأحمد"),
        ("Ørsted & Søn", "", "new", None, ""),
    )
    keys = ("name", "tier", "status", "score", "owner")
    return [dict(zip(keys, row, strict=True), pk=n) for n, row in enumerate(names)]


def _icons() -> list[str]:
    sprite = Path(settings.BASE_DIR) / "static" / "icons.svg"
    return [symbol.get("id", "") for symbol in ElementTree.parse(sprite).getroot()]  # noqa: S314  our own file
