"""Charts as SVG drawn on the server: no script, no inline style, printable, each with its figures in a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 480, 180, 40, 24, 10


@register.simple_tag
def score(value: int | None, title: str = "") -> SafeString:
    """A score of 0 to 100 as a figure with a small bar."""
    if value is None:
        return format_html('<span class="score" data-tone="none" title="{}">{}</span>', title or "Not scored yet", "–")
    return format_html('<span class="score" title="{}"><span>{}</span>{}</span>', title, value, _meter(value, 100))


def _meter(value: float, most: float) -> SafeString:
    share = round(max(0.0, min(1.0, abs(value) / most if most else 0)) * 100, 1)
    return format_html(
        '<svg class="score-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="4"/></svg>',
        share,
    )


@register.simple_tag
def score_reasons(reasons: Sequence[Any]) -> SafeString:
    """Why a score is what it is. Each reason: ``{"text": …, "points": int, "most": int}`` or ``(text, points[, most])``."""
    rows = [_reason(r) for r in reasons]
    top = max((abs(m or p) for _, p, m in rows), default=1) or 1
    return format_html(
        '<ul class="reasons">{}</ul>',
        format_html_join(
            "",
            '<li class="reason" data-tone="{}"><span>{}</span>{}<span class="reason-points">{}</span></li>',
            (("bad" if p < 0 else "", text, _meter(p, m or top), f"{p:+d}" if p else "0") for text, p, m in rows),
        ),
    )


def _reason(reason: Any) -> tuple[str, int, int]:
    if isinstance(reason, Mapping):
        text = reason.get("text") or reason.get("label") or reason.get("reason") or ""
        return str(text), int(reason.get("points") or 0), int(reason.get("most") or reason.get("max") or 0)
    text, points, *rest = reason
    return str(text), int(points), int(rest[0]) if rest else 0


@register.simple_tag
def stat(label: str, value: object, note: str = "", href: str = "", tone: str = "") -> SafeString:
    """One figure that matters: its name, value, comparison, and the rows behind it. Stands inside ``<div class="stats">``."""
    inner = format_html('<span class="stat-label">{}</span><span class="stat-value">{}</span>', label, value)
    if note:
        inner += format_html('<span class="stat-note" data-tone="{}">{}</span>', tone, note)
    if href:
        return format_html('<a class="stat" href="{}">{}</a>', href, inner)
    return format_html('<div class="stat">{}</div>', inner)


@register.simple_tag
def funnel(steps: Sequence[Any], caption: str = "", unit: str = "Accounts") -> SafeString:
    """Stepped bars from the first step to the last, with the rate from one to the next.

    Each step is ``{"label": str, "value": int, "href": str}`` or ``(label, value[, href])``. ``caption`` says the finding.
    """
    rows = [_step(s) for s in steps]
    most = max((v for _, v, _ in rows), default=0) or 1
    parts: list[SafeString] = []
    table: list[tuple[str, str, str]] = []
    before: int | None = None
    for label, value, href in rows:
        rate = f"{value / before:.1%}".replace("%", " %") if before else "–"
        if before and value <= before:
            parts.append(format_html('<div class="funnel-rate" aria-hidden="true">↓ {} go on</div>', rate))
        parts.append(_funnel_step(label, value, href, most))
        table.append((label, f"{value:,}", rate))
        before = value
    bars = format_html('<div class="funnel">{}</div>', _join(parts))
    return _figure(bars, caption, ("Step", unit, "From the step before"), table)


def _step(step: Any) -> tuple[str, int, str]:
    if isinstance(step, Mapping):
        label = step.get("label") or step.get("name") or ""
        value = step.get("value") or step.get("count") or 0
        return str(label), int(value), str(step.get("href") or step.get("url") or "")
    label, value, *rest = step
    return str(label), int(value), str(rest[0]) if rest and rest[0] else ""


def _funnel_step(label: str, value: int, href: str, most: int) -> SafeString:
    share = round(value / most * 100, 2)
    inner = format_html(
        '<span>{}</span><svg class="funnel-bar" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-back" width="100" height="20"/><rect class="bar" width="{}" height="20"/></svg>'
        '<span class="funnel-value">{}</span>',
        label, max(share, 0.4) if value else 0, f"{value:,}",
    )  # fmt: skip
    if href:
        return format_html('<a class="funnel-step" href="{}">{}</a>', href, inner)
    return format_html('<div class="funnel-step">{}</div>', inner)


@register.simple_tag
def bar_chart(points: Sequence[Any], caption: str = "", x: str = "", y: str = "") -> SafeString:
    """Vertical bars. ``points``: ``(label, value[, href])``; ``x`` and ``y`` name the axes, ``caption`` says the finding."""
    rows = [_step(p) for p in points]
    most, ticks = _scale(max((v for _, v, _ in rows), default=0))
    step = (WIDTH - LEFT) / max(len(rows), 1)
    wide = round(min(step * 0.7, 48), 1)
    bars = []
    for i, (label, value, href) in enumerate(rows):
        tall = round(value / most * (HEIGHT - BOTTOM - TOP), 1)
        left = round(LEFT + i * step + (step - wide) / 2, 1)
        mark = format_html(
            '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>',
            left, round(HEIGHT - BOTTOM - tall, 1), wide, tall, label, f"{value:,}",
        )  # fmt: skip
        bars.append(format_html('<a href="{}">{}</a>', href, mark) if href else mark)
    body = _plot(rows, _join(bars), ticks, most, step, caption or y)
    return _figure(
        body, caption, (x or "Label", y or "Value"), [(label, f"{value:,}") for label, value, _ in rows], axis=y
    )


@register.simple_tag
def line_chart(
    points: Sequence[Any],
    caption: str = "",
    x: str = "",
    y: str = "",
    compare: Sequence[float] = (),
    compare_label: str = "Before",
) -> SafeString:
    """One trend, with an optional dashed line of the same length to compare with."""
    rows = [_step(p) for p in points]
    most, ticks = _scale(max([*(v for _, v, _ in rows), *compare], default=0))
    step = (WIDTH - LEFT) / max(len(rows), 1)
    lines = format_html('<polyline class="line" points="{}"/>', _path([v for _, v, _ in rows], step, most))
    if compare:
        lines = format_html('<polyline class="line line-2" points="{}"/>', _path(compare, step, most)) + lines
    dots = format_html_join(
        "",
        '<circle class="dot" cx="{}" cy="{}" r="2.5"><title>{}: {}</title></circle>',
        ((*_spot(i, v, step, most), label, f"{v:,}") for i, (label, v, _) in enumerate(rows)),
    )
    body = _plot(rows, lines + dots, ticks, most, step, caption or y)
    heads: tuple[str, ...] = (x or "Label", y or "Value", *((compare_label,) if compare else ()))
    table = [
        (label, f"{v:,}", *((f"{compare[i]:,}",) if i < len(compare) else ())) for i, (label, v, _) in enumerate(rows)
    ]
    note = f"{y or 'Value'}; dashed: {compare_label[:1].lower()}{compare_label[1:]}" if compare else y
    return _figure(body, caption, heads, table, axis=note)


def _spot(i: int, value: float, step: float, most: float) -> tuple[float, float]:
    return round(LEFT + (i + 0.5) * step, 1), round(HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP), 1)


def _path(values: Sequence[float], step: float, most: float) -> str:
    return " ".join("{},{}".format(*_spot(i, v, step, most)) for i, v in enumerate(values))


def _scale(top: float) -> tuple[float, list[int]]:
    """A round end of the axis and its ticks, at most five."""
    size = 1
    while size * 4 < top:
        size = int(size * (2.5 if str(size).startswith("2") else 2))
    count = max(1, -(-int(top) // size)) if top else 1
    return float(size * count), [size * i for i in range(count + 1)]


def _plot(
    rows: Sequence[tuple[str, int, str]], marks: SafeString, ticks: Sequence[int], most: float, step: float, name: str
) -> SafeString:
    floor = HEIGHT - BOTTOM
    grid = format_html_join(
        "",
        '<line class="gridline" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (LEFT, WIDTH, y, y, LEFT - 6, y + 4, f"{t:,}")
            for t in ticks
            for y in [round(floor - t / most * (floor - TOP), 1)]
        ),
    )
    every = max(1, -(-len(rows) // 8))
    labels = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (round(LEFT + (i + 0.5) * step, 1), HEIGHT - 6, label)
            for i, (label, _, _) in enumerate(rows)
            if i % every == 0
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>{}</svg>',
        WIDTH, HEIGHT, name or "Chart", grid, marks, LEFT, WIDTH, floor, floor, labels,
    )  # fmt: skip


def _figure(
    body: SafeString, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], axis: str = ""
) -> SafeString:
    words = format_html("<figcaption>{}</figcaption>", caption) if caption else ""
    note = format_html('<p class="quiet small">{}</p>', axis) if axis else ""
    css = (SafeString(""), SafeString(' class="num"'))
    head = format_html_join("", '<th scope="col"{}>{}</th>', ((css[i > 0], h) for i, h in enumerate(heads)))
    lines = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows))
    return format_html(
        '<figure class="chart">{}{}{}<details><summary>Show the figures</summary><div class="table-wrap">'
        '<table class="table table-quiet"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details></figure>',
        words, note, body, head, lines,
    )  # fmt: skip


def _join(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _cells(row: Sequence[str]) -> SafeString:
    first, *rest = row
    return format_html('<th scope="row">{}</th>', first) + format_html_join(
        "", '<td class="num">{}</td>', ((v,) for v in rest)
    )
