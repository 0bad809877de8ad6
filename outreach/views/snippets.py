"""Snippets: the list, and one of them with the templates that hold it."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import merging
from outreach import snippets as words
from outreach.forms import SnippetForm
from outreach.models import Snippet, Template
from outreach.services import snippets as services


@require_safe
@member_required()
def snippet_list(request: EventRequest) -> HttpResponse:
    sources = (
        Template.objects.for_org(request.organization).in_use().exclude(source="").values_list("source", flat=True)
    )
    used = Counter(name for source in sources for name in words.names_in(source))
    rows = Snippet.objects.for_org(request.organization).select_related("author")
    context = {
        "rows": [(snippet, used[snippet.name]) for snippet in rows], "may_write": request.membership.may(Role.REP),
    }  # fmt: skip
    return render(request, "outreach/snippets.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID | None = None) -> HttpResponse:
    snippet = get_object_or_404(Snippet.objects.for_org(request.organization), pk=pk) if pk else None
    initial = {"name": snippet.name, "text": snippet.text} if snippet else {}
    form = SnippetForm(request.POST or None, organization=request.organization, snippet=snippet, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved, changed = services.save_snippet(
                request.organization, snippet=snippet, actor=request.user, **form.cleaned_data
            )
        except merging.InvalidTemplate as error:
            form.add_error("text", str(error))
        else:
            also = (
                f" {changed} {'template has' if changed == 1 else 'templates have'} a new version." if changed else ""
            )
            notices.success(request, f"The snippet “{saved.name}” was saved.{also}")
            return redirect("outreach:snippets")
    context = {
        "form": form, "snippet": snippet, "fields": merging.FIELDS.items(),
        "templates": services.templates_with(snippet) if snippet else [],
    }  # fmt: skip
    return render(request, "outreach/snippet_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required(role=Role.REP)
def delete(request: EventRequest, pk: UUID) -> HttpResponse:
    snippet = get_object_or_404(Snippet.objects.for_org(request.organization), pk=pk)
    services.delete_snippet(snippet)
    notices.success(request, f"The snippet “{snippet.name}” is gone. Templates keep its words.")
    return redirect("outreach:snippets")
