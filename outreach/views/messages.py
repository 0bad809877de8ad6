"""The list of messages, one message, and what a person can do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.fragments import is_fragment, render_part
from common.ids import read_uuid
from common.lists import answer_count, asks_for_count, capped_count, exact_count
from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import merging, reading
from outreach.filters import SHOWN, MessageFilter
from outreach.forms import ComposeForm, DraftForm
from outreach.models import Mailbox, Message, Template
from outreach.services import messages as services
from outreach.services.campaigns import CannotSend
from people.models import Person


@require_safe
@member_required()
def message_list(request: EventRequest) -> HttpResponse:
    chosen = MessageFilter(request.GET, organization=request.organization, user=request.user, event=request.event)
    rows = chosen.rows()
    if asks_for_count(request):
        return answer_count(request, exact_count(rows))
    listed = rows.select_related("person", "account", "owner").defer("body", "text", "html")
    try:
        page = keyset_page(listed, sort=["-created_at"], cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect("outreach:list")
    params = request.GET.copy()
    params["cursor"] = page.next_cursor
    context: dict[str, Any] = {
        "page": page, "filter": chosen, "about": chosen.chips_about(), "next": f"?{params.urlencode()}" if page.has_more else "",
    }  # fmt: skip
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, "outreach/list.html", "rows", context)
    waiting = Message.objects.for_org(request.organization).unresolved()
    context |= {
        "count": capped_count(rows), "shown": [(key, label) for key, (label, _) in SHOWN.items()],
        "to_decide": 0 if chosen.show == "decide" else waiting[:100].count(),
        "needs_address": not request.organization.postal_address.strip(),
        "has_mailbox": Mailbox.objects.for_org(request.organization).in_use().exists(),
    }  # fmt: skip
    return render_part(request, "outreach/list.html", "results", context)


@require_safe
@member_required()
def detail(request: EventRequest, pk: UUID) -> HttpResponse:
    message = get_object_or_404(
        Message.objects.for_org(request.organization).select_related(
            "person", "account", "event", "campaign", "mailbox", "template", "owner", "approved_by"
        ),
        pk=pk,
    )
    replies = list(message.replies.order_by("received_at").defer("raw"))
    for mail in replies:
        mail.words = reading.own_words(mail.text)  # type: ignore[attr-defined]
    context = {
        "message": message, "replies": replies, "tries": message.tries.all(),
        "happened": message.provider_events.order_by("-occurred_at", "-id")[:50],
        "may_write": request.membership.may(Role.REP),
    }  # fmt: skip
    return render(request, "outreach/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID) -> HttpResponse:
    """Change the words of a draft, then go back to where the review stood."""
    message = get_object_or_404(
        Message.objects.for_org(request.organization).select_related("person", "campaign"), pk=pk
    )
    back = reverse("outreach:campaign", args=[message.campaign_id]) if message.campaign_id else ""
    back = back or reverse("outreach:detail", args=[pk])
    form = DraftForm(request.POST or None, initial={"subject": message.subject, "body": message.body})
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_draft(message, **form.cleaned_data)
        except services.WrongState as error:
            form.add_error(None, str(error))
        else:
            notices.success(request, f"The mail to {message.person.name} was saved.")
            return redirect(f"{back}#m-{message.pk}" if message.campaign_id else back)
    context = {"form": form, "message": message, "back": back}
    return render(request, "outreach/edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.REP)
def approve(request: EventRequest, pk: UUID) -> HttpResponse:
    message = get_object_or_404(
        Message.objects.for_org(request.organization).select_related("mailbox", "organization"), pk=pk
    )
    try:
        services.approve_message(message, actor=request.user)
    except (CannotSend, services.WrongState) as error:
        notices.error(request, str(error))
    else:
        notices.success(request, "The mail is on its way.")
    return redirect("outreach:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def drop(request: EventRequest, pk: UUID) -> HttpResponse:
    message = get_object_or_404(Message.objects.for_org(request.organization), pk=pk)
    try:
        services.drop_message(message)
    except services.WrongState as error:
        notices.error(request, str(error))
    else:
        notices.success(request, "The mail will not be sent.")
    if request.POST.get("next") == "campaign" and message.campaign_id:
        return redirect("outreach:campaign", pk=message.campaign_id)
    return redirect("outreach:detail", pk=pk)


@require_POST
@member_required(role=Role.REP)
def decide(request: EventRequest, pk: UUID) -> HttpResponse:
    """A person says what became of a mail whose outcome nobody knows."""
    message = get_object_or_404(Message.objects.for_org(request.organization), pk=pk)
    try:
        services.decide(message, decision=request.POST.get("decision", ""), actor=request.user)
    except ValueError:
        notices.error(request, "Choose one of the three answers.")
    except (services.WrongState, CannotSend) as error:
        notices.error(request, str(error))
    else:
        notices.success(request, "Decided.")
    return redirect("outreach:detail", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def compose(request: EventRequest, pk: UUID) -> HttpResponse:
    """Write one mail to one person, from a template or from nothing."""
    person = get_object_or_404(Person.objects.for_org(request.organization).select_related("account"), pk=pk)
    templates = Template.objects.for_org(request.organization).in_use()
    wanted = read_uuid(request.GET.get("template", ""))
    chosen = templates.filter(pk=wanted).first() if wanted else None
    initial = {"subject": chosen.subject, "body": chosen.body} if chosen else {}
    form = ComposeForm(request.POST or None, organization=request.organization, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            message = services.write_message(
                request.organization, person=person, event=request.event, actor=request.user, **form.cleaned_data
            )
        except (services.LeftOut, merging.InvalidTemplate) as error:
            form.add_error(None, str(error))
        else:
            return redirect("outreach:detail", pk=message.pk)
    context = {
        "form": form, "person": person, "templates": templates, "chosen": chosen, "fields": merging.FIELDS,
        "has_mailbox": Mailbox.objects.for_org(request.organization).in_use().exists(),
    }  # fmt: skip
    return render(request, "outreach/compose.html", context, status=422 if form.is_bound else 200)
