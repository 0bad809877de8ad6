"""The pages of meetings."""

from meetings.views.booking import create, edit, people
from meetings.views.closing import act, invite, outcome
from meetings.views.showing import calendar, detail, grid, meeting_list

__all__ = ["act", "calendar", "create", "detail", "edit", "grid", "invite", "meeting_list", "outcome", "people"]
