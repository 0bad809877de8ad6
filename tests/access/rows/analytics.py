"""Today and the dashboard."""

from tests.access.matrix import VIEWER, members, operation

ROWS = {
    "analytics:today": members(get=VIEWER),
    "analytics:dashboard": members(get=VIEWER),
    "GET /api/analytics/dashboard": operation(VIEWER),
    "GET /api/dashboards/stats": operation(VIEWER),
}
