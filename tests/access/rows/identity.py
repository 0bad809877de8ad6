from tests.access.matrix import ANYONE, VIEWER, operation

ROWS = {
    "POST /api/auth/signin": operation(ANYONE, body={"email": "nobody@example.com", "password": "wrong"}),
    "GET /api/me": operation(VIEWER),
    "GET /api/members": operation(VIEWER),
}
