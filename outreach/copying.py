"""Copies of templates at the provider of a mailbox, so that they can be seen and used there too (OUT-05).

Mails leave with their own words; a copy is for people who work in the provider's pages. A copy is pushed when a template is
saved; a sweep pushes what a lost bell missed. The provider's copy is never read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef

from identity.scope import org_scope, system_scope
from outreach import markup, merging
from outreach.connecting import UNREADABLE, CannotOpen, transport_of
from outreach.mailbox_models import MailboxQuerySet
from outreach.models import Mailbox, Template, TemplateCopy
from outreach.ports import SendError, TemplateText

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
    pieces = list(_pieces(merging.parse(template.body)))
    tags = [piece.handlebars for piece in pieces if isinstance(piece, _Tag)]
    places = iter(range(len(tags)))
    # A place no markup touches, because the quotes of a fallback would be escaped.
    body = "".join(piece if isinstance(piece, str) else f"eo0tag{next(places)}end" for piece in pieces)
    text, html = markup.to_text(body), markup.to_html(body)
    for number, tag in enumerate(tags):
        text, html = text.replace(f"eo0tag{number}end", tag), html.replace(f"eo0tag{number}end", tag)
    subject = "".join(
        piece if isinstance(piece, str) else piece.handlebars for piece in _pieces(merging.parse(template.subject))
    )
    return TemplateText(name=template.name, version=template.version, subject=subject, text=text, html=html)


@dataclass(frozen=True)
class _Tag:
    handlebars: str


def _pieces(parts: Iterable[merging.Part]) -> Iterator[str | _Tag]:
    """The text in order, with a tag wherever Handlebars has something to decide or to put in."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, merging.Field):
            fallback = "" if part.fallback is None else f' "default={part.fallback}"'
            yield _Tag("{{insert " + part.name + fallback + "}}" if fallback else "{{" + part.name + "}}")
        else:
            word = "if" if part.equals is None else "equals"
            asked = part.name if part.equals is None else f'{part.name} "{part.equals}"'
            yield _Tag("{{#" + word + " " + asked + "}}")
            yield from _pieces(part.then)
            if part.otherwise:
                yield _Tag("{{else}}")
                yield from _pieces(part.otherwise)
            yield _Tag("{{/" + word + "}}")
