"""The figures of a show, for pages and the API."""

from analytics import cache, metrics
from events.models import Event
from identity.models import Organization


def figures(organization: Organization, event: Event | None) -> metrics.Figures:
    """The figures of the show, remembered until something changes."""
    return cache.remembered(
        "figures",
        organization_id=organization.pk,
        event_id=event.pk if event else None,
        compute=lambda: metrics.compute(organization, event),
    )
