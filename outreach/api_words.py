"""Snippets, comparisons of wordings, figures and schedules for programs. Times are UTC, lateness is in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from common.envelopes import Answer
from identity.apiauth import Scope, member
from identity.web import OrgRequest
from outreach import comparing, merging
from outreach.figures import Figures, figures_for
from outreach.models import Campaign, Comparison, Message, Snippet, Template
from outreach.services import campaigns
from outreach.services import snippets as services

router = Router(tags=["Outreach"])


class FiguresOut(Schema):
    """Counts of mails. Opens and clicks are people's; those of machines stand apart."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total": 200, "sent": 196, "delivered": 190, "opened": 0, "clicked": 21, "replied": 17, "meetings": 4,
                "unsubscribed": 2, "complained": 0, "bounced": 6, "machineOpened": 80, "machineClicked": 12,
                "replies": {"interested": 9, "question": 4, "not_now": 4}, "lateMedian": 14.0, "lateP95": 310.5,
            }
        }
    )  # fmt: skip

    total: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    meetings: int
    unsubscribed: int
    complained: int
    bounced: int
    machineOpened: int  # noqa: N815 - the names callers know, here and below
    machineClicked: int  # noqa: N815
    replies: dict[str, int] = Field(description="Mails answered, by the class of the answer.")
    lateMedian: float | None = Field(description="Seconds after the due time; null while nothing was sent.")  # noqa: N815
    lateP95: float | None  # noqa: N815


def figures_out(found: Figures) -> dict[str, Any]:
    names = {"met": "meetings", "machine_opened": "machineOpened", "machine_clicked": "machineClicked"}
    counts = {names.get(name, name): number for name, number in found.counts.items()}
    return {
        **counts, "total": found.total, "replies": found.classes, "lateMedian": found.late, "lateP95": found.late_p95,
    }  # fmt: skip


@router.get(
    "/templates/{template_id}/figures", auth=member(Scope.READ), response=Answer[FiguresOut], summary="Of a template"
)
def template_figures(request: OrgRequest, template_id: UUID) -> dict[str, Any]:
    template = get_object_or_404(Template.objects.for_org(request.organization), pk=template_id)
    return {"data": figures_out(figures_for(Message.objects.for_org(request.organization).filter(template=template)))}


@router.get(
    "/campaigns/{campaign_id}/figures", auth=member(Scope.READ), response=Answer[FiguresOut], summary="Of a campaign"
)
def campaign_figures(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    return {"data": figures_out(figures_for(_campaign(request, campaign_id).messages.all()))}


# --- Schedules -------------------------------------------------------------------------------------------------------


class ScheduleIn(Schema):
    """``sendAt`` null: at once."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"sendAt": "2026-12-01T08:00:00Z", "keepsWindow": True, "perHour": 120}}
    )

    sendAt: datetime | None = None  # noqa: N815
    keepsWindow: bool = Field(False, description="In each recipient's working hours.")  # noqa: N815
    perHour: int | None = Field(None, ge=1, le=3_600)  # noqa: N815


class Moved(Schema):
    messages: int


@router.put("/campaigns/{campaign_id}/schedule", auth=member(Scope.SEND), response=Answer[Moved], summary="Schedule")
def schedule_campaign(request: OrgRequest, campaign_id: UUID, body: ScheduleIn) -> dict[str, Any]:
    """Approves the drafts for this time, or moves what has not left. Answers 422 when there is nothing to schedule."""
    campaign = _campaign(request, campaign_id)
    if body.sendAt is not None and body.sendAt.tzinfo is None:
        raise HttpError(422, "sendAt needs a time zone, such as 2026-12-01T08:00:00Z.")
    schedule = campaigns.Schedule(send_at=body.sendAt, keeps_window=body.keepsWindow, per_hour=body.perHour)
    drafts = campaign.messages.filter(state=Message.State.DRAFT).exists()
    try:
        if drafts:
            number = campaigns.approve_campaign(campaign, actor=request.user, schedule=schedule)
        else:
            number = campaigns.reschedule_campaign(campaign, schedule=schedule)
    except campaigns.CannotSend as error:
        raise HttpError(422, str(error)) from error
    return {"data": {"messages": number}}


@router.post("/campaigns/{campaign_id}/pause", auth=member(Scope.SEND), response=Answer[Moved], summary="Pause")
def pause_campaign(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    """What has not left waits. Answers 409 unless the campaign is sending."""
    with _as_conflict():
        return {"data": {"messages": campaigns.pause_campaign(_campaign(request, campaign_id), actor=request.user)}}


@router.post("/campaigns/{campaign_id}/resume", auth=member(Scope.SEND), response=Answer[Moved], summary="Go on")
def resume_campaign(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    """Answers 409 unless the campaign is paused."""
    with _as_conflict():
        return {"data": {"messages": campaigns.resume_campaign(_campaign(request, campaign_id))}}


@router.post(
    "/campaigns/{campaign_id}/cancel", auth=member(Scope.SEND), response=Answer[Moved], summary="Stop for good"
)
def cancel_campaign(request: OrgRequest, campaign_id: UUID) -> dict[str, Any]:
    """What has left stays sent; answers with how many mails will not be."""
    return {"data": {"messages": campaigns.cancel_campaign(_campaign(request, campaign_id))}}


@contextmanager
def _as_conflict() -> Iterator[None]:
    try:
        yield
    except campaigns.CannotSend as error:
        raise HttpError(409, str(error)) from error


def _campaign(request: OrgRequest, pk: UUID) -> Campaign:
    return get_object_or_404(Campaign.objects.for_org(request.organization), pk=pk)


# --- Comparisons -----------------------------------------------------------------------------------------------------


class VariantOut(Schema):
    letter: str
    templateId: UUID  # noqa: N815
    share: float
    sends: int = Field(description="Mails that are old enough to count.")
    results: int


class ComparisonOut(Schema):
    id: UUID
    metric: str = Field(description="positive, replies, clicks or meetings; never opens.")
    leastSends: int  # noqa: N815
    waitHours: int  # noqa: N815
    leastLead: int  # noqa: N815
    certainty: int = Field(description="Percent; 0 when the lead alone decides.")
    winner: str = Field(description="A letter; empty while there is none.")
    decidedAt: datetime | None  # noqa: N815
    decidedBy: UUID | None = Field(description="The member who chose it; null when the rule did.")  # noqa: N815
    words: str
    variants: list[VariantOut]


class DecisionIn(Schema):
    model_config = ConfigDict(json_schema_extra={"example": {"letter": "B"}})

    letter: str = Field(max_length=1, description="Empty: compare again.")


@router.get(
    "/comparisons/{comparison_id}", auth=member(Scope.READ), response=Answer[ComparisonOut], summary="One comparison"
)
def get_comparison(request: OrgRequest, comparison_id: UUID) -> dict[str, Any]:
    return {"data": _comparison_out(_comparison(request, comparison_id))}


@router.post(
    "/comparisons/{comparison_id}/decide", auth=member(Scope.WRITE), response=Answer[ComparisonOut], summary="Overrule"
)
def decide_comparison(request: OrgRequest, comparison_id: UUID, body: DecisionIn) -> dict[str, Any]:
    """Everybody who comes next gets this wording, whatever the rule says. Who decided is kept."""
    try:
        decided = comparing.decide(_comparison(request, comparison_id), letter=body.letter, actor=request.user)
    except comparing.NoSuchVariant as error:
        raise HttpError(422, "There is no wording with this letter.") from error
    return {"data": _comparison_out(decided)}


def _comparison(request: OrgRequest, pk: UUID) -> Comparison:
    return get_object_or_404(Comparison.objects.for_org(request.organization), pk=pk)


def _comparison_out(comparison: Comparison) -> dict[str, Any]:
    board = comparing.board_of(comparison)
    return {
        "id": comparison.pk, "metric": comparison.metric, "leastSends": comparison.least_sends,
        "waitHours": comparison.wait_hours, "leastLead": comparison.least_lead, "certainty": comparison.certainty,
        "winner": comparison.winner, "decidedAt": comparison.decided_at, "decidedBy": comparison.decided_by_id,
        "words": board.words,
        "variants": [
            {
                "letter": line.variant.letter, "templateId": line.variant.template_id, "share": line.share,
                "sends": line.arm.sends, "results": line.arm.results,
            }
            for line in board.lines
        ],
    }  # fmt: skip


# --- Snippets --------------------------------------------------------------------------------------------------------


class SnippetOut(Schema):
    id: UUID
    name: str
    text: str
    updatedAt: datetime  # noqa: N815


class SnippetIn(Schema):
    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "where_to_find_us", "text": "Hall 4, {{ booth }}."}}
    )

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1, max_length=10_000)


class SnippetWords(Schema):
    model_config = ConfigDict(json_schema_extra={"example": {"text": "Hall 5, {{ booth }}."}})

    text: str = Field(min_length=1, max_length=10_000)


@router.get("/snippets", auth=member(Scope.READ), response=list[SnippetOut], summary="List snippets")
def list_snippets(request: OrgRequest) -> list[dict[str, Any]]:
    return [_snippet_out(snippet) for snippet in Snippet.objects.for_org(request.organization)[:1_000]]


@router.post("/snippets", auth=member(Scope.WRITE), response={201: Answer[SnippetOut]}, summary="Write a snippet")
def create_snippet(request: OrgRequest, body: SnippetIn) -> Status[dict[str, Any]]:
    """Stands in templates as ``{{ snippet name }}``. Answers 409 when the name is taken."""
    if Snippet.objects.for_org(request.organization).filter(name=body.name).exists():
        raise HttpError(409, "Another snippet has this name.")
    return Status(201, {"data": _save(request, None, body.name, body.text)})


@router.put("/snippets/{snippet_id}", auth=member(Scope.WRITE), response=Answer[SnippetOut], summary="Reword one")
def change_snippet(request: OrgRequest, snippet_id: UUID, body: SnippetWords) -> dict[str, Any]:
    """Every template that holds it gets a new version."""
    snippet = get_object_or_404(Snippet.objects.for_org(request.organization), pk=snippet_id)
    return {"data": _save(request, snippet, snippet.name, body.text)}


@router.delete("/snippets/{snippet_id}", auth=member(Scope.WRITE), response={204: None}, summary="Delete one")
def delete_snippet(request: OrgRequest, snippet_id: UUID) -> Status[None]:
    """Templates keep its words."""
    services.delete_snippet(get_object_or_404(Snippet.objects.for_org(request.organization), pk=snippet_id))
    return Status(204, None)


def _save(request: OrgRequest, snippet: Snippet | None, name: str, text: str) -> dict[str, Any]:
    try:
        saved, _ = services.save_snippet(
            request.organization, snippet=snippet, name=name, text=text.replace("\x00", "").strip(), actor=request.user
        )
    except merging.InvalidTemplate as error:
        raise HttpError(422, str(error)) from error
    return _snippet_out(saved)


def _snippet_out(snippet: Snippet) -> dict[str, Any]:
    return {"id": snippet.pk, "name": snippet.name, "text": snippet.text, "updatedAt": snippet.updated_at}
