"""Templates: what is saved can be filled, and every saved wording is kept."""

from django.db import transaction
from django.utils import timezone

from common.doorbell import ring
from identity.models import Organization, User
from outreach import merging, snippets, tasks, trials
from outreach.models import Mailbox, Template, TemplateVersion


@transaction.atomic
def save_template(
    organization: Organization,
    *,
    template: Template | None,
    name: str,
    subject: str,
    body: str,
    actor: User | None,
) -> Template:
    """Create a template, or give an existing one a new wording; snippets in it become words. Raises InvalidTemplate."""
    source, body = body, snippets.expand(organization, body)
    source = source if source != body else ""
    merging.check_subject(subject)
    merging.check(body)
    if template is None:
        saved = Template.objects.create(
            organization=organization, name=name, subject=subject, body=body, source=source, author=actor
        )
        _keep(saved, actor)
        ring(tasks.copy_templates, str(organization.pk))
        return saved
    saved = Template.objects.for_org(organization).select_for_update().get(pk=template.pk)
    changed = (saved.subject, saved.body) != (subject, body)
    saved.name, saved.subject, saved.body, saved.source = name, subject, body, source
    saved.version += changed
    saved.save(update_fields=["name", "subject", "body", "source", "version", "updated_at"])
    if changed:
        _keep(saved, actor)
        ring(tasks.copy_templates, str(organization.pk))
    return saved


def _keep(template: Template, actor: User | None) -> None:
    TemplateVersion.objects.create(
        organization_id=template.organization_id, template=template, number=template.version,
        subject=template.subject, body=template.body, author=actor,
    )  # fmt: skip


def send_trial(trial: trials.Trial) -> str:
    """Send the member a mail as the person would get it. Returns the address it goes to. Raises CannotTry."""
    address = trials.check(trial)
    Mailbox.objects.filter(pk=trial.mailbox.pk).update(test_wanted_at=timezone.now())
    ids = [one.pk for one in (trial.organization, trial.template, trial.mailbox, trial.person)]
    ring(tasks.send_trial, *map(str, ids), str(trial.event.pk) if trial.event else "", str(trial.member.pk))
    return address


def copy_now(template: Template) -> None:
    """Give every provider the template once more, whatever it had before."""
    template.copies.update(version=0, problem="", updated_at=timezone.now())
    ring(tasks.copy_templates, str(template.organization_id))


def archive_template(template: Template) -> None:
    """Take it out of the lists; what was written from it stays."""
    template.archived_at = timezone.now()
    template.save(update_fields=["archived_at", "updated_at"])
