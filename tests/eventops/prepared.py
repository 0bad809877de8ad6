"""An organization in which every background task finds something to do. Two of them are alike but for names and ids."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import models
from django.utils import timezone

from accounts.models import BulkJob, TargetAccount
from analytics.models import Tally
from eventops.demo.clock import let_pass
from identity.models import Invitation, Membership, Role
from identity.scope import org_scope, system_scope
from identity.services import invitations
from meetings import services as meetings
from meetings.services import Plan
from outreach import connecting, inbound, reports
from outreach.models import Mailbox, Message, SendAttempt
from outreach.ports import Report, ReportKind
from people import import_services
from research import scoring
from sequences.models import EnrollmentRule
from sequences.services import enrollments, plans
from tests.factories import (
    AccountFactory,
    BoothTableFactory,
    CampaignFactory,
    EventFactory,
    MailboxFactory,
    MembershipFactory,
    MessageFactory,
    OrganizationFactory,
    PersonFactory,
    SendingDomainFactory,
    SequenceFactory,
    TargetAccountFactory,
    TemplateFactory,
)
from tests.people.importing.helpers import begin, csv_bytes

ALWAYS = {"window_days": list(range(7)), "window_opens": time(0), "window_closes": time.max, "keeps_holidays": False}
LIST = [["Company", "E-mail", "First name", "Last name"], ["New GmbH", "nina@new.example", "Nina", "New"]]
TIER_A = {"match": "all", "tests": [{"fact": "target.tier", "is": "one_of", "value": ["A"]}]}


@dataclass
class Prepared:
    """The ids that tasks are called with."""

    tag: str
    organization_id: UUID
    user_id: UUID
    mailbox_id: UUID
    new_mailbox_id: UUID
    campaign_id: UUID
    mail_id: UUID
    import_id: UUID
    invitation_id: UUID
    meeting_invitation_id: UUID
    run_id: UUID
    job_id: UUID
    domain_id: UUID
    template_id: UUID
    person_id: UUID


def prepare(tag: str) -> Prepared:
    """Make one. ``tag`` tells it from others and does not occur in words."""
    organization = OrganizationFactory.create(name="Nordlicht", slug=tag)
    mine: dict[str, Any] = {"organization": organization}
    user = MembershipFactory.create(role=Role.OWNER, user__email=f"{tag}@example.com", user__name="Nora", **mine).user
    event = EventFactory.create(name="TechExpo", slug="techexpo", **mine)
    mailbox = MailboxFactory.create(from_address="nora@nordlicht.example", name="First", **ALWAYS, **mine)
    connecting.connect(organization.pk, mailbox.pk)
    second = MailboxFactory.create(from_address="nils@nordlicht.example", name="Second", **ALWAYS, **mine)
    account = AccountFactory.create(name="Acme GmbH", website="https://www.acme.example", **mine)
    target = TargetAccountFactory.create(account=account, event=event, tier="B")
    # A booked meeting holds its account, so those who walk through a sequence work elsewhere.
    beta = AccountFactory.create(name="Beta AG", website="https://www.beta.example", **mine)
    ada, ben, cleo, dora, emil = (
        PersonFactory.create(
            account=at, name=name, first_name=name, last_name="Last", email=f"{name.lower()}@{tag}.example"
        )
        for name, at in (("Ada", account), ("Ben", account), ("Cleo", account), ("Dora", beta), ("Emil", beta))
    )
    now = timezone.now()
    MessageFactory.create(person=ada, mailbox=mailbox)
    sent, lost = (
        MessageFactory.create(
            person=person,
            mailbox=mailbox,
            state=state,
            sent_at=at,
            mail_message_id=f"<{tag}.{person.first_name}@x.example>",
        )
        for person, state, at in ((ben, "accepted", now - timedelta(hours=1)), (cleo, "queued", None))
    )
    template = TemplateFactory.create(name="Hello", subject="Hello", body="Hello {{ first_name }}", **mine)
    campaign = CampaignFactory.create(mailbox=mailbox, template=template, name="Spring", status="drafting", owner=user)
    for person in (ada, dora):
        MessageFactory.create(person=person, mailbox=mailbox, campaign=campaign, state="planned", subject="", body="")
    walk = SequenceFactory.create(name="Walk", mailbox=mailbox, event=event, **mine)
    ruled = SequenceFactory.create(name="Ruled", mailbox=mailbox, event=event, is_exclusive=False, **mine)
    with org_scope(organization.pk):
        for sequence in (walk, ruled):
            plans.add_step(sequence, fields={"kind": "wait", "delay_days": 1})
            plans.add_step(sequence, fields={"kind": "call", "subject": "Call"})
            plans.publish(sequence, actor=user)
        enrollments.enroll(walk, [dora.pk, emil.pk], actor=user, source="test")
        EnrollmentRule.objects.create(sequence=ruled, rule=TIER_A, author=user, **mine)
        TargetAccount.objects.filter(pk=target.pk).update(tier="A")
        token = UUID(int=7)
        Mailbox.objects.filter(pk=mailbox.pk).update(test_wanted_at=now)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        Message.objects.filter(pk=lost.pk).update(
            state="sending", token=token, lease_until=now - timedelta(minutes=5), attempts=1
        )
        SendAttempt.objects.create(message=lost, number=1, token=token, provider="sendgrid", started_at=now, **mine)
        raw = EmailMessage()
        raw["From"], raw["To"], raw["Subject"] = ben.email, mailbox.from_address, "Re: Meet us at the show"
        raw["Message-ID"], raw["In-Reply-To"] = f"<answer.{tag}@acme.example>", sent.mail_message_id
        raw.set_content("Tuesday suits us.")
        mail = inbound.keep(mailbox, raw.as_bytes())
        plan = Plan(
            event=event, people=[ada], rep=user, table=BoothTableFactory.create(event=event, name="One"),
            starts_at=datetime(2026, 12, 8, 9, tzinfo=UTC), ends_at=datetime(2026, 12, 8, 9, 30, tzinfo=UTC),
        )  # fmt: skip
        [offer] = meetings.send_invitations(meetings.book(plan, actor=user), actor=user)
        actor = Membership.objects.get(user=user)
        invitation = invitations.invite(organization, email=f"new-{tag}@example.com", role=Role.REP, actor=actor)
        run = scoring.open_run(organization.pk, cause="test")
        job = BulkJob.objects.create(
            subject="accounts", action="set_tier", params={"value": "B"}, query="tier=A", event=event, created_by=user,
            total=1, **mine,
        )  # fmt: skip
    list_import = begin(organization, csv_bytes(LIST))
    with org_scope(organization.pk):
        import_services.run(list_import, ring=False)
    reports.store(
        Report(
            provider="sendgrid", event_id=f"{tag} {kind}", intent_id=sent.pk, attempt=1, kind=kind,
            occurred_at=now - timedelta(minutes=50 - place),
        )
        for place, kind in enumerate((ReportKind.DELIVERED, ReportKind.OPENED, ReportKind.CLICKED))
    )  # fmt: skip
    let_pass(organization.pk, timedelta(days=2))
    with system_scope():
        Invitation.objects.filter(pk=invitation.pk).update(updated_at=now - timedelta(hours=1))
        type(offer).objects.filter(pk=offer.pk).update(created_at=now - timedelta(hours=1))
    assert mail is not None
    return Prepared(
        tag=tag, organization_id=organization.pk, user_id=user.pk, mailbox_id=mailbox.pk, new_mailbox_id=second.pk,
        campaign_id=campaign.pk, mail_id=mail.pk, import_id=list_import.pk, invitation_id=invitation.pk,
        meeting_invitation_id=offer.pk, run_id=run.pk, job_id=job.pk,
        domain_id=SendingDomainFactory.create(domain="other.example", **mine).pk, template_id=template.pk, person_id=ada.pk,
    )  # fmt: skip


UNLIKE = (models.UUIDField, models.ForeignKey, models.BinaryField, models.DateField, models.TimeField)
"""Of such columns only whether they are empty is compared."""
RANDOM = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.+]+|[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_-]{16,}|\d\d:\d\d(:\d\d)?|\d+(\.\d+)? (ms|seconds?)"
)


def picture(prepared: Prepared) -> Counter[str]:
    """Every row of the organization, without what differs from run to run: ids, moments, names with the tag, secrets."""
    found: Counter[str] = Counter()
    for model in apps.get_models():
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        if "organization" not in {field.name for field in fields}:
            continue
        with system_scope():
            rows = list(model._base_manager.filter(organization=prepared.organization_id))
        if issubclass(model, Tally):
            # Its rows are differences; what counts is their sum.
            for field in fields:
                if isinstance(field, models.IntegerField):
                    found[f"{model.__name__} {field.name} {sum(getattr(row, field.attname) for row in rows)}"] += 1
            continue
        for row in rows:
            values = (f"{field.name}={_plain(field, row, prepared.tag)}" for field in fields)
            found[f"{model.__name__} " + " ".join(values)] += 1
    return found


def _plain(field: models.Field[Any, Any], row: models.Model, tag: str) -> str:
    value = getattr(row, field.attname)
    if isinstance(field, UNLIKE) or field.name == "credentials":
        return "-" if value is None else "+"
    return RANDOM.sub("*", str(value).replace(tag, "#")) if isinstance(value, str | dict | list) else str(value)
