"""Copies of templates at the provider: pushed when they are saved, once for each wording."""

import pytest
from django.utils import timezone

from identity.scope import org_scope
from outreach import copying
from outreach.models import Mailbox, TemplateCopy
from outreach.services.templates import save_template
from tests.factories import TemplateFactory

KEY = "SG.test-key-of-the-sandbox"


@pytest.fixture
def template(organization, mailbox):
    with org_scope(organization.pk):
        Mailbox.objects.filter(pk=mailbox.pk).update(connected_at=timezone.now())
    return TemplateFactory.create(
        organization=organization, name="Invitation", subject="{{ company }} at {{ event }}",
        body='Hello {{ first_name | "there" }},\n\n**see you**',
    )  # fmt: skip


def copies(organization):
    with org_scope(organization.pk):
        return list(TemplateCopy.objects.for_org(organization))


def test_a_template_is_copied_with_the_providers_own_fields(organization, template, sandbox):
    made = copying.copy_templates(organization.pk)

    [kept] = sandbox.world.account(KEY).templates.values()
    [version] = kept["versions"]
    [copy] = copies(organization)
    assert (made, kept["name"], version["subject"]) == (1, "Invitation", "{{company}} at {{event}}")
    assert 'Hello {{insert first_name "default=there"}},' in version["plain_content"]
    assert '{{insert first_name "default=there"}}' in version["html_content"]
    assert (copy.provider_template_id, copy.provider_version_id, copy.version) == (kept["id"], version["id"], 1)


def test_a_new_wording_is_a_new_version_and_nothing_is_pushed_twice(organization, template, sandbox, rep):
    copying.copy_templates(organization.pk)
    again = copying.copy_templates(organization.pk)
    with org_scope(organization.pk):
        save_template(organization, template=template, name="Invite", subject="Hi", body="Hello", actor=rep)
    waiting = copying.organizations_to_copy()
    copying.copy_templates(organization.pk)

    [kept] = sandbox.world.account(KEY).templates.values()
    assert (again, waiting, kept["name"]) == (0, [organization.pk], "Invite")
    assert [version["active"] for version in kept["versions"]] == [0, 1]
    assert copying.organizations_to_copy() == []


def test_a_template_that_was_deleted_there_is_made_again(organization, template, sandbox, rep):
    copying.copy_templates(organization.pk)
    sandbox.world.account(KEY).templates.clear()
    with org_scope(organization.pk):
        save_template(organization, template=template, name="Invite", subject="Hi", body="Hello", actor=rep)

    copying.copy_templates(organization.pk)

    [kept] = sandbox.world.account(KEY).templates.values()
    assert copies(organization)[0].provider_template_id == kept["id"]


def test_a_refusal_is_noted_and_not_repeated(organization, template, sandbox):
    sandbox.world.account(KEY).revoked = True

    copying.copy_templates(organization.pk)

    [copy] = copies(organization)
    assert copy.problem.startswith("SendGrid refuses this API key")
    assert copying.organizations_to_copy() == []
