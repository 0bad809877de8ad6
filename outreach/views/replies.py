"""What came back, newest first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.lists import capped_count
from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import reading
from outreach.models import InboundMail

Kind = InboundMail.Kind
SHOWN = {
    "replies": ("Replies", [Kind.REPLY]),
    "stop": ("Ask to stop", [Kind.OPT_OUT]),
    "automatic": ("Automatic", [Kind.AUTO_REPLY, Kind.BOUNCE]),
    "unmatched": ("Not matched", [Kind.UNMATCHED, Kind.OWN]),
}


@require_safe
@member_required()
def reply_list(request: EventRequest) -> HttpResponse:
    show = request.GET.get("show", "")
    show = show if show in SHOWN else "replies"
    handled = request.GET.get("handled") == "1"
    rows = InboundMail.objects.for_org(request.organization).filter(kind__in=SHOWN[show][1], sorted_at__isnull=False)
    if not handled:
        rows = rows.open()
    listed = rows.select_related("person__account", "message").defer("raw", "html")
    try:
        page = keyset_page(listed, sort=["-received_at"], cursor=request.GET.get("cursor", ""), limit=30)
    except InvalidCursor:
        return redirect("outreach:replies")
    for mail in page.items:
        mail.words = reading.own_words(mail.text)  # type: ignore[attr-defined]
    params = request.GET.copy()
    params["cursor"] = page.next_cursor
    context: dict[str, Any] = {
        "page": page, "show": show, "handled": handled, "tabs": [(key, label) for key, (label, _) in SHOWN.items()],
        "count": capped_count(rows), "next": f"?{params.urlencode()}" if page.has_more else "",
        "may_write": request.membership.may(Role.REP),
    }  # fmt: skip
    return render(request, "outreach/replies.html", context)


@require_safe
@member_required()
def show_mail(request: EventRequest, pk: UUID) -> HttpResponse:
    """The mail as it was written, cleaned, in a frame that runs nothing and loads nothing."""
    mail = get_object_or_404(InboundMail.objects.for_org(request.organization).select_related("message"), pk=pk)
    context = {"mail": mail, "clean": reading.clean_html(mail.html) if mail.html else ""}
    return render(request, "outreach/mail.html", context)


@require_POST
@member_required(role=Role.REP)
def handle(request: EventRequest, pk: UUID) -> HttpResponse:
    """Take a reply off the list, or put it back."""
    mail = get_object_or_404(InboundMail.objects.for_org(request.organization), pk=pk)
    if mail.handled_at:
        mail.handled_at, mail.handled_by = None, None
    else:
        mail.handled_at, mail.handled_by = timezone.now(), request.user
    mail.save(update_fields=["handled_at", "handled_by", "updated_at"])
    notices.success(request, "Done." if mail.handled_at else "The reply is open again.")
    return redirect("outreach:replies")
