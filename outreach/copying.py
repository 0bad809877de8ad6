"""Copies of templates at the provider of a mailbox, so that they can be seen and used there too (OUT-05).

Mails leave with their own words; a copy is for people who work in the provider's pages. A copy is pushed when a template is
saved; a sweep pushes what a lost bell missed. The provider's copy is never read back.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef

from identity.scope import org_scope, system_scope
from outreach import markup, merging
from outreach.connecting import UNREADABLE, CannotOpen, transport_of
from outreach.models import Mailbox, Template, TemplateCopy
from outreach.ports import SendError, TemplateText
from outreach.querysets import MailboxQuerySet

log = structlog.get_logger(__name__)


def organizations_to_copy() -> list[UUID]:
    """Whose templates have a wording that the provider of a connected mailbox was not given yet."""
    with system_scope():
        given = TemplateCopy.objects.filter(
            template=OuterRef("pk"), mailbox=OuterRef(OuterRef("pk")), version=OuterRef("version")
        )
        missing = Template.objects.in_use().filter(~Exists(given), organization=OuterRef("organization"))
        waiting = _mailboxes().filter(Exists(missing))
        return list(waiting.order_by().values_list("organization_id", flat=True).distinct())


def _mailboxes() -> MailboxQuerySet:
    return Mailbox.objects.in_use().filter(kind=Mailbox.Kind.SENDGRID, problem="").exclude(connected_at=None)


def copy_templates(organization_id: UUID) -> int:
    """Push what changed to every mailbox that keeps templates. Returns how many copies were made."""
    with org_scope(organization_id):
        mailboxes = list(_mailboxes().for_org(organization_id))
    return sum(_copy_to(mailbox) for mailbox in mailboxes)


def _copy_to(mailbox: Mailbox) -> int:
    with org_scope(mailbox.organization_id):
        same = TemplateCopy.objects.filter(template=OuterRef("pk"), mailbox=mailbox, version=OuterRef("version"))
        waiting = list(Template.objects.for_org(mailbox.organization_id).in_use().filter(~Exists(same)))
        known = {
            copy.template_id: copy.provider_template_id
            for copy in TemplateCopy.objects.filter(mailbox=mailbox, template__in=waiting)
        }
    if not waiting:
        return 0
    try:
        transport = transport_of(mailbox)
    except CannotOpen:
        log.warning("templates not copied", mailbox_id=str(mailbox.pk), detail=UNREADABLE)
        return 0
    made = 0
    try:
        for template in waiting:
            ids, problem = None, ""
            try:
                ids = transport.keep_template(text_of(template), template_id=known.get(template.pk, ""))
            except SendError as error:
                problem = error.detail
            if ids is None and not problem:
                return made
            _note(mailbox, template, ids, problem)
            made += ids is not None
    finally:
        transport.close()
    return made


def _note(mailbox: Mailbox, template: Template, ids: tuple[str, str] | None, problem: str) -> None:
    changes: dict[str, object] = {"version": template.version, "problem": problem[:300]}
    if ids is not None:
        changes |= {"provider_template_id": ids[0], "provider_version_id": ids[1]}
    with org_scope(mailbox.organization_id):
        TemplateCopy.objects.update_or_create(
            template=template, mailbox=mailbox, organization_id=mailbox.organization_id, defaults=changes
        )


def text_of(template: Template) -> TemplateText:
    """The words with fields as Handlebars writes them: ``{{first_name}}``, ``{{insert first_name "default=there"}}``."""
    parts = merging.parse(template.body)
    fields = [_handlebars(part) for part in parts if isinstance(part, merging.Field)]
    places = iter(range(len(fields)))
    # A place no markup touches, because the quotes of a fallback would be escaped.
    body = "".join(part if isinstance(part, str) else f"eo0field{next(places)}end" for part in parts)
    text, html = markup.to_text(body), markup.to_html(body)
    for number, field in enumerate(fields):
        text, html = text.replace(f"eo0field{number}end", field), html.replace(f"eo0field{number}end", field)
    subject = "".join(part if isinstance(part, str) else _handlebars(part) for part in merging.parse(template.subject))
    return TemplateText(name=template.name, version=template.version, subject=subject, text=text, html=html)


def _handlebars(field: merging.Field) -> str:
    if field.fallback is None:
        return "{{" + field.name + "}}"
    return "{{insert " + field.name + ' "default=' + field.fallback + '"}}'
