"""Small pieces of the look. ``docs/design.md`` shows each with an example."""

import zlib
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, SelectMultiple
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from common.tones import look_of

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", size: int = 16) -> SafeString:
    """An icon of the sprite. Without ``label`` it is decoration and hidden from assistive technology."""
    css = "icon" if size == 16 else f"icon icon-{size}"
    link = f"{static('icons.svg')}#{name}"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, link)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, link)


@register.simple_tag
def badge(text: object, tone: str = "", icon: str = "") -> SafeString:
    """A chip: a word, its tone (ok, warn, bad, info, machine, accent or none) and an icon."""
    picture = _icon(icon) if icon else ""
    return format_html('<span class="badge" data-tone="{}">{}<span>{}</span></span>', tone, picture, text)


def _icon(name: str) -> SafeString:
    found: SafeString = icon(name)
    return found


@register.simple_tag
def status(value: str, label: str = "") -> SafeString:
    """The chip of a stored status word: ``{% status message.status message.get_status_display %}``."""
    tone, picture = look_of(value)
    words = label or str(value).replace("_", " ").capitalize()
    found: SafeString = badge(words, tone, picture)
    return found


@register.simple_tag
def tier(value: str | None) -> SafeString:
    """The tier of an account as a letter chip; a dash when there is none."""
    if not value:
        return format_html('<span class="quiet" title="No tier">{}</span>', "–")
    tone = {"A": "accent", "B": "info"}.get(str(value)[:1].upper(), "")
    return format_html('<span class="badge" data-tone="{}" title="Tier {}"><span>{}</span></span>', tone, value, value)


def initials(name: str) -> str:
    """Two letters for a Latin or Cyrillic name, one character for scripts that need no more."""
    words = [w for w in name.replace("@", " ").replace(".", " ").split() if w[:1].isalnum()]
    if not words:
        return "?"
    if ord(words[0][0]) > 0x0590:
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def avatar(name: object, size: int = 24, shape: str = "round") -> SafeString:
    """The initials of a person (round) or company (``shape="square"``), decoration beside the written name."""
    words = str(name or "")
    hue = zlib.crc32(words.encode()) % 6 + 1
    return format_html(
        '<span class="avatar" aria-hidden="true" data-size="{}" data-shape="{}" data-hue="{}">{}</span>',
        size, shape, hue, initials(words),
    )  # fmt: skip


@register.simple_tag
def who(user: Any, empty: str = "Unassigned") -> SafeString:
    """A member: initials and name, or a quiet word when there is nobody."""
    if not user:
        return format_html('<span class="quiet">{}</span>', empty)
    name = getattr(user, "name", "") or str(user)
    return format_html('<span class="who">{}<span class="clip">{}</span></span>', avatar(name), name)


@register.simple_tag
def clip(text: object, empty: str = "") -> SafeString:
    """One line, cut with an ellipsis where the room ends, the whole text in ``title``."""
    words = str(text) if text not in (None, "") else ""
    if not words:
        return format_html('<span class="quiet">{}</span>', empty) if empty else SafeString("")
    return format_html('<span class="clip" title="{}">{}</span>', words, words)


@register.filter
def sentence(text: str) -> str:
    """A heading of another package in our case: ``Two-Factor Authentication`` becomes ``Two-factor authentication``."""
    if "<" in text:
        return text
    first, *rest = text.split() or [""]
    words = [first if first.isupper() else first[:1].upper() + first[1:].lower()]
    return mark_safe(" ".join([*words, *(w if w.isupper() and len(w) > 1 else w.lower() for w in rest)]))  # noqa: S308  as it came


# --- Time, numbers ---------------------------------------------------------------------------------------------------


@register.simple_tag
def when(value: datetime | date | None, zone: str | ZoneInfo | None = None, empty: str = "–") -> SafeString:
    """A moment in relative words with the exact time in ``title``, in ``zone`` or else in the person's own."""
    if not value:
        return format_html('<span class="quiet">{}</span>', empty)
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), day(value))
    local = timezone.localtime(value, _zone(zone)) if timezone.is_aware(value) else value
    exact = f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local:%Z}".strip()
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, relative(value))


@register.simple_tag
def exact(value: datetime | None, zone: str | ZoneInfo | None = None, empty: str = "–") -> SafeString:
    """A moment written out (``Tue 22 Apr, 14:30``) in the show's zone, which ``title`` names."""
    if not value:
        return format_html('<span class="quiet">{}</span>', empty)
    local = timezone.localtime(value, _zone(zone))
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), f"{local:%d %b %Y %H:%M %Z}",
        f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}",
    )  # fmt: skip


def _zone(zone: str | ZoneInfo | None) -> ZoneInfo | None:
    return ZoneInfo(zone) if isinstance(zone, str) and zone else (zone or None)


def relative(value: datetime) -> str:
    """Relative words: ``3 hours ago``, ``in 2 days``; a plain date beyond a week."""
    seconds = (value - timezone.now()).total_seconds()
    ahead, size = seconds > 0, abs(seconds)
    if size < 45:
        return "in a moment" if ahead else "just now"
    for limit, length, unit in ((3_570, 60, "minute"), (84_600, 3_600, "hour"), (7 * 86_400, 86_400, "day")):
        if size < limit:
            number = max(1, round(size / length))
            words = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
    return day(timezone.localtime(value).date())


@register.filter
def day(value: date | datetime | None) -> str:
    """``22 Apr``, with the year when it is not this one."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    year = "" if value.year == timezone.localdate().year else f" {value.year}"
    return f"{value.day} {value:%b}{year}"


@register.filter
def day_title(value: date) -> str:
    """The heading of a day: Today, Yesterday, Tomorrow or ``Tuesday 22 April 2026``."""
    names = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}
    ahead = (value - timezone.localdate()).days
    return names.get(ahead) or f"{value:%A} {value.day} {value:%B %Y}"


@register.filter
def number(value: Any) -> str:
    """A number with thousands separated: ``7,213``."""
    try:
        return f"{value:,}" if isinstance(value, int) else f"{Decimal(str(value)):,}"
    except (InvalidOperation, TypeError, ValueError):
        return ""


@register.filter
def compact(value: float | None) -> str:
    """A number as short as its size allows: ``950``, ``12.3k``, ``1.2M``."""
    if value is None:
        return ""
    for limit, letter in ((1_000_000, "M"), (10_000, "k")):
        if abs(value) >= limit:
            size = 1_000_000 if letter == "M" else 1_000
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return f"{value:,}"


@register.filter
def percent(value: float | Decimal | None, digits: int = 1) -> str:
    """A share (0 to 1) as per cent: ``19.0 %``; a dash when there is no base."""
    return "–" if value is None else f"{value * 100:.{digits}f} %"


@register.filter
def money(value: Decimal | float | None, currency: str = "EUR") -> str:
    """An amount with its currency and no needless cents: ``EUR 12,500``."""
    if value is None:
        return "–"
    amount = Decimal(str(value))
    return f"{currency} {amount:,.0f}" if amount == amount.to_integral() else f"{currency} {amount:,.2f}"


@register.filter
def counted(value: int, words: str) -> str:
    """A number with its noun: ``{{ 3|counted:"person,people" }}`` is ``3 people``."""
    one, _, many = words.partition(",")
    return f"{value:,} {one if value == 1 else many or one + 's'}"


# --- Forms -----------------------------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField, label: str = "", optional: bool = False) -> SafeString:
    """A form field with its label, help and errors, tied together for assistive technology.

    A choice of several is drawn as pills to tick, never as a list box.
    """
    widget = bound.field.widget
    if isinstance(widget, SelectMultiple):
        widget = CheckboxSelectMultiple(choices=widget.choices)
    is_pick = isinstance(widget, CheckboxSelectMultiple)
    return render_to_string(
        "components/field.html",
        {
            "field": bound,
            "control": bound.as_widget(widget),
            "label": label or bound.label,
            "optional": optional,
            "is_check": isinstance(widget, CheckboxInput),
            "is_group": is_pick or bound.use_fieldset,
            "is_pick": is_pick,
        },
    )


@register.simple_tag
def form_fields(form: Any) -> SafeString:
    """Every field of a form, hidden ones and the form's own errors included."""
    return render_to_string("components/form_fields.html", {"form": form})


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The query string of this page with some values changed: ``{% query sort="name" cursor=None %}``."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            params.pop(name, None)
        elif isinstance(value, (list, tuple)):
            params.setlist(name, [str(v) for v in value])
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def sort_header(context: Context, name: str, label: str, numeric: bool = False, param: str = "sort") -> SafeString:
    """A sortable column head. The sort travels as ``?sort=name`` or ``?sort=-name``."""
    now = context["request"].GET.get(param) or context.get("sort") or ""
    up, down = now == name, now == f"-{name}"
    target = f"-{name}" if up else name
    state = SafeString(' aria-sort="ascending"' if up else ' aria-sort="descending"' if down else "")
    arrow = _icon("arrow-up" if up else "arrow-down") if up or down else ""
    address = query(context, **{param: target, "cursor": None, "after": None, "page": None})
    css = SafeString(' class="num"' if numeric else "")
    return format_html('<th scope="col"{}{}><a href="{}">{}{}</a></th>', css, state, address, label, arrow)


# --- Blocks ----------------------------------------------------------------------------------------------------------


@register.simple_block_tag
def banner(content: SafeString, tone: str = "info", title: str = "", icon: str = "") -> SafeString:
    """A notice in the page: what happened, what was kept, what to do."""
    picture = icon or {"ok": "check-circle", "warn": "alert", "bad": "alert", "machine": "spark"}.get(tone, "info")
    role = "alert" if tone == "bad" else "note"
    head = format_html('<p class="banner-title">{}</p>', title) if title else ""
    return format_html(
        '<div class="banner" data-tone="{}" role="{}">{}<div class="banner-body">{}<div>{}</div></div></div>',
        tone, role, _icon(picture), head, content,
    )  # fmt: skip


@register.simple_block_tag
def empty(content: SafeString, title: str, icon: str = "info", action: str = "", href: str = "") -> SafeString:
    """An empty state: what is missing, why, and the next step."""
    button: str = ""
    if href and action:
        button = format_html('<p class="empty-actions"><a class="btn btn-primary" href="{}">{}</a></p>', href, action)
    return format_html(
        '<div class="empty">{}<p class="empty-title">{}</p><div class="empty-body">{}</div>{}</div>',
        _icon(icon), title, content, button,
    )  # fmt: skip


@register.simple_block_tag
def panel(
    content: SafeString, title: str = "", href: str = "", link: str = "See all", flush: bool = False
) -> SafeString:
    """A framed part of a page with its heading and, if there is more, a link to it."""
    more = format_html('<a href="{}">{}</a>', href, link) if href else ""
    head = format_html('<div class="panel-head"><h2>{}</h2>{}</div>', title, more) if title else ""
    body = content if flush else format_html('<div class="panel-body">{}</div>', content)
    return format_html('<section class="panel">{}{}</section>', head, body)


@register.simple_block_tag
def menu(
    content: SafeString,
    id: str,  # noqa: A002
    label: str,
    icon: str = "",
    css: str = "btn btn-quiet",
    text: str = "",
    caret: bool = False,
) -> SafeString:
    """A button and the menu it opens. Without ``text`` the button shows only its icon and is named by ``label``."""
    words = format_html("<span>{}</span>", text) if text else ""
    name = format_html(' aria-label="{}" title="{}"', label, label) if not text else ""
    shape = css if text else f"{css} btn-icon"
    return format_html(
        '<button type="button" class="{}" popovertarget="{}" aria-haspopup="true"{}>{}{}{}</button>'
        '<div class="menu" id="{}" popover aria-label="{}" role="group">{}</div>',
        shape, id, name, _icon(icon) if icon else "", words, _icon("chevron-down") if caret else "", id, label, content,
    )  # fmt: skip


@register.simple_block_tag
def dialog(content: SafeString, id: str, title: str, css: str = "") -> SafeString:  # noqa: A002
    """A native dialog (a sheet on the phone), opened by any ``<button data-dialog-open="id">``."""
    return format_html(
        '<dialog class="dialog {}" id="{}" aria-labelledby="{}-title"><div class="dialog-head"><h2 id="{}-title">{}</h2>'
        '<button type="button" class="btn btn-quiet btn-icon" data-dialog-close aria-label="Close">{}</button></div>{}</dialog>',
        css, id, id, id, title, _icon("x"), content,
    )  # fmt: skip


@register.simple_tag
def skeleton_rows(columns: int = 5, rows: int = 6) -> SafeString:
    """Rows of the real height to show while rows load."""
    widths = ("mid", "short", "mid", "short", "short", "mid")
    cell = '<td><span class="skeleton" data-width="{}"></span></td>'
    cells = format_html_join("", cell, ((widths[i % 6],) for i in range(columns)))
    return format_html_join("", '<tr aria-hidden="true">{}</tr>', ((cells,) for _ in range(rows)))


@register.simple_tag
def load_more(url: str, columns: int, label: str = "Load more") -> SafeString:
    """The last row of a keyset table; htmx replaces it by the next rows, without JavaScript it is a link."""
    if not url:
        return SafeString("")
    return format_html(
        '<tr class="more"><td class="load-more" colspan="{}"><a class="btn" href="{}" hx-get="{}" hx-target="closest tr" '
        'hx-swap="outerHTML">{}</a></td></tr>',
        columns, url, url, label,
    )  # fmt: skip


@register.simple_tag
def progress(done: int, total: int | None, label: str = "", tone: str = "", note: str = "") -> SafeString:
    """A progress bar with its words. ``total`` None shows that the end is not known yet."""
    name = label or "Progress"
    if total:
        bar = format_html(
            '<progress max="{}" value="{}" data-tone="{}" aria-label="{}"></progress>',
            total,
            min(done, total),
            tone,
            name,
        )
    else:
        bar = format_html('<progress aria-label="{}"></progress>', name)
    figures = note or (f"{done:,} of {total:,}" if total else f"{done:,}")
    return format_html(
        '<div class="progress"><div class="progress-head"><span class="strong">{}</span>'
        '<span class="quiet num">{}</span></div>{}</div>',
        label, figures, bar,
    )  # fmt: skip
