"""The inputs of a rule: their labels are for assistive technology, the row reads as a sentence by itself."""

from django import template
from django.forms import BoundField, CheckboxSelectMultiple, Select
from django.forms.boundfield import BoundWidget
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from research.forms import RuleForm, show_effect

register = template.Library()

_RULE_PART = {
    "fact": "Fact",
    "operator": "Question",
    "low": "From",
    "high": "To",
    "points": "Points",
    "label": "Shown as",
}


@register.simple_tag
def rule_input(row: RuleForm, name: str) -> SafeString:
    """One input of a rule row with a hidden label. A changed fact or question brings the inputs that fit it."""
    bound = row[name]
    attrs = show_effect()
    if name in {"fact", "operator"}:
        attrs |= {
            "hx-target": "#editor",
            "hx-trigger": "change",
            "hx-vals": '{"do": "refresh"}',
            "hx-sync": "#editor:queue all",
        }
    if name in {"low", "high", "points"}:
        attrs |= {"inputmode": "numeric", "autocomplete": "off"}
    if bound.errors:
        attrs |= {"aria-invalid": "true", "aria-describedby": f"{row.prefix}-errors"}
    if isinstance(bound.field.widget, CheckboxSelectMultiple):
        return _checks(bound)
    kind = "rule-choice" if isinstance(bound.field.widget, Select) else f"rule-{name}"
    return format_html(
        '<span class="{}"><label class="sr-only" for="{}">{}</label>{}</span>',
        kind,
        bound.id_for_label,
        bound.label or _RULE_PART[name],
        bound.as_widget(attrs=attrs),
    )


def _checks(bound: BoundField) -> SafeString:
    choices: list[BoundWidget] = list(bound.subwidgets)
    return format_html(
        '<span class="rule-checks" role="group" aria-label="{}"{}>{}</span>',
        bound.label,
        flatatt(show_effect()),
        format_html_join("", '<label class="choice">{}{}</label>', ((w.tag(), w.choice_label) for w in choices)),
    )


@register.simple_tag
def rule_errors(row: RuleForm) -> SafeString:
    """What has to be corrected in the row, in one place below it."""
    if not row.is_bound or not row.errors:
        return SafeString("")
    words = [
        f"{row[name].label or name}: {' '.join(map(str, errors))}"
        for name, errors in row.errors.items()
        if name in row.fields
    ]
    lines = format_html_join("", "<span>{}</span>", ((word,) for word in words))
    return format_html('<div class="field-error rule-errors" id="{}-errors">{}</div>', row.prefix, lines)
