"""Sending domains: what their DNS says, the records to paste, and the exceptions an admin makes."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import domains, health
from outreach.domain_forms import OverrideForm, SelectorForm
from outreach.models import DomainOverride, HealthPause, Mailbox, SendingDomain
from outreach.services import domains as services

LABELS = {
    "spf": ("SPF", "Says which servers may send for the domain; without it your mail looks forged."),
    "dkim": ("DKIM", "Signs every mail, so that receivers know it is yours and was not changed on the way."),
    "dmarc": (
        "DMARC",
        "Tells receivers what to do with mail that only pretends to be yours; Gmail and Yahoo ask for it.",
    ),
    "return_path": (
        "Return path",
        "Where bounces go; under your own domain it is one more proof that the mail is yours.",
    ),
    "mx": ("MX", "A sender that cannot be answered is distrusted, and you would not hear complaints."),
    "replies": ("Reply domain", "Brings answers to us, so that follow-ups stop when somebody has answered."),
}
"""The name of each check, and why it matters."""


@require_safe
@member_required()
def domain_list(request: EventRequest) -> HttpResponse:
    used = Mailbox.objects.for_org(request.organization).in_use().order_by("name")
    mailboxes: dict[str, list[Mailbox]] = {}
    for mailbox in used:
        mailboxes.setdefault(mailbox.from_domain, []).append(mailbox)
    rows = list(SendingDomain.objects.for_org(request.organization).with_override().filter(domain__in=mailboxes))
    for row in rows:
        row.mailboxes, row.checks = mailboxes[row.domain], _checks(row)  # type: ignore[attr-defined]
    waiting = sorted(set(mailboxes) - {row.domain for row in rows})
    return render(request, "outreach/domains.html", {"rows": rows, "waiting": waiting})


@require_safe
@member_required()
def domain(request: EventRequest, pk: UUID) -> HttpResponse:
    return _page(request, _domain(request, pk))


@require_POST
@member_required(role=Role.REP)
def check(request: EventRequest, pk: UUID) -> HttpResponse:
    services.check_now(_domain(request, pk))
    return redirect("outreach:domain", pk=pk)


@require_POST
@member_required(role=Role.ADMIN)
def selector(request: EventRequest, pk: UUID) -> HttpResponse:
    row, form = _domain(request, pk), SelectorForm(request.POST)
    if not form.is_valid():
        return _page(request, row, selector_form=form, status=422)
    services.name_selector(row, selector=form.cleaned_data["selector"])
    return redirect("outreach:domain", pk=pk)


@require_POST
@member_required(role=Role.ADMIN)
def override(request: EventRequest, pk: UUID) -> HttpResponse:
    row, form = _domain(request, pk), OverrideForm(request.POST)
    if not form.is_valid():
        return _page(request, row, override_form=form, status=422)
    services.override(row, reason=form.cleaned_data["reason"], actor=request.user)
    notices.success(request, f"{row.domain} sends though its checks do not pass. That stands here with your name.")
    return redirect("outreach:domain", pk=pk)


@require_POST
@member_required(role=Role.ADMIN)
def end_override(request: EventRequest, pk: UUID) -> HttpResponse:
    row = _domain(request, pk)
    if services.end_override(row, actor=request.user):
        notices.success(request, f"The checks of {row.domain} count again.")
    return redirect("outreach:domain", pk=pk)


def _page(
    request: EventRequest, row: SendingDomain, *, override_form: OverrideForm | None = None,
    selector_form: SelectorForm | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    mailboxes = list(Mailbox.objects.for_org(request.organization).in_use().filter(from_domain=row.domain))
    figures = health.of_mailboxes(request.organization.pk, [mailbox.pk for mailbox in mailboxes])
    for mailbox in mailboxes:
        mailbox.health = figures.get(mailbox.pk)  # type: ignore[attr-defined]
    pauses = HealthPause.objects.for_org(request.organization).filter(mailbox__in=mailboxes)
    overrides = DomainOverride.objects.for_org(request.organization).filter(domain=row)
    context = {
        "domain": row,
        "checks": _checks(row),
        "mailboxes": mailboxes,
        "health": health.of_domains(request.organization.pk, [row.domain]).get(row.domain),
        "pauses": list(pauses.select_related("mailbox", "resumed_by")[:20]),
        "overrides": list(overrides.select_related("made_by", "ended_by")[:20]),
        "why": "" if row.state == SendingDomain.State.PASSED else domains.why_not_ready(row),
        "may_change": request.membership.may(Role.ADMIN),
        "may_check": request.membership.may(Role.REP),
        "override_form": override_form or OverrideForm(),
        "selector_form": selector_form or SelectorForm(initial={"selector": row.dkim_selector}),
        "has_smtp": any(mailbox.kind == Mailbox.Kind.SMTP for mailbox in mailboxes),
    }
    return render(request, "outreach/domain.html", context, status=status)


def _checks(row: SendingDomain) -> list[dict[str, object]]:
    """The findings with the name of each check and why it matters."""
    known = [finding for finding in row.findings if finding["check"] in LABELS]
    return [{**finding, "label": LABELS[finding["check"]][0], "why": LABELS[finding["check"]][1]} for finding in known]


def _domain(request: EventRequest, pk: UUID) -> SendingDomain:
    return get_object_or_404(SendingDomain.objects.for_org(request.organization).with_override(), pk=pk)
