"""One action on many rows: what can be done, and the worker that does it chunk by chunk.

An app registers its list (``Subject``) and its actions (``BulkAction``) once, from ``ready``. A job is a row; a bell
(Celery) only wakes a worker, which claims the job by a lease and goes on where the last one stopped. Every chunk is one
transaction that also moves the job's place, so a chunk is done once however often a worker dies.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django import forms
from django.db.models import F, Q
from django.http import QueryDict
from django.utils import timezone

from accounts.filters import ListFilter
from accounts.models import BulkJob
from common.happenings import Happening, Kind
from events.models import Event
from identity.models import Organization, Role, User
from identity.scope import org_scope, system_scope

log = structlog.get_logger(__name__)

CHUNK = 500
LEASE = timedelta(minutes=2)
WHOLE_LEASE = timedelta(minutes=14)
"""The longest a job that makes a file in one go may take; Celery stops a task at that."""
MOST_ATTEMPTS = 5
KEEP_FILES = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some of a job's rows: their ids, and what the person chose."""

    organization_id: UUID
    ids: Sequence[UUID]
    params: Mapping[str, Any]
    event: Event | None
    actor: User | None
    everything: bool = False
    """Whether they were chosen on the list of the whole organization rather than of the show."""

    def happening(self, kind: Kind, summary: str, **about: Any) -> Happening:
        """What this batch did to one row, for its timeline."""
        actor_id = self.actor.pk if self.actor else None
        return Happening(
            kind=kind, organization_id=self.organization_id, actor_id=actor_id, summary=summary, **about
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A list that actions work on. ``id_field`` names, for a filter, the column that holds the ids the list selects."""

    key: str
    one: str
    many: str
    list_url: str
    make_filter: type[ListFilter]
    id_field: Callable[[ListFilter], str]


@dataclass(frozen=True)
class Outcome:
    """What a batch came to: how many rows changed, and how many were left out for which reason."""

    changed: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    """Something to do with many rows. ``apply`` changes a batch and tells how many rows it changed,
    or an ``Outcome`` with the reasons for the others.

    ``form``, made of the selection and the posted data, asks for what the action needs; its ``params()`` must be plain
    JSON values. ``redirect`` hands the selection on to another page instead: it gets the request and the selection and
    answers with an address.
    """

    key: str
    subject: str
    label: str
    icon: str = ""
    verb: str = ""
    explanation: str = ""
    role: Role = Role.REP
    danger: bool = False
    needs_event: bool = False
    form: "Callable[[Selection, Any], forms.Form] | None" = None
    apply: Callable[[Batch], int | Outcome] | None = None
    whole: "Callable[[BulkJob], None] | None" = None
    redirect: "Callable[[Any, Selection], str] | None" = None
    order: int = 50


_subjects: dict[str, Subject] = {}
_actions: dict[tuple[str, str], BulkAction] = {}


def register_subject(subject: Subject) -> None:
    _subjects[subject.key] = subject


def register_action(action: BulkAction) -> None:
    _actions[action.subject, action.key] = action


def find_subject(key: str) -> Subject | None:
    return _subjects.get(key)


def find_action(subject: str, key: str) -> BulkAction | None:
    return _actions.get((subject, key))


def actions_for(subject: str, *, may: Callable[[Role], bool], event: Event | None) -> list[BulkAction]:
    """The actions somebody may take on this list, in their order."""
    found = [a for a in _actions.values() if a.subject == subject and may(a.role) and (event or not a.needs_event)]
    return sorted(found, key=lambda action: (action.order, action.label))


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rows a person chose: single ones, or all that the list's query finds."""

    subject: Subject
    organization: Organization
    user: User
    event: Event | None
    query: str = ""
    ids: Sequence[UUID] = field(default_factory=tuple)
    until: Any = None

    def filter(self) -> ListFilter:
        query = QueryDict(self.query)
        return self.subject.make_filter(
            query, organization=self.organization, user=self.user, event=self.event, patient=True
        )

    def rows(self) -> Any:
        """The chosen rows, unsorted. Single ids are looked for in the whole organization, never beyond."""
        chosen = self.filter()
        rows = chosen.rows()
        if self.ids:
            rows = chosen.base().filter(**{f"{self.subject.id_field(chosen)}__in": self.ids})
        if self.until:
            rows = rows.filter(created_at__lte=self.until)
        return rows

    def count(self) -> int:
        """Exactly how many rows there are, however long that takes to count."""
        return int(self.rows().count())

    def next_ids(self, after: UUID | None, size: int) -> list[UUID]:
        """The next ids in their order."""
        name = self.subject.id_field(self.filter())
        rows = self.rows()
        if after:
            rows = rows.filter(**{f"{name}__gt": after})
        return list(rows.order_by(name).values_list(name, flat=True)[:size])


def selection_of(job: BulkJob) -> Selection:
    """What the job is about, as it was asked."""
    assert job.created_by is not None  # noqa: S101  a job without its person is not run
    return Selection(
        subject=_subjects[job.subject], organization=job.organization, user=job.created_by, event=job.event,
        query=job.query, ids=tuple(job.ids), until=job.created_at,
    )  # fmt: skip


# --- The worker ------------------------------------------------------------------------------------------------------


def run(job_id: UUID, organization_id: UUID) -> None:
    """Do the job, or leave it to the worker that holds it."""
    if not _claim(job_id, organization_id):
        return
    try:
        while _step(job_id, organization_id):
            pass
    except Exception as error:
        _give_back(job_id, organization_id, error)
        raise


def sweep() -> list[tuple[UUID, UUID]]:
    """Jobs that wait for a worker or lost theirs; old files are thrown away on the way. ``(job, organization)``."""
    now = timezone.now()
    with system_scope():
        old = BulkJob.objects.exclude(file_name="").filter(finished_at__lt=now - KEEP_FILES)
        for job in old[:50]:
            job.parts.all().delete()
            job.file_name = ""
            job.save(update_fields=["file_name", "updated_at"])
        waiting = BulkJob.objects.filter(_ready(now))
        return list(waiting.order_by("created_at").values_list("pk", "organization_id")[:100])


def _ready(now: Any) -> Q:
    open_ = Q(status__in=[BulkJob.Status.WAITING, BulkJob.Status.RUNNING])
    return open_ & (Q(leased_until=None) | Q(leased_until__lt=now))


def _claim(job_id: UUID, organization_id: UUID) -> bool:
    now = timezone.now()
    with org_scope(organization_id):
        job = BulkJob.objects.for_org(organization_id).filter(_ready(now), pk=job_id).first()
        action = _actions.get((job.subject, job.action)) if job else None
        until = now + (WHOLE_LEASE if action and action.whole else LEASE)
        ready = BulkJob.objects.for_org(organization_id).filter(_ready(now), pk=job_id)
        return bool(
            ready.update(status=BulkJob.Status.RUNNING, leased_until=until, attempts=F("attempts") + 1, updated_at=now)
        )


def _step(job_id: UUID, organization_id: UUID) -> bool:
    """One chunk in one transaction; whether there is more to do."""
    with org_scope(organization_id):
        jobs = BulkJob.objects.for_org(organization_id).select_for_update(of=("self",))
        job = jobs.select_related("event", "created_by", "organization").get(pk=job_id)
        if job.status != BulkJob.Status.RUNNING:
            return False
        action = _actions.get((job.subject, job.action))
        if action is None or job.created_by is None:
            return _finish(job, BulkJob.Status.FAILED, error="This action no longer exists.")
        if action.whole:
            action.whole(job)
            return _finish(job, BulkJob.Status.DONE)
        selection = selection_of(job)
        ids = selection.next_ids(job.after, CHUNK)
        if not ids:
            return _finish(job, BulkJob.Status.DONE)
        batch = Batch(
            organization_id=organization_id, ids=ids, params=job.params, event=job.event, actor=job.created_by,
            everything=selection.filter().everything,
        )  # fmt: skip
        _count(job, action.apply(batch) if action.apply else 0)
        job.done, job.after, job.attempts = job.done + len(ids), ids[-1], 0
        job.leased_until = timezone.now() + LEASE
        job.save(update_fields=["changed", "left_out", "done", "after", "attempts", "leased_until", "updated_at"])
        return True


def _count(job: BulkJob, outcome: int | Outcome) -> None:
    if isinstance(outcome, int):
        job.changed += outcome
        return
    job.changed += outcome.changed
    job.left_out = dict(Counter(job.left_out) + Counter(outcome.left_out))


def _finish(job: BulkJob, status: BulkJob.Status, *, error: str = "") -> bool:
    job.status, job.error, job.leased_until, job.finished_at = status, error, None, timezone.now()
    job.save()
    return False


def _give_back(job_id: UUID, organization_id: UUID, error: Exception) -> None:
    """Let another worker try from the same place, or give up after too many."""
    log.warning("bulk.chunk_failed", job=str(job_id), error=type(error).__name__)
    with org_scope(organization_id):
        job = BulkJob.objects.for_org(organization_id).select_for_update(of=("self",)).get(pk=job_id)
        if job.attempts >= MOST_ATTEMPTS:
            words = "It failed several times and was stopped. What was done so far is kept."
            _finish(job, BulkJob.Status.FAILED, error=words)
        elif not job.is_over:
            job.leased_until = None
            job.save(update_fields=["leased_until", "updated_at"])
