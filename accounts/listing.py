"""The page of a list: the same flow for accounts, people and whatever else has a ``ListFilter``.

One address answers four times: the page, its rows alone (htmx filters and pages), and what may come after the page
because it takes longer: the exact count, and spellings that come close to a search that found nothing.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.bulk import actions_for
from accounts.filters import ListFilter, Rows
from common.fragments import is_fragment, render_part
from common.lists import answer_count, asks_for_count
from common.paging import InvalidCursor
from events.web import EventRequest


def list_page(
    request: EventRequest, make_filter: type[ListFilter], dress: Callable[[ListFilter, Rows], Rows]
) -> HttpResponse:
    """``dress`` adds to the rows of a page what its template shows of them."""
    asker = request.htmx.trigger if is_fragment(request) else None
    chosen = make_filter(
        request.GET, organization=request.organization, user=request.user, event=request.event,
        patient=asker in {"count", "alike"}
    )  # fmt: skip
    if asks_for_count(request):
        return answer_count(request, chosen.exact_count())
    subject = chosen.subject
    rows = chosen.rows()
    try:
        page = chosen.page(dress(chosen, rows), cursor=request.GET.get("cursor", ""))
    except InvalidCursor:
        return redirect(f"{request.path}?{chosen.query_string()}")
    context: dict[str, Any] = {
        "filter": chosen, "chips": chosen.chips(), "page": page, "sort": chosen.sort,
        "filter_url": reverse(f"{subject}:filter"),
        "next": f"?{chosen.query_string(cursor=page.next_cursor)}" if page.has_more else "",
    }  # fmt: skip
    if is_fragment(request) and request.GET.get("cursor"):
        return render_part(request, f"{subject}/list.html", "rows", context)
    context |= {
        "count": chosen.count(rows), "bulk_url": reverse(f"{subject}:bulk"), "export_url": reverse(f"{subject}:export"),
        "bulk_actions": actions_for(subject, may=request.membership.may, event=request.event),
    }  # fmt: skip
    return render_part(request, f"{subject}/list.html", "results", context)


def filter_page(request: EventRequest, make_filter: type[ListFilter]) -> HttpResponse:
    """The filter of the list as a form: in a dialog, or as a page of its own without JavaScript."""
    chosen = make_filter(request.GET, organization=request.organization, user=request.user, event=request.event)
    context = {"filter": chosen, "action": reverse(f"{chosen.subject}:list"), "title": f"Filter {chosen.subject}"}
    return render_part(request, "accounts/filter.html", "dialog", context)
