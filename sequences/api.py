"""Sequences for programs, and the address an outside scheduler rings instead of the beat."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field

from common.envelopes import Answer, Paginated, paginated
from common.limits import client_ip, seconds_to_wait
from common.lists import capped_count
from common.paging import keyset_page
from identity.apiauth import FAILED_LOGINS, Scope, member, refuse_guessing
from identity.web import OrgRequest
from outreach import delivery
from outreach.api_words import FiguresOut, figures_out
from people.models import Person
from sequences import journeys, runner
from sequences.figures import figures_of
from sequences.models import Enrollment, Sequence, StepRun
from sequences.services import enrollments

router = Router(tags=["Sequences"])
cron = Router(tags=["Operations"])

_ID = "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10"
CRON_SECONDS = 20.0
"""How long one ring moves enrollments, and then how long it sends; the answer comes well within a minute."""


class SequenceOut(Schema):
    id: UUID
    name: str
    description: str
    status: Sequence.Status
    eventId: UUID | None  # noqa: N815 - the names callers know, here and below
    mailboxId: UUID | None  # noqa: N815
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815


class StepRunOut(Schema):
    """A step that is behind."""

    stepId: UUID  # noqa: N815
    label: str
    kind: str
    outcome: StepRun.Outcome
    detail: str
    dueAt: datetime  # noqa: N815
    doneAt: datetime  # noqa: N815
    outreachId: UUID | None  # noqa: N815


class EnrollmentOut(Schema):
    """One person in a sequence. ``cause`` and ``reason`` say why they stand where they stand."""

    id: UUID
    sequenceId: UUID  # noqa: N815
    personId: UUID  # noqa: N815
    accountId: UUID | None  # noqa: N815
    state: Enrollment.State
    cause: Enrollment.Cause
    reason: str = Field(description="In plain words; empty when the cause says it all.")
    step: str = Field(description="The place of the step under way in the plan, such as `3` or `3 yes 1`.")
    dueAt: datetime | None  # noqa: N815
    startedAt: datetime  # noqa: N815
    finishedAt: datetime | None  # noqa: N815


class EnrollmentDetail(EnrollmentOut):
    history: list[StepRunOut]


class EnrollIn(Schema):
    model_config = ConfigDict(json_schema_extra={"example": {"personIds": [_ID], "rehearse": True}})

    personIds: list[UUID] = Field(min_length=1, max_length=10_000)  # noqa: N815
    again: bool = Field(False, description="Also those who were in the sequence before.")
    rehearse: bool = Field(False, description="Only say what it would come to.")


class EnrollOut(Schema):
    begun: int
    leftOut: dict[str, int] = Field(description="How many were left out, by reason.")  # noqa: N815
    rehearsed: bool


class CronOut(Schema):
    """What one ring came to; the last three are the names of an earlier answer."""

    success: bool
    processed: int = Field(description="Steps that were moved: due enrollments and mails that left.")
    sent: int
    completed: int
    errors: int
    timestamp: datetime
    message: str
    sequences_processed: int
    outreach_sent: int


# --- Sequences -------------------------------------------------------------------------------------------------------


@router.get("", auth=member(Scope.READ), response=Paginated[SequenceOut], summary="List sequences")
def list_sequences(
    request: OrgRequest, status: Sequence.Status | None = None, limit: int = 50, cursor: str = ""
) -> dict[str, Any]:
    """The newest first; those in the archive only when asked for."""
    rows = Sequence.objects.for_org(request.organization)
    rows = rows.filter(status=status) if status else rows.current()
    page = keyset_page(rows, sort=["-created_at"], limit=limit, cursor=cursor)
    items = [_sequence_out(sequence) for sequence in page.items]
    return paginated(items, total=rows.count(), page_size=max(1, min(limit, 200)), next_cursor=page.next_cursor)


@router.get("/{sequence_id}", auth=member(Scope.READ), response=Answer[SequenceOut], summary="One sequence")
def get_sequence(request: OrgRequest, sequence_id: UUID) -> dict[str, Any]:
    return {"data": _sequence_out(_sequence(request, sequence_id))}


@router.post("/{sequence_id}/enroll", auth=member(Scope.SEND), response=Answer[EnrollOut], summary="Enroll people")
def enroll(request: OrgRequest, sequence_id: UUID, body: EnrollIn) -> dict[str, Any]:
    """Whoever cannot begin is left out with a reason. Answers 409 when nobody can: not published, paused, no mailbox."""
    sequence = _sequence(request, sequence_id)
    known = Person.objects.for_org(request.organization).filter(pk__in=body.personIds).count()
    if known != len(set(body.personIds)):
        raise HttpError(404, "Some of these people do not exist (any more). Nobody was enrolled.")
    try:
        if body.rehearse:
            seen = enrollments.rehearse(sequence, body.personIds, sender=request.user, again=body.again)
            return {"data": {"begun": seen.begun, "leftOut": dict(seen.left_out), "rehearsed": True}}
        done = enrollments.enroll(sequence, body.personIds, actor=request.user, source="The API", again=body.again)
    except enrollments.CannotEnroll as error:
        raise HttpError(409, str(error)) from error
    return {"data": {"begun": done.begun, "leftOut": dict(done.left_out), "rehearsed": False}}


class WordingFigures(FiguresOut):
    letter: str


class StepFiguresOut(FiguresOut):
    stepId: UUID  # noqa: N815
    label: str
    title: str
    passed: int
    skipped: int
    variants: list[WordingFigures]


class SequenceFiguresOut(Schema):
    enrolled: int
    reasons: dict[str, int] = Field(description="Everybody enrolled, by the one reason of today.")
    onTime: float | None = Field(description="Share of mails that left within an hour of their slot.")  # noqa: N815
    mails: FiguresOut
    steps: list[StepFiguresOut]


@router.get(
    "/{sequence_id}/figures", auth=member(Scope.READ), response=Answer[SequenceFiguresOut], summary="What it came to"
)
def get_figures(request: OrgRequest, sequence_id: UUID) -> dict[str, Any]:
    """Per step and wording; the lateness of a step is measured against the slot its plan gave it."""
    found = figures_of(_sequence(request, sequence_id))
    steps = [
        {
            **figures_out(step.mails), "stepId": step.id, "label": step.label, "title": step.title, "passed": step.passed,
            "skipped": step.skipped, "lateMedian": step.late, "lateP95": step.late_p95,
            "variants": [{**figures_out(mails), "letter": letter} for letter, mails in step.variants],
        }
        for step in found.steps
    ]  # fmt: skip
    return {
        "data": {
            "enrolled": found.enrolled, "reasons": found.causes, "onTime": found.on_time,
            "mails": figures_out(found.mails), "steps": steps,
        }
    }  # fmt: skip


# --- Enrollments -----------------------------------------------------------------------------------------------------


@router.get(
    "/{sequence_id}/enrollments", auth=member(Scope.READ), response=Paginated[EnrollmentOut], summary="Who is in it"
)
def list_enrollments(
    request: OrgRequest,
    sequence_id: UUID,
    state: Enrollment.State | None = None,
    cause: Enrollment.Cause | None = None,
    limit: int = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """Those who began last come first."""
    rows = Enrollment.objects.for_org(request.organization).filter(sequence=_sequence(request, sequence_id))
    rows = rows.filter(**{name: value for name, value in (("state", state), ("cause", cause)) if value})
    page = keyset_page(rows.select_related("version"), sort=["-started_at"], limit=limit, cursor=cursor)
    return paginated(
        [_out(one) for one in page.items], total=capped_count(rows).number, page_size=max(1, min(limit, 200)),
        next_cursor=page.next_cursor,
    )  # fmt: skip


@router.get(
    "/enrollments/{enrollment_id}",
    auth=member(Scope.READ),
    response=Answer[EnrollmentDetail],
    summary="One person's way",
)
def get_enrollment(request: OrgRequest, enrollment_id: UUID) -> dict[str, Any]:
    return {"data": _detail(_enrollment(request, enrollment_id))}


@router.post(
    "/enrollments/{enrollment_id}/stop",
    auth=member(Scope.SEND),
    response=Answer[EnrollmentDetail],
    summary="Take one out",
)
def stop_enrollment(request: OrgRequest, enrollment_id: UUID) -> dict[str, Any]:
    """What has not left is cancelled. One that has ended stays as it is."""
    one = _enrollment(request, enrollment_id)
    mine = Enrollment.objects.filter(pk=one.pk)
    enrollments.stop(one.organization_id, mine, reason=f"Taken out by {request.user.name}.")
    return {"data": _detail(_enrollment(request, enrollment_id))}


def _sequence(request: OrgRequest, sequence_id: UUID) -> Sequence:
    rows = Sequence.objects.for_org(request.organization).select_related("mailbox", "event")
    return get_object_or_404(rows, pk=sequence_id)


def _enrollment(request: OrgRequest, enrollment_id: UUID) -> Enrollment:
    return get_object_or_404(Enrollment.objects.for_org(request.organization), pk=enrollment_id)


def _sequence_out(sequence: Sequence) -> dict[str, Any]:
    return {
        "id": sequence.pk, "name": sequence.name, "description": sequence.description, "status": sequence.status,
        "eventId": sequence.event_id, "mailboxId": sequence.mailbox_id, "createdAt": sequence.created_at,
        "updatedAt": sequence.updated_at,
    }  # fmt: skip


def _out(one: Enrollment) -> dict[str, Any]:
    step = journeys.plan_of(one).step(one.step_id)
    return {
        "id": one.pk, "sequenceId": one.sequence_id, "personId": one.person_id, "accountId": one.account_id,
        "state": one.state, "cause": one.cause, "reason": one.reason, "step": step.label if step else "",
        "dueAt": one.due_at, "startedAt": one.started_at, "finishedAt": one.finished_at,
    }  # fmt: skip


def _detail(one: Enrollment) -> dict[str, Any]:
    runs = StepRun.objects.for_org(one.organization_id).filter(enrollment=one)
    history = [
        {
            "stepId": run.step_id, "label": run.label, "kind": run.kind, "outcome": run.outcome, "detail": run.detail,
            "dueAt": run.due_at, "doneAt": run.done_at, "outreachId": run.message_id,
        }
        for run in runs
    ]  # fmt: skip
    return {**_out(one), "history": history}


# --- The outside scheduler -------------------------------------------------------------------------------------------


class CronSecret(HttpBearer):
    """``Authorization: Bearer`` and the secret of the installation; without one the door stays shut."""

    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        refuse_guessing(request)
        if settings.CRON_SECRET and constant_time_compare(token, settings.CRON_SECRET):
            return "cron"
        seconds_to_wait(FAILED_LOGINS, "api-login", client_ip(request))
        return None


@cron.get("/sequences", auth=CronSecret(), response=CronOut, summary="Run what is due")
def run_sequences(request: HttpRequest) -> dict[str, Any]:
    """What the beat does every half minute: moves due enrollments and sends due mails. Two at once are harmless."""
    started = timezone.now()
    with runner.counted_ends() as tally:
        tally.add(runner.sweep(seconds=CRON_SECONDS))
        delivery.deliver_due(seconds=CRON_SECONDS)
        for organization_id in delivery.unannounced_organizations():
            delivery.announce_ended(organization_id)
    return {
        "success": tally.errors == 0, "processed": tally.processed, "sent": tally.sent, "completed": tally.completed,
        "errors": tally.errors, "timestamp": started, "message": f"Steps moved: {tally.processed}, mails sent: {tally.sent}.",
        "sequences_processed": tally.processed, "outreach_sent": tally.sent,
    }  # fmt: skip
