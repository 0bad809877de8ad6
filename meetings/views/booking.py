from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods

from common.search import find
from events.models import Event
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from meetings import services
from meetings.forms import BookingForm, find_account, find_people, first_slot, initial_of
from meetings.models import Meeting
from meetings.views.closing import go_on
from meetings.views.showing import on_show_clocks
from people.models import Person

OFFERED_PEOPLE = 12
LOOKED_AT = 200
"""How many matches of a search are sorted by name before the first are offered."""


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def create(request: EventRequest) -> HttpResponse:
    """Book a meeting; ``person``, ``account``, ``table``, ``rep`` and ``start`` in the address fill the form in."""
    event = request.event
    if event is None:
        messages.info(request, "Add the show first: a meeting belongs to one.")
        return redirect("meetings:list")
    if request.method != "POST":
        return _form(request, _fresh_form(request, event), _people_of(request), request.GET.get("account", ""))
    form = BookingForm(_with_offer(request.POST), organization=request.organization, event=event)
    if form.is_valid():
        book = services.book if form.cleaned_data["is_agreed"] else services.request_meeting
        try:
            meeting = book(form.plan(), actor=request.user)
        except services.Refused as refused:
            _explain(form, refused)
        else:
            return _done(request, meeting, form, "Meeting booked")
    return _form(request, form, form.people, request.POST.get("account", ""))


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    """Move a meeting, or change who comes and what it is about."""
    meeting = get_object_or_404(Meeting.objects.for_org(request.organization).for_page(), pk=pk)
    common: dict[str, Any] = {"organization": request.organization, "event": meeting.event, "meeting": meeting}
    there = [attendee.person for attendee in meeting.attendees.all()]
    if request.method != "POST":
        initial = {**initial_of(meeting), "tell": services.was_invited(meeting)}
        return _form(request, BookingForm(initial=initial, **common), there, str(meeting.account_id or ""))
    form = BookingForm(_with_offer(request.POST), **common)
    if form.is_valid():
        try:
            meeting = services.change(meeting, form.plan(), actor=request.user)
        except services.Refused as refused:
            _explain(form, refused)
        else:
            return _done(request, meeting, form, "Meeting saved")
    return _form(request, form, form.people, request.POST.get("account", ""))


@require_GET
@member_required(role=Role.REP)
def people(request: EventRequest) -> HttpResponse:
    """People to choose from while somebody types ``q``."""
    text = request.GET.get("q", "")
    ids = find("people_person", text, cap=LOOKED_AT).ids
    rows = Person.objects.for_org(request.organization).filter(pk__in=ids).select_related("account")
    found = list(rows.order_by("name_norm", "id")[:OFFERED_PEOPLE])
    return render(request, "meetings/form.html#found", {"found": found, "text": text.strip()})


def _fresh_form(request: EventRequest, event: Event) -> BookingForm:
    wished = parse_datetime(request.GET.get("start", "").replace(" ", "+"))
    start = (wished if wished and wished.tzinfo else first_slot(event)).astimezone(event.zone)
    initial = {
        "day": start.date(),
        "start": start.time(),
        "table": request.GET.get("table", ""),
        "rep": request.GET.get("rep") or str(request.user.pk),
        "meeting_type": request.GET.get("type", Meeting.Type.INTRO),
    }
    return BookingForm(initial=initial, organization=request.organization, event=event)


def _people_of(request: EventRequest) -> list[Person]:
    return find_people(request.organization, request.GET.getlist("person"))


def _with_offer(data: QueryDict) -> QueryDict:
    """The posted form with one of the offered alternatives taken: ``instead`` is ``field:value``."""
    name, _, value = data.get("instead", "").partition(":")
    if name not in {"table", "rep", "start", "time"}:
        return data
    changed = data.copy()
    if name == "time":
        changed["day"], _, changed["start"] = value.partition("T")
    else:
        changed[name] = value
    return changed


def _explain(form: BookingForm, refused: services.Refused) -> None:
    if isinstance(refused, services.Taken):
        form.add_error(None, " ".join(str(conflict) for conflict in refused.conflicts))
        form.offers = refused.offers
    else:
        form.add_error(None, str(refused))


def _form(request: EventRequest, form: BookingForm, chosen: list[Person], account_id: str) -> HttpResponse:
    on_show_clocks(form.event)
    account = find_account(request.organization, account_id)
    others: list[Person] = []
    if account:
        ids = [person.pk for person in chosen]
        others = list(
            Person.objects.for_org(request.organization)
            .filter(account=account)
            .exclude(pk__in=ids)
            .select_related("account")
            .order_by("name_norm")[:OFFERED_PEOPLE]
        )
    context = {
        "form": form,
        "meeting": form.meeting,
        "chosen": chosen,
        "account": account,
        "others": others,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "title": "Change meeting" if form.meeting else "Book a meeting",
    }
    template = "meetings/form.html#dialog" if request.htmx else "meetings/form.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _done(request: EventRequest, meeting: Meeting, form: BookingForm, words: str) -> HttpResponse:
    if form.cleaned_data["tell"]:
        mails = services.send_invitations(meeting, actor=request.user)
        words += f"; {len(mails)} invitation{'s' if len(mails) != 1 else ''} on the way" if mails else ""
    messages.success(request, f"{words}: {meeting.title}.")
    return go_on(request, reverse("meetings:detail", args=[meeting.pk]))
