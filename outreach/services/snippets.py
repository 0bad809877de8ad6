"""Snippets: a change reaches every template that holds one, as a new version of it."""

from __future__ import annotations

from django.db import transaction

from identity.models import Organization, User
from outreach import merging, snippets
from outreach.models import Snippet, Template
from outreach.services.templates import save_template


@transaction.atomic
def save_snippet(
    organization: Organization, *, snippet: Snippet | None, name: str, text: str, actor: User | None
) -> tuple[Snippet, int]:
    """Make a snippet, or give one other words; its name stays. Returns it, and how many templates have a new version.

    Raises InvalidTemplate when the words, or a template with them, could not be filled any more.
    """
    merging.check(text)
    if snippet is None:
        return Snippet.objects.create(organization=organization, name=name, text=text, author=actor), 0
    saved = Snippet.objects.for_org(organization).select_for_update().get(pk=snippet.pk)
    saved.text = text
    saved.save(update_fields=["text", "updated_at"])
    changed = 0
    for template in templates_with(saved):
        before = template.version
        after = save_template(
            organization,
            template=template,
            name=template.name,
            subject=template.subject,
            body=template.source,
            actor=actor,
        )
        changed += after.version > before
    return saved, changed


@transaction.atomic
def delete_snippet(snippet: Snippet) -> None:
    """Templates keep the words they have; they are now their own."""
    for template in templates_with(snippet):
        template.source = ""
        template.save(update_fields=["source", "updated_at"])
    snippet.delete()


def templates_with(snippet: Snippet) -> list[Template]:
    """The templates that hold the snippet. Works inside the scope."""
    with_any = Template.objects.for_org(snippet.organization_id).in_use().exclude(source="")
    return [template for template in with_any if snippet.name in snippets.names_in(template.source)]
