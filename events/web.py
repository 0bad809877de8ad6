"""The show that governs every page: chosen in the header, kept in the session, the next one by default."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from events.models import Event
from identity.web import OrgRequest, entered

SESSION_KEY = "event_id"


class EventRequest(OrgRequest):
    """A member's request; ``event`` is the chosen show, or ``None`` while the organization has none."""

    event: Event | None


@receiver(entered, dispatch_uid="events.attach_event")
def attach_event(request: EventRequest, **_: Any) -> None:
    chosen = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    events = Event.objects.for_org(request.organization).in_use()
    event = events.filter(pk=chosen).first() if chosen else None
    request.event = event or events.upcoming(timezone.localdate()).first() or events.order_by("-starts_on").first()
