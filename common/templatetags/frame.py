"""The frame around a page: navigation, title, scripts."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template.context import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. ``key`` follows ``g`` as a keyboard shortcut."""

    url_name: str
    label: str
    icon: str
    key: str = ""


@dataclass(frozen=True)
class Link:
    """A place with its address on this request."""

    url: str
    label: str
    icon: str
    key: str
    current: bool


TODAY = Place("analytics:today", "Today", "today", "t")
MAIN = (
    TODAY,
    Place("accounts:list", "Accounts", "accounts", "a"),
    Place("people:list", "People", "people", "p"),
    Place("outreach:list", "Outreach", "outreach", "o"),
    Place("sequences:list", "Sequences", "sequences", "s"),
    Place("meetings:list", "Meetings", "meetings", "m"),
    Place("analytics:dashboard", "Analytics", "analytics", "d"),
)
FOOT = (Place("identity:settings", "Settings", "settings", ","),)
ADMIN = (
    Place("imports:list", "Import", "upload", "i"),
    Place("research:rules", "Scoring", "target"),
    Place("events:list", "Events", "flag", "e"),
)
PHONE_LEFT = (TODAY, MAIN[1])
PHONE_CENTRE = (Place("people:create", "Capture", "capture", "c"),)
PHONE_RIGHT = (MAIN[5],)
USER = (
    Place("identity:profile", "Profile", "user"),
    Place("mfa_index", "Two-step sign-in", "shield"),
    Place("usersessions_list", "Sessions", "monitor"),
)
YOU = (
    *USER,
    Place("account_email", "E-mail addresses", "mail"),
    Place("account_change_password", "Password", "key"),
    Place("socialaccount_connections", "Connected sign-ins", "link"),
)
GROUPS = {
    "main": MAIN,
    "foot": ADMIN + FOOT,
    "phone_left": PHONE_LEFT,
    "phone_centre": PHONE_CENTRE,
    "phone_right": PHONE_RIGHT,
    "user": USER,
    "you": YOU,
}


@register.simple_tag(takes_context=True)
def places(context: Context, group: str) -> list[Link]:
    """The links of a navigation group; places whose pages do not exist here are left out."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    path = request.path if request else ""
    links = []
    for place in GROUPS[group]:
        try:
            url = reverse(place.url_name)
        except NoReverseMatch:
            continue
        links.append(Link(url, place.label, place.icon, place.key, _is_current(place, url, here, path)))
    return links


def _is_current(place: Place, url: str, here: str, path: str) -> bool:
    if here == place.url_name or path == url:
        return True
    app = place.url_name.partition(":")[0]
    siblings = [p for p in MAIN + FOOT + ADMIN if p.url_name.partition(":")[0] == app]
    return siblings == [place] and ":" in here and here.partition(":")[0] == app


@register.simple_tag(takes_context=True)
def block_text(context: Context, name: str) -> str:
    """The text of a template block, so that ``<title>`` can say what the heading says."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    block = blocks.get_block(name) if blocks else None
    if block is None:
        return ""
    return mark_safe(" ".join(strip_tags(block.render(context)).split()))  # noqa: S308  rendered by the template already


@lru_cache(maxsize=1)
def _module_names() -> tuple[str, ...]:
    folder = Path(settings.BASE_DIR) / "static" / "js"
    return tuple(sorted(path.stem for path in folder.glob("*.js")))


@register.simple_tag
def import_map() -> SafeString:
    """The JSON of the import map: every module of ``static/js`` under ``eventops/<name>`` at its stored address."""
    if settings.DEBUG:
        _module_names.cache_clear()
    imports = {f"eventops/{name}": static(f"js/{name}.js") for name in _module_names()}
    return mark_safe(json.dumps({"imports": imports}, separators=(",", ":")).replace("<", "\\u003c"))  # noqa: S308


@register.simple_tag
def event_when(event: Any) -> dict[str, Any]:
    """Dates and days to go of a show, counted in the show's own zone: ``{"dates": "22–26 Apr", "to_go": "in 12 days"}``.

    The year stands with the dates only when it is not this one.
    """
    today = datetime.now(ZoneInfo(event.time_zone)).date() if event.time_zone else timezone.localdate()
    dates = span(event.starts_on, event.ends_on).removesuffix(f" {today.year}")
    return {"dates": dates, "to_go": _to_go(event, today)}


def _to_go(event: Any, today: date) -> str:
    days = (event.starts_on - today).days
    if days > 1:
        return f"in {days} days"
    if days == 1:
        return "tomorrow"
    if today <= event.ends_on:
        return f"day {1 - days} of {(event.ends_on - event.starts_on).days + 1}"
    past = (today - event.ends_on).days
    return "ended yesterday" if past == 1 else f"ended {past} days ago"


def span(first: date, last: date) -> str:
    """Two dates as people write them: ``22–26 Apr 2026``, ``30 Apr – 2 May 2026``."""
    end = f"{last.day} {last:%b} {last.year}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {end}"
    return f"{first.day} {first:%b} {first.year} – {end}"


register.filter("span", span)
