"""What every page needs to draw its frame."""

from typing import Any

from django.http import HttpRequest

THEMES = ("system", "light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """The CSP nonce, and how this person likes the frame: their theme and the sidebar's width, kept in cookies."""
    theme = request.COOKIES.get("theme", "system")
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "theme": theme if theme in THEMES else "system",
        "sidebar": "narrow" if request.COOKIES.get("sidebar") == "narrow" else "wide",
    }
