"""Every planned mail: its state, why it has not left, and when it is tried next."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from common.fragments import is_fragment, render_part
from common.lists import answer_count, asks_for_count, capped_count, exact_count
from common.paging import InvalidCursor, keyset_page
from events.web import EventRequest
from identity.web import member_required
from outreach.ledger import STATES, LedgerFilter, lines
from outreach.models import Mailbox, Message


@require_safe
@member_required()
def ledger(request: EventRequest) -> HttpResponse:
    chosen = LedgerFilter(request.GET, organization=request.organization)
    if asks_for_count(request):
        return answer_count(request, exact_count(chosen.rows()))
    listed = chosen.rows().select_related("person", "account", "mailbox").defer("body", "text", "html")
    try:
        page = keyset_page(listed, sort=["due_at"], cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect("outreach:ledger")
    params = request.GET.copy()
    params["cursor"] = page.next_cursor
    context: dict[str, Any] = {
        "lines": lines(request.organization.pk, page.items), "filter": chosen,
        "next": f"?{params.urlencode()}" if page.has_more else "",
    }  # fmt: skip
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, "outreach/ledger.html", "rows", context)
    context |= {
        "count": capped_count(chosen.rows()),
        "states": [(state.value, Message.State(state).label) for state in STATES],
        "mailboxes": Mailbox.objects.for_org(request.organization).in_use(),
    }  # fmt: skip
    return render_part(request, "outreach/ledger.html", "results", context)
