"""The composition root: health, the API's own pages, the style page."""

from tests.access.matrix import ADMIN, anyone, operation

ROWS = {
    "livez": anyone(),
    "readyz": anyone(),
    "health": anyone(),
    "POST /api/test-redis": operation(ADMIN, body={"action": "ping"}),
    "style": anyone(),
    "offline": anyone(),
    "service_worker": anyone(),
    "api:openapi-json": anyone(),
    "api:openapi-view": anyone(),
    "api:api-root": anyone(),
}
