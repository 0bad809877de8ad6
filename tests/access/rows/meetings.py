"""Meetings, the grid and the booth."""

from tests.access.matrix import MANAGER, REP, VIEWER, members, operation
from tests.factories import AccountFactory, BoothTableFactory, EventFactory, MeetingFactory

ROWS = {
    "meetings:list": members(get=VIEWER),
    "meetings:grid": members(get=VIEWER),
    "meetings:create": members(get=REP, post=REP),
    "meetings:people": members(get=REP),
    "meetings:booth": members(get=MANAGER, post=MANAGER),
    "meetings:table_add": members(post=MANAGER),
    "meetings:table_edit": members(get=MANAGER, post=MANAGER, pk="booth_table"),
    "meetings:table_delete": members(post=MANAGER, pk="booth_table"),
    "meetings:detail": members(get=VIEWER, pk="meeting"),
    "meetings:edit": members(get=REP, post=REP, pk="meeting"),
    "meetings:calendar": members(get=VIEWER, pk="meeting"),
    "meetings:invite": members(post=REP, pk="meeting"),
    "meetings:outcome": members(post=REP, pk="meeting"),
    "meetings:act": members(post=REP, pk="meeting", action="meeting_action"),
    "GET /api/meetings": operation(VIEWER),
    "POST /api/meetings": operation(
        REP,
        body=lambda organization: {
            "eventId": str(EventFactory.create(organization=organization).pk),
            "accountId": str(AccountFactory.create(organization=organization).pk),
            "scheduledAt": "2026-12-08T09:00:00Z",
        },
    ),
    "GET /api/meetings/{meeting_id}": operation(VIEWER, meeting_id="meeting"),
    "GET /api/meetings/{meeting_id}/calendar.ics": operation(VIEWER, meeting_id="meeting"),
    "PATCH /api/meetings/{meeting_id}": operation(REP, body={"notes": "Bring the plan."}, meeting_id="meeting"),
    "POST /api/meetings/{meeting_id}/{action}": operation(REP, body={}, meeting_id="meeting", action="meeting_action"),
}
BUILDERS = {
    "meeting": lambda organization: MeetingFactory.create(account=AccountFactory.create(organization=organization)).pk,
    "meeting_action": lambda organization: "check-in",
    "booth_table": lambda organization: (
        BoothTableFactory.create(event=EventFactory.create(organization=organization)).pk
    ),
}
