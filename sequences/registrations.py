"""What sequences put onto the pages of lower apps, and what can be done with many people at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.bulk import Batch, BulkAction, Outcome, Selection, Subject, register_action, register_subject
from accounts.models import Account
from accounts.panels import account_board
from identity.models import Role
from identity.web import OrgRequest
from outreach import guard
from people.models import Person
from people.panels import person_board
from sequences import journeys
from sequences.filters import EnrollmentFilter
from sequences.forms import MoveForm
from sequences.models import Enrollment, Sequence, SequenceVersion
from sequences.querysets import EnrollmentQuerySet
from sequences.selections import PICKED
from sequences.services import enrollments, moving

SHOWN = 6


# --- Panels ----------------------------------------------------------------------------------------------------------


def enrollments_of_person(request: OrgRequest, person: Person) -> Mapping[str, Any]:
    rows = Enrollment.objects.for_org(request.organization).filter(person=person).select_related("sequence", "version")
    return {"lines": _lines(rows), "person": person, "may_edit": request.membership.may(Role.REP)}


def enrollments_of_account(request: OrgRequest, account: Account) -> Mapping[str, Any] | None:
    rows = Enrollment.objects.for_org(request.organization).filter(account=account)
    lines = _lines(rows.select_related("sequence", "version", "person"))
    return {"lines": lines} if lines else None


def _lines(rows: QuerySet[Enrollment]) -> list[tuple[Enrollment, Any]]:
    found = list(rows.order_by("-started_at")[:SHOWN])
    return [(one, journeys.plan_of(one).step(one.step_id)) for one in found]


_panel = "sequences/_enrollments.html"
person_board.add(name="sequences", slot="side", template=_panel, context=enrollments_of_person, order=35)
account_board.add(name="sequences", slot="side", template=_panel, context=enrollments_of_account, order=35)


def _on_their_way() -> Exists:
    live = Enrollment.objects.live()
    return Exists(live.filter(organization_id=OuterRef("organization_id"), person__account=OuterRef("account")))


guard.also_waiting.append(_on_their_way)


# --- Many people -----------------------------------------------------------------------------------------------------


def choose_sequence(request: Any, selection: Selection) -> str:
    """The page that rehearses, for what was chosen on the list of people: its filter, or the ticked rows."""
    if not selection.ids:
        return f"{reverse('sequences:enroll')}?{selection.query}"
    request.session[PICKED] = [str(person_id) for person_id in selection.ids]
    return f"{reverse('sequences:enroll')}?picked=1"


def enroll(batch: Batch) -> Outcome:
    """Let a batch of people begin; a sequence that was paused or put away meanwhile takes nobody."""
    sequence = Sequence.objects.for_org(batch.organization_id).filter(pk=batch.params["sequence"]).first()
    if sequence is None:
        return Outcome(0, {"The sequence is not there any more.": len(batch.ids)})
    try:
        result = enrollments.enroll(
            sequence, batch.ids, actor=batch.actor, source="A list", again=bool(batch.params.get("again"))
        )
    except enrollments.CannotEnroll as error:
        return Outcome(0, {str(error): len(batch.ids)})
    return Outcome(result.begun, result.left_out)


register_action(
    BulkAction(
        key="enroll", subject="people", label="Add to a sequence", icon="sequences", redirect=choose_sequence,
        apply=enroll, order=6,
    )
)  # fmt: skip


# --- Many enrollments ------------------------------------------------------------------------------------------------

register_subject(
    Subject(
        key="enrollments", one="person", many="people", list_url="sequences:people", make_filter=EnrollmentFilter,
        id_field=lambda chosen: "pk",
    )
)  # fmt: skip


def _whole(run: Callable[[Batch, EnrollmentQuerySet], int]) -> Callable[[Batch], int]:
    def apply(batch: Batch) -> int:
        return run(batch, Enrollment.objects.filter(pk__in=batch.ids))

    return apply


def _by(batch: Batch) -> str:
    return batch.actor.name if batch.actor else "a member"


def _each(batch: Batch, move: Callable[[Enrollment], None]) -> Outcome:
    """Each for itself: those who cannot are left out with the reason."""
    moved, left_out = 0, Counter[str]()
    for one in Enrollment.objects.for_org(batch.organization_id).filter(pk__in=batch.ids):
        try:
            move(one)
            moved += 1
        except enrollments.CannotMove as error:
            left_out[str(error)] += 1
    return Outcome(moved, left_out)


def _skip(batch: Batch) -> Outcome:
    return _each(batch, moving.skip)


def _release(batch: Batch) -> Outcome:
    actor = batch.actor
    return _each(batch, lambda one: moving.release(one, actor=actor)) if actor else Outcome(0, {})


def _move(batch: Batch) -> Outcome:
    versions = SequenceVersion.objects.for_org(batch.organization_id).filter(sequence=batch.params["sequence"])
    newest, step = versions.first(), batch.params["step"]
    if newest is None:
        return Outcome(0, {"Publish the sequence first.": len(batch.ids)})
    if not step:
        return _each(batch, lambda one: moving.to_version(one, version=newest))
    return _each(batch, lambda one: moving.move_to(one, step_id=UUID(step), version=newest))


for _action in (
    BulkAction(
        key="pause", subject="enrollments", label="Pause", icon="pause", order=10,
        explanation="They stand where they are until somebody lets them go on.",
        apply=_whole(lambda b, rows: enrollments.suspend(b.organization_id, rows, reason=f"Paused by {_by(b)}.")),
    ),
    BulkAction(
        key="release", subject="enrollments", label="Release", icon="play", order=9, apply=_release,
        explanation="Those who were paused, whose mail is late or whose account is held go on. A held account is "
        "released with everybody there; what is late leaves in the next open window.",
    ),
    BulkAction(
        key="skip", subject="enrollments", label="Skip the step", icon="arrow-right", order=12,
        explanation="The step each of them stands at is left out.", apply=_skip,
    ),
    BulkAction(
        key="move", subject="enrollments", label="Move", icon="merge", order=13, form=MoveForm, apply=_move,
        explanation="They go on by the newest version. No step runs twice, and a mail that may have left stays.",
    ),
    BulkAction(
        key="stop", subject="enrollments", label="Take out", icon="x", order=90, danger=True,
        explanation="What has not left is cancelled. They do not come back by themselves.",
        apply=_whole(lambda b, rows: enrollments.stop(b.organization_id, rows, reason=f"Taken out by {_by(b)}.")),
    ),
):  # fmt: skip
    register_action(_action)
