"""Where higher apps put figures of theirs onto the page of a show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from events.models import Event


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of a show: what it counts, the number, the goal it is held against (0: none) and the list behind it."""

    label: str
    value: int
    goal: int = 0
    href: str = ""


_sources: list[Callable[[Event], Sequence[Figure]]] = []


def register_figures(source: Callable[[Event], Sequence[Figure]]) -> None:
    """Show what ``source`` counts on every show's page. Call it once, from the app's ``ready``."""
    if source not in _sources:
        _sources.append(source)


def event_figures(event: Event) -> list[Figure]:
    """Every figure of the show, in the order the apps registered."""
    return [figure for source in _sources for figure in source(event)]
