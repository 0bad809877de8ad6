"""The composition root: health, the API's own pages, the style page."""

from tests.access.matrix import anyone

ROWS = {
    "livez": anyone(),
    "readyz": anyone(),
    "health": anyone(),
    "style": anyone(),
    "api:openapi-json": anyone(),
    "api:openapi-view": anyone(),
    "api:api-root": anyone(),
}
