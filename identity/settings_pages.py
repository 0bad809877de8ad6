"""The settings home: higher apps register their pages here, from their ``AppConfig.ready``."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from identity.models import Membership, Role


@dataclass(frozen=True)
class SettingsPage:
    """One card of the settings home. ``role`` is the lowest that may open the page; ``icon`` is a name of the sprite."""

    url_name: str
    label: str
    description: str
    icon: str
    section: str = "Organization"
    role: Role = Role.VIEWER


SECTIONS = ("You", "Organization", "Work", "Mail", "Connections")

_pages: list[SettingsPage] = []


def register(*pages: SettingsPage) -> None:
    """Add cards to the settings home. Registering a page twice changes nothing."""
    _pages.extend(page for page in pages if page not in _pages)


def sections_for(membership: Membership) -> list[tuple[str, list[tuple[str, SettingsPage]]]]:
    """``(section, [(address, page), ...])`` of what this member may open; empty sections are left out."""
    found: dict[str, list[tuple[str, SettingsPage]]] = {name: [] for name in SECTIONS}
    for page in _pages:
        if not membership.may(page.role):
            continue
        try:
            address = reverse(page.url_name)
        except NoReverseMatch:
            continue
        found.setdefault(page.section, []).append((address, page))
    return [(name, pages) for name, pages in found.items() if pages]
