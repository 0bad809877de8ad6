"""Rules that let people begin by themselves."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from people.models import Person
from sequences.forms import RuleForm
from sequences.models import EnrollmentRule
from sequences.services import plans, rules
from sequences.views.builder import find_sequence

GROUPS = ("target", "account", "person")


@require_http_methods(["GET", "POST"])
@member_required(role=Role.REP)
def add(request: EventRequest, pk: UUID) -> HttpResponse:
    """Who begins by themselves: the rules there are, and a form for one more."""
    sequence = find_sequence(request, pk)
    form = RuleForm(request.POST or None, groups=GROUPS)
    if request.method == "POST" and form.is_valid():
        made = rules.add_rule(sequence, rule=form.rule(), actor=request.user)
        messages.success(request, f"People begin by themselves from now on, when {made}.")
        return redirect("sequences:rules", pk=pk)
    context = {
        "sequence": sequence, "version": plans.latest_version(sequence), "tab": "steps", "rule": form,
        "rules": _with_people(request, list(sequence.rules.select_related("author"))),
        "may_edit": not sequence.is_archived, "may_archive": True,
    }  # fmt: skip
    return render(request, "sequences/rules.html", context, status=422 if form.is_bound else 200)


def _with_people(request: EventRequest, found: list[EnrollmentRule]) -> list[EnrollmentRule]:
    """With ``names``: the last people each left out, as ``(person, reason)``."""
    ids = {left["person"] for rule in found for left in rule.left_out}
    people = Person.objects.for_org(request.organization).in_bulk(ids)
    by_id = {str(pk): person for pk, person in people.items()}
    for rule in found:
        names = [(by_id[left["person"]], left["reason"]) for left in rule.left_out if left["person"] in by_id]
        rule.names = names  # type: ignore[attr-defined]
    return found


@require_POST
@member_required(role=Role.REP)
def pause(request: EventRequest, pk: UUID) -> HttpResponse:
    """Let nobody begin by it for a while, or (``paused=0``) again."""
    rule = get_object_or_404(EnrollmentRule.objects.for_org(request.organization), pk=pk)
    rules.pause_rule(rule, paused=request.POST.get("paused") != "0")
    messages.success(request, "The rule is paused." if rule.paused_at else "The rule lets people begin again.")
    return redirect("sequences:rules", pk=rule.sequence_id)


@require_POST
@member_required(role=Role.REP)
def remove(request: EventRequest, pk: UUID) -> HttpResponse:
    rule = get_object_or_404(EnrollmentRule.objects.for_org(request.organization), pk=pk)
    rule.delete()
    messages.success(request, "The rule is gone. Those who began by it go on.")
    return redirect("sequences:rules", pk=rule.sequence_id)
