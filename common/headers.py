"""The response headers that no library of ours sets."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
        "microphone", "midi", "payment", "usb",
    )
)  # fmt: skip
"""What no page of ours needs, nor anything it might be made to load. Passkeys stay allowed."""


def add_security_headers(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: ``Permissions-Policy``, and pages that belong to somebody are kept by no shared cache."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        if "Cookie" in response.get("Vary", ""):
            response.setdefault("Cache-Control", "private, no-cache")
        return response

    return middleware
