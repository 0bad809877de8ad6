"""Meetings as calendar objects (RFC 5545) and as scheduling messages (RFC 5546)."""

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, vCalAddress, vText
from icalendar import Event as CalendarEvent

from meetings.models import Meeting

PRODUCT = "-//EventOps//Meetings//EN"


def uid(meeting: Meeting) -> str:
    """The same for the life of the meeting, whatever else changes: calendars find their entry by it."""
    return f"{meeting.pk}@eventops"


def as_ics(meeting: Meeting, *, method: str = "PUBLISH") -> bytes:
    """The meeting in the show's time zone, with the zone's rules in it. ``method``: PUBLISH, REQUEST or CANCEL."""
    entry = CalendarEvent()
    entry.add("uid", uid(meeting))
    entry.add("sequence", meeting.sequence)
    entry.add("dtstamp", timezone.now())
    entry.add("created", meeting.created_at)
    entry.add("last-modified", meeting.updated_at)
    entry.add("dtstart", meeting.local_start)
    entry.add("dtend", meeting.local_end)
    entry.add("summary", meeting.title)
    entry.add("location", _location(meeting))
    entry.add("status", _status(meeting, method))
    entry.add("organizer", _address(str(meeting.rep or meeting.event.name), organizer_email(meeting)))
    for attendee in meeting.attendees.select_related("person"):
        if attendee.person.email:
            address = _address(attendee.person.name, attendee.person.email)
            address.params["ROLE"] = vText("REQ-PARTICIPANT")
            address.params["PARTSTAT"] = vText("NEEDS-ACTION")
            address.params["RSVP"] = vText("TRUE")
            entry.add("attendee", address, encode=False)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    text: bytes = calendar.to_ical()
    return text


def organizer_email(meeting: Meeting) -> str:
    if meeting.rep:
        return meeting.rep.email
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("<")[2].rstrip(">")


def _location(meeting: Meeting) -> str:
    event = meeting.event
    booth = f"{event.name}, {event.booth}" if event.booth and meeting.table else ""
    return ", ".join(filter(None, [meeting.where, booth, event.venue if booth else ""]))


def _status(meeting: Meeting, method: str) -> str:
    if method == "CANCEL" or meeting.status == Meeting.Status.CANCELLED:
        return "CANCELLED"
    return "TENTATIVE" if meeting.status == Meeting.Status.REQUESTED else "CONFIRMED"


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address
