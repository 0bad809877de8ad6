"""Writing to people, and the doors of the mail provider."""

from identity.scope import org_scope
from outreach import comparing, guard
from tests.access.matrix import ADMIN, MANAGER, REP, VIEWER, anyone, members, operation
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    InboundMailFactory,
    MailboxFactory,
    MessageFactory,
    PersonFactory,
    SendingDomainFactory,
    SnippetFactory,
    SuppressionFactory,
    TemplateFactory,
    TemplateVersionFactory,
)


def message(organization, **fields):
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    return MessageFactory.create(person=person, state="draft", **fields).pk


def campaign(organization, **fields):
    return CampaignFactory.create(mailbox=MailboxFactory.create(organization=organization), **fields).pk


def mail(organization):
    return InboundMailFactory.create(mailbox=MailboxFactory.create(organization=organization)).pk


def hold(organization):
    account = AccountFactory.create(organization=organization)
    with org_scope(organization.pk):
        held = guard.hold_account(organization.pk, account.pk, cause="manual", reason="Talks.")
    return held.pk


TEMPLATE = {"name": "Invitation", "subject": "Hello", "body": "Hello {{ first_name }}"}


def new_outreach(organization):
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    mailbox = MailboxFactory.create(organization=organization)
    return {"personId": str(person.pk), "mailboxId": str(mailbox.pk), "subject": "Hello", "message": "Hello"}


def new_campaign(organization):
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    return {
        "name": "Invitations",
        "templateId": str(TemplateFactory.create(organization=organization).pk),
        "mailboxId": str(MailboxFactory.create(organization=organization).pk),
        "personIds": [str(person.pk)],
    }


def template_with_version(organization):
    template = TemplateFactory.create(organization=organization)
    TemplateVersionFactory.create(template=template)
    return template.pk


def comparison(organization):
    with org_scope(organization.pk):
        return comparing.save_comparison(
            organization, comparison=None, rule={},
            variants=[(TemplateFactory.create(organization=organization), 1) for _ in range(2)],
        ).pk  # fmt: skip


BUILDERS = {
    "sending_campaign": lambda organization: campaign(organization, status="sending"),
    "paused_campaign": lambda organization: campaign(organization, status="paused"),
    "snippet": lambda organization: SnippetFactory.create(organization=organization).pk,
    "comparison": comparison,
    "template_with_version": template_with_version,
    "template_version": lambda organization: 1,
    "message": message,
    "campaign": campaign,
    "inbound_mail": mail,
    "template": lambda organization: TemplateFactory.create(organization=organization).pk,
    "mailbox": lambda organization: MailboxFactory.create(organization=organization).pk,
    "domain": lambda organization: SendingDomainFactory.create(organization=organization).pk,
    "mailbox_action": lambda organization: "pause",
    "hold": hold,
    "suppression": lambda organization: SuppressionFactory.create(organization=organization).pk,
}

ROWS = {
    "unsubscribe": anyone(),
    "webhooks:sendgrid": anyone(),
    "webhooks:sendgrid_mailbox": anyone(),
    "webhooks:sendgrid_inbound": anyone(),
    "outreach:list": members(get=VIEWER),
    "outreach:new": members(get=REP, post=REP),
    "outreach:filter": members(get=REP),
    "outreach:compose": members(get=REP, post=REP, pk="person"),
    "outreach:detail": members(get=VIEWER, pk="message"),
    "outreach:edit": members(get=REP, post=REP, pk="message"),
    "outreach:approve": members(post=REP, pk="message"),
    "outreach:drop": members(post=REP, pk="message"),
    "outreach:decide": members(post=REP, pk="message"),
    "outreach:campaigns": members(get=VIEWER),
    "outreach:campaign": members(get=VIEWER, pk="campaign"),
    "outreach:campaign_progress": members(get=VIEWER, pk="campaign"),
    "outreach:campaign_approve": members(post=REP, pk="campaign"),
    "outreach:campaign_schedule": members(get=REP, post=REP, pk="campaign"),
    "outreach:campaign_pause": members(post=REP, pk="campaign"),
    "outreach:campaign_cancel": members(post=REP, pk="campaign"),
    "outreach:campaign_retry": members(post=REP, pk="campaign"),
    "outreach:decide_comparison": members(post=REP, pk="comparison"),
    "outreach:replies": members(get=VIEWER),
    "outreach:mail": members(get=VIEWER, pk="inbound_mail"),
    "outreach:handle": members(post=REP, pk="inbound_mail"),
    "outreach:classify": members(post=REP, pk="inbound_mail"),
    "outreach:assign": members(post=REP, pk="inbound_mail"),
    "outreach:snooze": members(post=REP, pk="inbound_mail"),
    "outreach:remind": members(post=REP, pk="inbound_mail"),
    "outreach:tie": members(post=REP, pk="inbound_mail"),
    "outreach:answer": members(post=REP, pk="inbound_mail"),
    "outreach:template_list": members(get=VIEWER),
    "outreach:template_new": members(get=REP, post=REP),
    "outreach:snippets": members(get=VIEWER),
    "outreach:snippet_new": members(get=REP, post=REP),
    "outreach:snippet_edit": members(get=REP, post=REP, pk="snippet"),
    "outreach:snippet_delete": members(post=REP, pk="snippet"),
    "outreach:template_preview": members(post=VIEWER),
    "outreach:template_edit": members(get=REP, post=REP, pk="template"),
    "outreach:template_versions": members(get=VIEWER, pk="template"),
    "outreach:template_restore": members(post=REP, pk="template_with_version", number="template_version"),
    "outreach:template_trial": members(post=REP, pk="template"),
    "outreach:template_copy": members(post=REP, pk="template"),
    "outreach:template_archive": members(post=REP, pk="template"),
    "outreach:mailboxes": members(get=VIEWER),
    "outreach:mailbox_new": members(get=ADMIN, post=ADMIN),
    "outreach:mailbox_edit": members(get=ADMIN, post=ADMIN, pk="mailbox"),
    "outreach:mailbox_act": members(post=ADMIN, pk="mailbox", action="mailbox_action"),
    "outreach:mailbox_read": members(post=REP, pk="mailbox"),
    "outreach:stops": members(get=VIEWER),
    "outreach:domains": members(get=VIEWER),
    "outreach:domain": members(get=VIEWER, pk="domain"),
    "outreach:domain_check": members(post=REP, pk="domain"),
    "outreach:domain_selector": members(post=ADMIN, pk="domain"),
    "outreach:domain_override": members(post=ADMIN, pk="domain"),
    "outreach:domain_override_end": members(post=ADMIN, pk="domain"),
    "outreach:stop": members(post=ADMIN),
    "outreach:start": members(post=ADMIN),
    "outreach:ledger": members(get=VIEWER),
    "outreach:hold": members(post=REP, pk="account"),
    "outreach:holds": members(get=VIEWER),
    "outreach:decide_hold": members(post=REP, pk="hold", data={"decision": "release"}),
    "outreach:suppression": members(get=REP, post=REP),
    "outreach:lift": members(post=MANAGER, pk="suppression"),
    "GET /api/outreach": operation(VIEWER),
    "POST /api/outreach": operation(REP, body=new_outreach),
    "GET /api/outreach/{outreach_id}": operation(VIEWER, outreach_id="message"),
    "PATCH /api/outreach/{outreach_id}": operation(REP, body={"subject": "See you?"}, outreach_id="message"),
    "DELETE /api/outreach/{outreach_id}": operation(REP, outreach_id="message"),
    "POST /api/outreach/{outreach_id}/send": operation(REP, outreach_id="message"),
    "GET /api/outreach/templates": operation(VIEWER),
    "POST /api/outreach/templates": operation(REP, body=TEMPLATE),
    "PUT /api/outreach/templates/{template_id}": operation(REP, body=TEMPLATE, template_id="template"),
    "GET /api/outreach/campaigns": operation(VIEWER),
    "POST /api/outreach/campaigns": operation(REP, body=new_campaign),
    "GET /api/outreach/campaigns/{campaign_id}": operation(VIEWER, campaign_id="campaign"),
    "GET /api/domains": operation(VIEWER),
    "GET /api/domains/{domain_id}": operation(VIEWER, domain_id="domain"),
    "POST /api/domains/{domain_id}/check": operation(REP, domain_id="domain"),
    "GET /api/outreach/templates/{template_id}/figures": operation(VIEWER, template_id="template"),
    "GET /api/outreach/campaigns/{campaign_id}/figures": operation(VIEWER, campaign_id="campaign"),
    "PUT /api/outreach/campaigns/{campaign_id}/schedule": operation(
        REP, campaign_id="sending_campaign", body={"perHour": 60}
    ),
    "POST /api/outreach/campaigns/{campaign_id}/pause": operation(REP, campaign_id="sending_campaign"),
    "POST /api/outreach/campaigns/{campaign_id}/resume": operation(REP, campaign_id="paused_campaign"),
    "POST /api/outreach/campaigns/{campaign_id}/cancel": operation(REP, campaign_id="campaign"),
    "GET /api/outreach/comparisons/{comparison_id}": operation(VIEWER, comparison_id="comparison"),
    "POST /api/outreach/comparisons/{comparison_id}/decide": operation(
        REP, comparison_id="comparison", body={"letter": "A"}
    ),
    "GET /api/outreach/snippets": operation(VIEWER),
    "POST /api/outreach/snippets": operation(REP, body={"name": "way", "text": "Hall 4."}),
    "PUT /api/outreach/snippets/{snippet_id}": operation(REP, snippet_id="snippet", body={"text": "Hall 5."}),
    "DELETE /api/outreach/snippets/{snippet_id}": operation(REP, snippet_id="snippet"),
    "POST /api/outreach/campaigns/{campaign_id}/send": operation(REP, campaign_id="campaign"),
}
