"""Pieces of the filtered lists. Kept lean: a list of fifty rows stays under 60 kB."""

from datetime import date, datetime
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from common.templatetags.ui import day
from common.tones import look_of

register = template.Library()

KEPT = ("cursor", "q", "csrfmiddlewaretoken")


def _kept(query: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.lists() if name not in KEPT for value in values if value]


@register.simple_tag(takes_context=True)
def list_toolbar(context: Context, placeholder: str) -> SafeString:
    """Search box, chips and the filter button of a list; the context carries ``filter`` and ``chips``."""
    request = context["request"]
    values = {
        "path": request.path, "placeholder": placeholder, "filter": context["filter"], "chips": context["chips"],
        "kept": _kept(request.GET), "filter_url": context["filter_url"],
    }  # fmt: skip
    return render_to_string("components/list_toolbar.html", values)


@register.simple_tag(takes_context=True)
def list_swaps(context: Context) -> SafeString:
    """What changes outside the list when it is filtered by htmx: the count, the chips, what the search box carries."""
    return render_to_string(
        "components/list_swaps.html",
        {
            "count": context.get("count", ""), "chips": context["chips"], "filter": context["filter"],
            "kept": _kept(context["request"].GET), "filter_url": context.get("filter_url", ""),
        },
    )  # fmt: skip


@register.simple_tag
def cell(kind: str, value: object, label: object) -> SafeString:
    """A value of a row that is edited in place. The button's row and column say where (``inline-edit.js``)."""
    words = str(label) if label else ""
    if not words:
        inner = mark_safe('<span class="quiet">–</span>')
    elif kind in {"owner", "text"}:
        inner = format_html("{}", words)
    else:
        tone = {"A": "accent", "B": "info"}.get(str(value), "") if kind == "tier" else look_of(str(value))[0]
        inner = format_html('<span class="badge" data-tone="{}">{}</span>', tone, words)
    return format_html('<button class="cell-edit">{}</button>', inner)


@register.simple_tag
def optional_link(name: str, label: str) -> SafeString:
    """A button to a page of a higher app, if that page exists here."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return SafeString("")
    return format_html('<p class="empty-actions"><a class="btn" href="{}">{}</a></p>', url, label)


@register.simple_tag
def hidden_inputs(pairs: Any) -> SafeString:
    """Pairs of name and value as hidden inputs."""
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs)


@register.simple_tag
def cell_value(value: object) -> SafeString:
    """A plain fact that is edited in place; dates as people read them."""
    words: object = value
    if isinstance(value, (date, datetime)):
        words = day(value)
    elif isinstance(value, int):
        words = f"{value:,}"
    found: SafeString = cell("text", "", words)
    return found


@register.simple_tag
def tick(row_id: object, name: object) -> SafeString:
    """The cell that selects a row for the bulk bar; ``bulk.js`` ties it to the form."""
    return format_html(
        '<td class="tick"><label><input type="checkbox" value="{}" data-bulk-row aria-label="Select {}"></label></td>',
        row_id,
        name,
    )
