"""Outreach for programs. Field names and status words are those callers know; times are UTC."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from common.envelopes import Answer, Paginated, paginated
from common.lists import capped_count
from common.paging import keyset_page
from events.models import Event
from identity.apiauth import Scope, member
from identity.web import OrgRequest
from outreach import merging
from outreach.models import Campaign, Mailbox, Message, Template
from outreach.services import campaigns, messages, templates
from people.models import Person

router = Router(tags=["Outreach"])

_ID = "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10"


class OutreachOut(Schema):
    """One mail to one person. ``status`` is where it stands for a caller, ``state`` where the sending stands."""

    id: UUID
    personId: UUID  # noqa: N815 - the names callers know, here and below
    accountId: UUID | None  # noqa: N815
    eventId: UUID | None  # noqa: N815
    campaignId: UUID | None  # noqa: N815
    sequenceId: UUID | None  # noqa: N815
    mailboxId: UUID | None  # noqa: N815
    channel: str
    subject: str
    message: str
    status: str = Field(description="DRAFT, SENT, RESPONDED or BOUNCED.")
    state: str = Field(description="draft, queued, sending, unknown, accepted, held, skipped, rejected or cancelled.")
    reason: str = Field(description="Why it stands where it stands, in plain words.")
    sentAt: datetime | None  # noqa: N815
    deliveredAt: datetime | None  # noqa: N815
    openedAt: datetime | None = Field(description="Opened by a person; machines do not count.")  # noqa: N815
    clickedAt: datetime | None  # noqa: N815
    repliedAt: datetime | None  # noqa: N815
    bouncedAt: datetime | None  # noqa: N815
    gmailMessageId: str = Field(description="The Message-ID of the mail.")  # noqa: N815
    gmailThreadId: str  # noqa: N815
    lastChecked: datetime | None  # noqa: N815
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815


class OutreachIn(Schema):
    """Either ``templateId``, or ``subject`` and ``message``. Merge fields are filled for the person."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "personId": _ID,
                "subject": "{{ company }} at {{ event }}",
                "message": "Hello {{ first_name }},",
            }
        }
    )

    personId: UUID  # noqa: N815
    eventId: UUID | None = None  # noqa: N815
    mailboxId: UUID | None = Field(None, description="The only mailbox by default.")  # noqa: N815
    templateId: UUID | None = None  # noqa: N815
    subject: str = Field("", max_length=300)
    message: str = Field("", max_length=50_000)


class OutreachPatch(Schema):
    model_config = ConfigDict(json_schema_extra={"example": {"subject": "See you in hall 4?"}})

    subject: str | None = Field(None, max_length=300)
    message: str | None = Field(None, max_length=50_000)


class ChosenPeople(Schema):
    eventId: UUID | None = None  # noqa: N815
    personId: UUID | None = None  # noqa: N815
    accountId: UUID | None = None  # noqa: N815
    campaignId: UUID | None = None  # noqa: N815
    sequenceId: UUID | None = None  # noqa: N815
    status: Message.Status | None = None
    state: Message.State | None = None


class TemplateOut(Schema):
    id: UUID
    name: str
    subject: str
    body: str
    version: int
    fields: list[str] = Field(description="The merge fields it uses.")
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815


class TemplateIn(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Invitation",
                "subject": "{{ company }} at {{ event }}",
                "body": "Hello {{ first_name }},",
            }
        }
    )

    name: str = Field(min_length=1, max_length=120)
    subject: str = Field(min_length=1, max_length=300)
    body: str = Field(min_length=1, max_length=50_000)


class CampaignOut(Schema):
    id: UUID
    name: str
    status: str
    eventId: UUID | None  # noqa: N815
    templateId: UUID | None  # noqa: N815
    mailboxId: UUID  # noqa: N815
    total: int
    drafts: int
    leftOut: int  # noqa: N815
    queued: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    createdAt: datetime  # noqa: N815


class CampaignIn(Schema):
    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Invitations", "templateId": _ID, "mailboxId": _ID, "personIds": [_ID]}}
    )

    name: str = Field(min_length=1, max_length=200)
    templateId: UUID  # noqa: N815
    mailboxId: UUID | None = None  # noqa: N815
    eventId: UUID | None = None  # noqa: N815
    personIds: list[UUID] = Field(min_length=1, max_length=10_000)  # noqa: N815


class Queued(Schema):
    queued: int


# --- Templates -------------------------------------------------------------------------------------------------------


@router.get("/templates", auth=member(Scope.READ), response=list[TemplateOut], summary="List templates")
def list_templates(request: OrgRequest) -> list[dict[str, Any]]:
    rows = Template.objects.for_org(request.organization).in_use()
    return [_template_out(template) for template in rows[:1_000]]


@router.post("/templates", auth=member(Scope.WRITE), response={201: Answer[TemplateOut]}, summary="Write a template")
def create_template(request: OrgRequest, body: TemplateIn) -> Status[dict[str, Any]]:
    """Answers 422 when a merge field does not exist, and 409 when the name is taken."""
    with _as_problem():
        saved = templates.save_template(request.organization, template=None, actor=request.user, **_words(body.dict()))
    return Status(201, {"data": _template_out(saved)})


@router.put("/templates/{template_id}", auth=member(Scope.WRITE), response=Answer[TemplateOut], summary="Reword one")
def change_template(request: OrgRequest, template_id: UUID, body: TemplateIn) -> dict[str, Any]:
    """A new wording is a new version; what was written from the old one stays."""
    template = get_object_or_404(Template.objects.for_org(request.organization).in_use(), pk=template_id)
    with _as_problem():
        saved = templates.save_template(
            request.organization, template=template, actor=request.user, **_words(body.dict())
        )
    return {"data": _template_out(saved)}


# --- Campaigns -------------------------------------------------------------------------------------------------------


@router.get("/campaigns", auth=member(Scope.READ), response=Paginated[CampaignOut], summary="List campaigns")
def list_campaigns(
    request: OrgRequest,
    eventId: UUID | None = None,  # noqa: N803
    limit: int = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """The newest first."""
    rows = Campaign.objects.for_org(request.organization)
    if eventId:
        rows = rows.filter(event_id=eventId)
    page = keyset_page(rows, sort=["-created_at"], limit=limit, cursor=cursor)
    items = [_campaign_out(campaign) for campaign in page.items]
    return paginated(items, total=rows.count(), page_size=max(1, min(limit, 200)), next_cursor=page.next_cursor)


@router.post("/campaigns", auth=member(Scope.WRITE), response={201: Answer[CampaignOut]}, summary="Draft a campaign")
def create_campaign(request: OrgRequest, body: CampaignIn) -> Status[dict[str, Any]]:
    """One draft per person; nothing leaves before ``/send``. Whoever cannot be written to is left out with a reason."""
    people = Person.objects.for_org(request.organization).filter(pk__in=body.personIds)
    if people.count() < len(set(body.personIds)):
        raise HttpError(422, "There is no person with one of these ids.")
    with _as_problem():
        campaign = campaigns.start_campaign(
            request.organization,
            name=body.name,
            event=_one(request, Event, body.eventId, "show") if body.eventId else None,
            template=_one(request, Template, body.templateId, "template"),
            mailbox=_mailbox(request, body.mailboxId),
            people=people,
            actor=request.user,
        )
    return Status(201, {"data": _campaign_out(campaign)})


@router.get("/campaigns/{campaign_id}", auth=member(Scope.READ), response=Answer[CampaignOut], summary="One campaign")
def get_campaign(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    return {"data": _campaign_out(_campaign(request, campaign_id))}


@router.post(
    "/campaigns/{campaign_id}/send",
    auth=member(Scope.SEND),
    response=Answer[Queued],
    summary="Send a campaign's drafts",
)
def send_campaign(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    """Approves every draft; they leave in the background."""
    with _as_problem():
        queued = campaigns.approve_campaign(_campaign(request, campaign_id), actor=request.user)
    return {"data": {"queued": queued}}


# --- Messages --------------------------------------------------------------------------------------------------------


@router.get("", auth=member(Scope.READ), response=Paginated[OutreachOut], summary="List outreach")
def list_outreach(
    request: OrgRequest, chosen: Query[ChosenPeople], limit: int = 50, cursor: str = ""
) -> dict[str, Any]:
    """The newest first."""
    same = {
        "event_id": chosen.eventId, "person_id": chosen.personId, "account_id": chosen.accountId,
        "campaign_id": chosen.campaignId, "sequence_id": chosen.sequenceId, "status": chosen.status, "state": chosen.state,
    }  # fmt: skip
    rows = Message.objects.for_org(request.organization).filter(**{k: v for k, v in same.items() if v is not None})
    page = keyset_page(rows.defer("html"), sort=["-created_at"], limit=limit, cursor=cursor)
    return paginated(
        [_out(message) for message in page.items], total=capped_count(rows).number,
        page_size=max(1, min(limit, 200)), next_cursor=page.next_cursor,
    )  # fmt: skip


@router.post("", auth=member(Scope.WRITE), response={201: Answer[OutreachOut]}, summary="Draft a mail to a person")
def create_outreach(request: OrgRequest, body: OutreachIn) -> Status[dict[str, Any]]:
    """Answers 422 with the reason when the person cannot be written to. Nothing leaves before ``/send``."""
    template = _one(request, Template, body.templateId, "template") if body.templateId else None
    subject, text = (template.subject, template.body) if template else (body.subject, body.message)
    if not subject.strip() or not text.strip():
        raise HttpError(422, "Give a templateId, or a subject and a message.")
    with _as_problem():
        message = messages.write_message(
            request.organization,
            person=_one(request, Person, body.personId, "person"),
            event=_one(request, Event, body.eventId, "show") if body.eventId else None,
            mailbox=_mailbox(request, body.mailboxId),
            subject=subject,
            body=text,
            actor=request.user,
            template=template,
        )
    return Status(201, {"data": _out(_message(request, message.pk))})


@router.get("/{outreach_id}", auth=member(Scope.READ), response=Answer[OutreachOut], summary="One mail")
def get_outreach(request: OrgRequest, outreach_id: UUID) -> dict[str, Any]:
    return {"data": _out(_message(request, outreach_id))}


@router.patch("/{outreach_id}", auth=member(Scope.WRITE), response=Answer[OutreachOut], summary="Reword a draft")
def change_outreach(request: OrgRequest, outreach_id: UUID, body: OutreachPatch) -> dict[str, Any]:
    """Answers 409 when the mail is no draft any more."""
    message = _message(request, outreach_id)
    with _as_problem():
        messages.edit_draft(
            message,
            subject=message.subject if body.subject is None else body.subject,
            body=message.body if body.message is None else body.message,
        )
    return {"data": _out(_message(request, outreach_id))}


@router.delete("/{outreach_id}", auth=member(Scope.WRITE), response={204: None}, summary="Do not send")
def drop_outreach(request: OrgRequest, outreach_id: UUID) -> Status[None]:
    """Takes a draft or a waiting mail back. Answers 409 when it is on its way already."""
    with _as_problem():
        messages.drop_message(_message(request, outreach_id))
    return Status(204, None)


@router.post("/{outreach_id}/send", auth=member(Scope.SEND), response=Answer[OutreachOut], summary="Send a draft")
def send_outreach(request: OrgRequest, outreach_id: UUID) -> dict[str, Any]:
    with _as_problem():
        messages.approve_message(_message(request, outreach_id), actor=request.user)
    return {"data": _out(_message(request, outreach_id))}


# --- Shared ----------------------------------------------------------------------------------------------------------


class _as_problem:  # noqa: N801 - reads as the words it stands for
    """Turn what a service refuses into the answer: 409 when something has moved on, 422 otherwise."""

    def __enter__(self) -> None:
        self._savepoint = transaction.atomic()
        self._savepoint.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._savepoint.__exit__(kind, error, trace)
        if isinstance(error, messages.WrongState):
            raise HttpError(409, str(error)) from error
        if isinstance(error, IntegrityError) and "template_name_once" in str(error):
            raise HttpError(409, "Another template has this name.") from error
        if isinstance(error, (merging.InvalidTemplate, messages.LeftOut, campaigns.CannotSend)):
            raise HttpError(422, str(error)) from error


def _words(values: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("\x00", "").strip() for name, value in values.items()}


def _one(request: OrgRequest, model: Any, pk: UUID, name: str) -> Any:
    found = model.objects.for_org(request.organization).filter(pk=pk).first()
    if found is None:
        raise HttpError(422, f"There is no {name} with this id.")
    return found


def _mailbox(request: OrgRequest, pk: UUID | None) -> Mailbox:
    rows = Mailbox.objects.for_org(request.organization).in_use()
    if pk:
        found: Mailbox = _one(request, Mailbox, pk, "mailbox")
        return found
    only = list(rows[:2])
    if len(only) != 1:
        raise HttpError(422, "Say which mailbox sends: give its mailboxId.")
    return only[0]


def _message(request: OrgRequest, pk: UUID) -> Message:
    rows = Message.objects.for_org(request.organization).select_related("mailbox", "organization", "person")
    return get_object_or_404(rows, pk=pk)


def _campaign(request: OrgRequest, pk: UUID) -> Campaign:
    return get_object_or_404(Campaign.objects.for_org(request.organization), pk=pk)


def _template_out(template: Template) -> dict[str, Any]:
    return {
        "id": template.pk, "name": template.name, "subject": template.subject, "body": template.body,
        "version": template.version, "fields": merging.fields_in(template.subject, template.body),
        "createdAt": template.created_at, "updatedAt": template.updated_at,
    }  # fmt: skip


def _campaign_out(campaign: Campaign) -> dict[str, Any]:
    counts = campaigns.progress(campaign.messages.all())
    return {
        "id": campaign.pk, "name": campaign.name, "status": campaign.status, "eventId": campaign.event_id,
        "templateId": campaign.template_id, "mailboxId": campaign.mailbox_id, "total": counts.total,
        "drafts": counts.drafts, "leftOut": counts.left_out, "queued": counts.queued, "sent": counts.sent,
        "delivered": counts.delivered, "opened": counts.opened, "clicked": counts.clicked, "replied": counts.replied,
        "bounced": counts.bounced, "createdAt": campaign.created_at,
    }  # fmt: skip


def _out(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk, "personId": message.person_id, "accountId": message.account_id, "eventId": message.event_id,
        "campaignId": message.campaign_id, "sequenceId": message.sequence_id, "mailboxId": message.mailbox_id,
        "channel": message.channel, "subject": message.subject, "message": message.text or message.body,
        "status": message.status, "state": message.state, "reason": message.reason, "sentAt": message.sent_at,
        "deliveredAt": message.delivered_at, "openedAt": message.opened_at, "clickedAt": message.clicked_at,
        "repliedAt": message.replied_at, "bouncedAt": message.bounced_at, "gmailMessageId": message.mail_message_id,
        "gmailThreadId": message.mail_thread_id, "lastChecked": message.last_checked, "createdAt": message.created_at,
        "updatedAt": message.updated_at,
    }  # fmt: skip
