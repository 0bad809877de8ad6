"""Templates: list, write, see on real people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from outreach import drafting, markup, merging, proofreading, rendering, snippets, trials
from outreach.figures import figures_for
from outreach.forms import PreviewForm, TemplateForm, TrialForm
from outreach.models import Mailbox, Message, Snippet, Template, TemplateVersion
from outreach.services import templates as services
from people.models import Person

EXAMPLE = (
    'Hello {{ first_name | "there" }},\n\nwe are at {{ event }} ({{ event_dates }}), booth {{ booth }}. '
    "May I show you what we do for companies like {{ company }}?\n\nBest regards\n{{ my_name }}"
)


@require_safe
@member_required()
def template_list(request: EventRequest) -> HttpResponse:
    sent = Message.objects.filter(template=OuterRef("pk"), sent_at__isnull=False).order_by().values("template")
    counted = sent.annotate(number=Count("id"), answers=Count("id", filter=Q(replied_at__isnull=False)))
    rows = (
        Template.objects.for_org(request.organization)
        .in_use()
        .select_related("author")
        .annotate(
            sent=Coalesce(Subquery(counted.values("number")), 0),
            replied=Coalesce(Subquery(counted.values("answers")), 0),
        )
    )
    return render(request, "outreach/templates.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.REP)
def edit(request: EventRequest, pk: UUID | None = None) -> HttpResponse:
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk) if pk else None
    initial = (
        {"name": template.name, "subject": template.subject, "body": template.source or template.body}
        if template
        else {"subject": "{{ company }} at {{ event }}", "body": EXAMPLE}
    )
    form = TemplateForm(request.POST or None, organization=request.organization, template=template, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = services.save_template(request.organization, template=template, actor=request.user, **form.cleaned_data)
        notices.success(request, f"The template “{saved.name}” was saved.")
        return redirect("outreach:template_list")
    values = {name: form[name].value() or "" for name in ("subject", "body")}
    context = {
        "form": form, "template": template, "fields": merging.FIELDS.items(),
        **_what_became_of(template),
        "mailboxes": Mailbox.objects.for_org(request.organization).in_use(),
        "snippets": Snippet.objects.for_org(request.organization),
        **preview_context(request, subject=values["subject"], body=values["body"], person_id=None),
    }  # fmt: skip
    return render(request, "outreach/template_edit.html", context, status=422 if form.is_bound else 200)


def _what_became_of(template: Template | None) -> dict[str, Any]:
    """What was sent from the template has come to, and which version of it the provider has."""
    if template is None:
        return {}
    found = figures_for(Message.objects.for_org(template.organization_id).filter(template=template))
    return {
        "figures": found, "list": f"{reverse('outreach:list')}?all=1&template={template.pk}",
        "copies": template.copies.select_related("mailbox").order_by("mailbox__name"),
    }  # fmt: skip


@require_POST
@member_required(role=Role.REP)
def copy(request: EventRequest, pk: UUID) -> HttpResponse:
    """Give the provider the newest words again, now."""
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk)
    services.copy_now(template)
    notices.info(request, f"“{template.name}” is being copied. This takes a few seconds.")
    return redirect("outreach:template_edit", pk=pk)


@require_POST
@member_required()
def preview(request: EventRequest) -> HttpResponse:
    """What one real person would get. Changes nothing; a POST because a text may be long."""
    form = PreviewForm(request.POST)
    data: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    context = preview_context(
        request, subject=data.get("subject", ""), body=data.get("body", ""), person_id=data.get("person")
    )
    return render(request, "outreach/template_edit.html#preview", context)


def preview_context(request: EventRequest, *, subject: str, body: str, person_id: UUID | None) -> dict[str, Any]:
    """The filled texts for one person, or why they cannot be filled, and a few people to choose from."""
    people = Person.objects.for_org(request.organization).select_related("account")
    if request.event and people.at(request.event).exists():
        people = people.at(request.event)
    some = list(people.exclude(email_norm="").order_by("-icp_score", "id")[:12])
    person = people.filter(pk=person_id).first() if person_id else None
    person = person or next(iter(some), None)
    context: dict[str, Any] = {"people": some, "person": person}
    if person is None:
        return context
    try:
        body = snippets.expand(request.organization, body)
        writer = drafting.Writer(request.organization, subject, body, request.event, request.user)
        merging.check_subject(subject)
        draft = writer.write([person])[person.pk]
    except merging.InvalidTemplate as error:
        return context | {"problems": error.problems}
    if draft.left_out:
        return context | {"problems": [f"{person.name} would be left out: {draft.left_out}"]}
    return context | {
        "subject": draft.subject, "page": _as_it_arrives(request, draft.body), "text": markup.to_text(draft.body),
        "hints": proofreading.hints(draft.subject, draft.body),
    }  # fmt: skip


def _as_it_arrives(request: EventRequest, body: str) -> str:
    """The mail as a page of its own for a frame, with a signature and the footer. Its look is ``css/mail.css``."""
    mailbox = Mailbox.objects.for_org(request.organization).in_use().first()
    signature = mailbox.signature.strip() if mailbox else ""
    words = markup.to_html(f"{body.strip()}\n\n{signature}" if signature else body, styled=False)
    foot = [rendering.sender(request.organization), rendering.NO_LINK]
    return render_to_string("outreach/_preview_mail.html", {"words": words, "foot": foot}, request)


@require_POST
@member_required(role=Role.REP)
def trial(request: EventRequest, pk: UUID) -> HttpResponse:
    """Send the saved words to the member who asks, as the chosen person would get them."""
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk)
    form = TrialForm(request.POST, organization=request.organization)
    if not form.is_valid():
        notices.error(request, "Choose a person and a mailbox. Nothing was sent.")
        return redirect("outreach:template_edit", pk=pk)
    try:
        address = services.send_trial(
            trials.Trial(
                organization=request.organization, template=template, event=request.event, member=request.user,
                **form.cleaned_data,
            )
        )  # fmt: skip
    except trials.CannotTry as error:
        notices.error(request, str(error))
    else:
        notices.success(request, f"A test of version {template.version} is on its way to {address}. It counts nowhere.")
    return redirect("outreach:template_edit", pk=pk)


@require_POST
@member_required(role=Role.REP)
def archive(request: EventRequest, pk: UUID) -> HttpResponse:
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk)
    services.archive_template(template)
    notices.success(request, f"The template “{template.name}” was put aside. What was written from it stays.")
    return redirect("outreach:template_list")


@require_safe
@member_required()
def versions(request: EventRequest, pk: UUID) -> HttpResponse:
    """Every wording, newest first, against the one before it."""
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk)
    rows = list(template.versions.select_related("author")[:50])
    before = [*rows[1:], TemplateVersion(subject=rows[-1].subject, body=rows[-1].body)] if rows else []
    compared = [
        (new, proofreading.compare(old.subject, new.subject), proofreading.compare(old.body, new.body))
        for new, old in zip(rows, before, strict=True)
    ]
    context = {"template": template, "versions": compared, "may_write": request.membership.may(Role.REP)}
    return render(request, "outreach/template_versions.html", context)


@require_POST
@member_required(role=Role.REP)
def restore(request: EventRequest, pk: UUID, number: int) -> HttpResponse:
    """Write with the words of an earlier version again; they become a new version."""
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=pk)
    version = get_object_or_404(template.versions, number=number)
    services.save_template(
        request.organization, template=template, name=template.name, subject=version.subject, body=version.body,
        actor=request.user,
    )  # fmt: skip
    notices.success(request, f"“{template.name}” says what it said in version {number}.")
    return redirect("outreach:template_versions", pk=pk)
