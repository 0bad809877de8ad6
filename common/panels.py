"""Places on a page that higher apps fill: the page's app owns a ``Board``, the others register on it in ``ready``.

    person_board.add(slot="side", name="meetings", template="meetings/_person.html", context=meetings_of)

Slots of a detail page: ``actions`` (buttons beside the title), ``main`` (the wide middle) and ``side`` (the right column).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

Slot = Literal["actions", "main", "side"]
Context = Callable[[Any, Any], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A template and the function that makes its context from the request and the page's subject; None hides it."""

    name: str
    slot: Slot
    template: str
    context: Context
    order: int = 50


class Board:
    """The panels of one page, by slot and order."""

    def __init__(self) -> None:
        self._panels: dict[str, Panel] = {}

    def add(self, *, name: str, slot: Slot, template: str, context: Context, order: int = 50) -> None:
        """Register a panel; a second one of the same name replaces the first."""
        self._panels[name] = Panel(name=name, slot=slot, template=template, context=context, order=order)

    def render(self, slot: Slot, request: HttpRequest, subject: Any) -> list[SafeString]:
        """The rendered panels of a slot. Each sees its own context, ``subject`` and the request, and nothing else."""
        parts = []
        for panel in sorted(self._panels.values(), key=lambda panel: (panel.order, panel.name)):
            if panel.slot != slot:
                continue
            context = panel.context(request, subject)
            if context is not None:
                text = render_to_string(panel.template, {"subject": subject, **context}, request=request)
                parts.append(mark_safe(text))  # noqa: S308  a template of ours, escaped there
        return parts
