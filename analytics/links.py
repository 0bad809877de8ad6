"""Addresses of the lists behind a figure."""

from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse


def link(name: str, **query: Any) -> str:
    """The address of a list with this query string; ``""`` where there is no such page, so that a figure stands alone."""
    try:
        address = reverse(name)
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode(query, doseq=True)}" if query else address
