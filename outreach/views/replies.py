"""The inbox of what came back: a list, a thread, and what a person does with it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.owners import NotAMember, members
from common.ids import read_uuid
from common.paging import InvalidCursor, keyset_page
from common.search import find
from common.text import email_key
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import merging, reading
from outreach.addresses import address_hashes
from outreach.classifying import ReplyClass
from outreach.filters import WHEN, WHOSE, ReplyFilter
from outreach.forms import AnswerForm, AssignForm, ClassForm, RemindForm, SnoozeForm, TieForm
from outreach.models import InboundMail, Message, Suppression, Template
from outreach.panels import reply_board
from outreach.services import replies as services
from outreach.services.campaigns import CannotSend
from outreach.services.messages import LeftOut
from people.models import Person

SHOWN = 30
BEGINNING = 1_500
"""Characters of a mail that its line on the list is made from."""
_PICTURE = re.compile(r"<img\b|background(?:-image)?\s*[=:]", re.IGNORECASE)


@require_safe
@member_required()
def reply_list(request: EventRequest) -> HttpResponse:
    """The list, and the mail that ``?mail=`` names beside it; on a wide screen the first one otherwise."""
    return _inbox(request, named=read_uuid(request.GET.get("mail", "")))


def _inbox(
    request: EventRequest, *, named: UUID | None, form: AnswerForm | None = None, status: int = 200
) -> HttpResponse:
    query = QueryDict(request.POST["query"]) if "query" in request.POST else request.GET
    chosen = ReplyFilter(query, organization=request.organization, user=request.user)
    rows = chosen.rows().select_related("person__account", "assignee").defer("raw", "html", "text", "references")
    try:
        page = keyset_page(
            rows.annotate(beginning=Left("text", BEGINNING)),
            sort=["-received_at"], cursor=query.get("cursor", ""), limit=SHOWN,
        )  # fmt: skip
    except InvalidCursor:
        return redirect("outreach:replies")
    for mail in page.items:
        mail.words = reading.own_words(mail.beginning) or mail.beginning  # type: ignore[attr-defined]
    shown = named or next((mail.pk for mail in page.items), None)
    context: dict[str, Any] = {
        "page": page, "filter": chosen, "tabs": chosen.tabs(), "whose": WHOSE.items(), "when": WHEN.items(),
        "here": chosen.query(), "is_open": named is not None, "may_write": request.membership.may(Role.REP),
        "next": chosen.query(cursor=page.next_cursor) if page.has_more else "",
    }  # fmt: skip
    if shown:
        context |= _reading(request, get_object_or_404(_mails(request), pk=shown), [mail.pk for mail in page.items])
        context["form"] = form or context["form"]
    return render(request, "outreach/replies.html", context, status=status)


def _reading(request: EventRequest, mail: InboundMail, listed: list[UUID]) -> dict[str, Any]:
    """What stands beside the list: one person's thread and what can be done about the mail."""
    place = listed.index(mail.pk) if mail.pk in listed else -1
    before = listed[place - 1] if place > 0 else None
    after = listed[place + 1] if 0 <= place < len(listed) - 1 else None
    wanted = read_uuid(request.GET.get("template", ""))
    templates = list(Template.objects.for_org(request.organization).in_use().only("id", "name", "body"))
    template = next((found for found in templates if found.pk == wanted), None)
    words = services.words_for(mail, template=template, event=request.event, actor=request.user) if template else ""
    return {
        "mail": mail, "thread": _thread(request, mail), "before": before, "after": after, "then": after or before,
        "form": AnswerForm(organization=request.organization, initial={"body": words, "template": template}),
        "templates": templates, "members": members(request.organization.pk), "labels": ReplyClass.choices,
        "is_barred": _is_barred(request, mail), "reminder": services.reminders(mail).first() if mail.person else None,
        "candidates": [] if mail.person else _candidates(request, mail),
        "other_name": _name_in(mail.other_address), "offers": reply_board.render("actions", request, mail),
    }  # fmt: skip


def _thread(request: EventRequest, mail: InboundMail) -> list[dict[str, Any]]:
    """Our mails and theirs of one person, first to last; the newest thirty of each."""
    if mail.person_id is None:
        return [_theirs(mail)]
    sent = Message.objects.for_org(request.organization).filter(
        person=mail.person_id, state__in=["accepted", "queued", "sending", "unknown", "held"], channel="email"
    )
    ours = sent.exclude(body="", text="").select_related("mailbox", "owner").defer("html")
    mails = InboundMail.objects.for_org(request.organization).filter(person=mail.person_id).defer("raw")
    thread = [_ours(message) for message in ours.order_by("-created_at")[:SHOWN]]
    thread += [_theirs(found) for found in mails.order_by("-received_at")[:SHOWN]]
    return sorted(thread, key=lambda entry: entry["at"])


def _ours(message: Message) -> dict[str, Any]:
    at = message.sent_at or message.approved_at or message.created_at
    return {"message": message, "at": at, "words": message.body or message.text}


def _theirs(mail: InboundMail) -> dict[str, Any]:
    return {"mail": mail, "at": mail.received_at, "words": reading.own_words(mail.text) or mail.text}


def _is_barred(request: EventRequest, mail: InboundMail) -> bool:
    addresses = {mail.from_address, mail.person.email if mail.person else ""}
    hashes = [found for address in addresses for found in address_hashes(request.organization.pk, address)]
    return Suppression.objects.for_org(request.organization).of(hashes).exists()


def _name_in(address: str) -> str:
    """The name an address spells out: ``bob.miller@…`` is Bob Miller; nothing where it does not."""
    parts = re.split(r"[._-]", address.partition("@")[0])
    return " ".join(parts).title() if len(parts) > 1 and all(part.isalpha() for part in parts) else ""


def _candidates(request: EventRequest, mail: InboundMail) -> QuerySet[Person]:
    """Who may have written a mail that names none of ours: who is searched for, or who has its address."""
    people = Person.objects.for_org(request.organization).select_related("account")
    if sought := request.GET.get("q", "").replace("\x00", "").strip()[:200]:
        return people.filter(pk__in=find("people_person", sought, cap=200).ids).order_by("name_norm", "id")[:8]
    return people.filter(emails__email_norm=email_key(mail.from_address)).distinct()[:8]


@require_safe
@member_required()
def show_mail(request: EventRequest, pk: UUID) -> HttpResponse:
    """The mail as it was written, cleaned, in a frame that runs nothing and loads nothing."""
    mail = get_object_or_404(InboundMail.objects.for_org(request.organization).select_related("message"), pk=pk)
    context = {
        "mail": mail, "clean": reading.clean_html(mail.html) if mail.html else "",
        "blocked": len(_PICTURE.findall(mail.html)),
    }  # fmt: skip
    return render(request, "outreach/mail.html", context)


@require_POST
@member_required(role=Role.REP)
def handle(request: EventRequest, pk: UUID) -> HttpResponse:
    """Take a reply off the list, or put it back."""
    mail = get_object_or_404(_mails(request), pk=pk)
    if mail.handled_at:
        services.reopen(mail)
        notices.success(request, "The reply is open again.")
        return _back(request, mail)
    services.finish(mail, actor=request.user)
    notices.success(request, "Done.")
    return _back(request, mail, goes_on=True)


@require_POST
@member_required(role=Role.REP)
def classify(request: EventRequest, pk: UUID) -> HttpResponse:
    """A person says what the mail is; that stays, whatever the rules say later."""
    mail, form = get_object_or_404(_mails(request), pk=pk), ClassForm(request.POST)
    if not form.is_valid():
        return _refuse(request, mail, "Choose one of the classes.")
    services.set_class(mail, label=form.cleaned_data["label"], actor=request.user)
    notices.success(request, f"This is “{ReplyClass(form.cleaned_data['label']).label}” now.")
    return _back(request, mail)


@require_POST
@member_required(role=Role.REP)
def assign(request: EventRequest, pk: UUID) -> HttpResponse:
    mail = get_object_or_404(_mails(request), pk=pk)
    form = AssignForm(request.POST, organization=request.organization)
    if not form.is_valid():
        return _refuse(request, mail, "Choose a member of your organization.")
    try:
        services.assign(mail, assignee=form.cleaned_data["assignee"])
    except NotAMember as error:
        return _refuse(request, mail, str(error))
    notices.success(request, f"{mail.assignee or 'Nobody'} has it now.")
    return _back(request, mail)


@require_POST
@member_required(role=Role.REP)
def snooze(request: EventRequest, pk: UUID) -> HttpResponse:
    """Off the list until tomorrow, next week or a day; ``wake`` brings it back."""
    mail, form = get_object_or_404(_mails(request), pk=pk), SnoozeForm(request.POST)
    if not form.is_valid():
        return _refuse(request, mail, "Choose a day that is still to come.")
    until = form.until(request.organization)
    services.snooze(mail, until=until)
    notices.success(request, f"Back on {until:%A, %-d %B}." if until else "The reply is back on the list.")
    return _back(request, mail, goes_on=until is not None)


@require_POST
@member_required(role=Role.REP)
def remind(request: EventRequest, pk: UUID) -> HttpResponse:
    """The day on which somebody who said “not now” is asked again."""
    mail, form = get_object_or_404(_mails(request), pk=pk), RemindForm(request.POST)
    if not form.is_valid() or mail.message is None:
        return _refuse(request, mail, "Choose a day that is still to come.")
    services.remind_on(mail, on=form.cleaned_data["on"])
    notices.success(request, f"You are reminded on {form.cleaned_data['on']:%-d %B %Y}.")
    return _back(request, mail)


@require_POST
@member_required(role=Role.REP)
def tie(request: EventRequest, pk: UUID) -> HttpResponse:
    """Say who wrote a mail that names none of ours."""
    mail = get_object_or_404(_mails(request), pk=pk)
    form = TieForm(request.POST, organization=request.organization)
    if mail.person or not form.is_valid():
        return _refuse(request, mail, "Choose one of your people.")
    services.tie(mail, person=form.cleaned_data["person"], actor=request.user)
    notices.success(request, f"This mail is from {form.cleaned_data['person'].name}.")
    return _back(request, mail)


@require_POST
@member_required(role=Role.REP)
def answer(request: EventRequest, pk: UUID) -> HttpResponse:
    """Answer in the same thread, at once; ``after=done`` takes the mail off the list as well."""
    mail = get_object_or_404(_mails(request), pk=pk)
    form = AnswerForm(request.POST, organization=request.organization)
    if form.is_valid():
        try:
            services.answer(mail, event=request.event, actor=request.user, **form.cleaned_data)
        except (CannotSend, LeftOut) as error:
            form.add_error(None, str(error))
        except merging.InvalidTemplate as error:
            form.add_error("body", error.problems)
        else:
            done = request.POST.get("after") == "done"
            if done:
                services.finish(mail, actor=request.user)
            notices.success(request, "Your answer is on its way.")
            return _back(request, mail, goes_on=done)
    return _inbox(request, named=mail.pk, form=form, status=422)


def _mails(request: EventRequest) -> QuerySet[InboundMail]:
    rows = InboundMail.objects.for_org(request.organization).defer("raw")
    return rows.select_related(
        "person__account", "person__owner", "message__follows", "mailbox", "assignee", "labelled_by", "organization"
    )


def _refuse(request: EventRequest, mail: InboundMail, why: str) -> HttpResponse:
    notices.error(request, f"{why} Nothing was changed.")
    return _inbox(request, named=mail.pk, status=422)


def _back(request: EventRequest, mail: InboundMail, *, goes_on: bool = False) -> HttpResponse:
    """To the list as it was filtered: with the same mail, or with the next one when this one has left the list."""
    chosen = ReplyFilter(QueryDict(request.POST.get("query", "")), organization=request.organization, user=request.user)
    then = read_uuid(request.POST.get("then", "")) if goes_on else mail.pk
    return redirect(f"{reverse('outreach:replies')}?{chosen.query(mail=str(then or ''))}")
