from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from events.models import Event


def nav_events(request: HttpRequest) -> dict[str, Any]:
    """The shows of the header's switcher, read only by a page that draws it."""
    organization = getattr(request, "organization", None)
    if organization is None:
        return {"nav_events": []}
    return {
        "nav_events": SimpleLazyObject(
            lambda: list(Event.objects.for_org(organization).in_use().order_by("-starts_on"))
        )
    }
