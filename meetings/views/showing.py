from datetime import date
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from activities.models import Activity
from common.paging import InvalidCursor, keyset_page
from events.models import Event
from events.web import EventRequest
from identity.web import member_required
from meetings.availability import reps_of
from meetings.calendars import as_ics
from meetings.filters import WHEN, MeetingFilter
from meetings.grid import build, days_of
from meetings.models import BoothTable, Meeting

PAGE = 50
WHOLE_DAY = 200
"""A day comes whole, because a rep prints it."""
MOST_DAYS = 7
"""How many days of a show stand side by side above the grid; further ones are in the menu."""


def on_show_clocks(event: Event | None) -> None:
    """From here on, templates write times as the clocks of the show have them, wherever the reader is."""
    if event:
        timezone.activate(event.zone)


@require_GET
@member_required()
def meeting_list(request: EventRequest) -> HttpResponse:
    """The meetings of the chosen show, ``#rows`` for the next page."""
    on_show_clocks(request.event)
    chosen = MeetingFilter(request.GET, organization=request.organization, user=request.user, event=request.event)
    rows = chosen.rows()
    try:
        page = keyset_page(
            rows.for_page(),
            sort=chosen.sort,
            limit=WHOLE_DAY if chosen.day else PAGE,
            cursor=request.GET.get("cursor", ""),
        )
    except InvalidCursor:
        return redirect(f"{request.path}{chosen.without('cursor')}")
    query = request.GET.copy()
    query["cursor"] = page.next_cursor
    context = {"filter": chosen, "page": page, "next_url": f"?{query.urlencode()}" if page.has_more else ""}
    if request.htmx and request.GET.get("cursor"):
        return render(request, "meetings/list.html#rows", context)
    context |= {
        "total": rows.count(),
        "chips": chosen.chips(),
        "when": WHEN,
        "statuses": Meeting.Status.choices,
        "days": days_of(request.event) if request.event else [],
        "reps": reps_of(request.organization.pk),
        "tables": BoothTable.objects.for_org(request.organization).filter(event=request.event),
    }
    return render(request, "meetings/list.html", context)


@require_GET
@member_required()
def grid(request: EventRequest) -> HttpResponse:
    """One day as slots by tables (``by=table``) or reps (``by=rep``)."""
    event = request.event
    if event is None:
        return render(request, "meetings/grid.html", {})
    on_show_clocks(event)
    day = _day(request.GET.get("day", ""), event.days(), timezone.now().astimezone(event.zone).date())
    by = "rep" if request.GET.get("by") == "rep" else "table"
    shown = sorted({*event.days()[:MOST_DAYS], day})
    others = [other for other in days_of(event) if other not in shown]
    context = {"days": shown, "others": others, "day": day, "by": by, "grid": build(event, day, by=by)}
    return render(request, "meetings/grid.html", context)


def _day(text: str, days: list[date], today: date) -> date:
    """The wished day; else today while the show runs, or its first day still to come."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return next((day for day in days if day >= today), days[-1])


@require_GET
@member_required()
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization).for_page(), pk=pk)
    return render(request, "meetings/detail.html", detail_context(meeting))


def detail_context(meeting: Meeting) -> dict[str, object]:
    """What the page of a meeting shows beside it."""
    on_show_clocks(meeting.event)
    history = Activity.objects.for_org(meeting.organization_id).filter(data__meeting=str(meeting.pk))
    if meeting.account_id:
        history = history.filter(account_id=meeting.account_id)
    return {
        "meeting": meeting,
        "history": history.filter(event_id=meeting.event_id).select_related("actor").newest_first()[:50],
        "invitations": meeting.invitations.select_related("attendee__person", "requested_by"),
        "reachable": sum(bool(attendee.person.email) for attendee in meeting.attendees.all()),
    }


@require_GET
@member_required()
def calendar(request: EventRequest, pk: UUID) -> HttpResponse:
    """The meeting as a file for any calendar."""
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization).for_page(), pk=pk)
    name = slugify(meeting.title)[:60] or "meeting"
    return HttpResponse(
        as_ics(meeting),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.ics"'},
    )
