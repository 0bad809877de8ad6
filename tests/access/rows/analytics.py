"""Today and the dashboard."""

from identity.models import Organization
from tests.access.matrix import VIEWER, members, operation
from tests.factories import EventFactory


def at_a_show(organization: Organization) -> str:
    return f"eventId={EventFactory.create(organization=organization).pk}"


ROWS = {
    "analytics:today": members(get=VIEWER),
    "analytics:dashboard": members(get=VIEWER),
    "GET /api/analytics/dashboard": operation(VIEWER, query=at_a_show),
    "GET /api/dashboards/stats": operation(VIEWER),
}
