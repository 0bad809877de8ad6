"""Checking and running an import in steps that each are one transaction, so that any worker can go on at any time.

A lease keeps a second worker from starting; the lock on the import and its mark keep it right even if one does.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from common.tabular import UnreadableError
from identity.scope import org_scope, system_scope
from people.import_models import ImportCompany, ImportRow, ListImport, Outcome
from people.importing import companies, files, grouping, mapping, persons, staging
from people.importing.companies import Policies
from people.importing.mapping import MappingError

LEASE = timedelta(seconds=60)
BUDGET_SECONDS = 600
CHUNK_ROWS = 5_000
Status, Phase = ListImport.Status, ListImport.Phase
log = structlog.get_logger(__name__)


class _Lost(Exception):
    """Somebody else works on this import now, or it was taken back."""


def work(import_id: UUID, *, budget_seconds: float = BUDGET_SECONDS, lease: timedelta = LEASE) -> bool:
    """Go on with the import until it is done (``True``) or the time is up (``False``: ring again).

    Does nothing when another worker holds the lease, so ringing twice is harmless. A file that cannot be read ends as
    ``FAILED`` with the reason.
    """
    with system_scope():
        organization_id = ListImport.objects.filter(pk=import_id).values_list("organization_id", flat=True).first()
    if organization_id is None:
        return True
    job = _Job(organization_id, import_id, uuid4(), lease, time.monotonic() + budget_seconds)
    if not job.claim():
        return True
    try:
        return job.run()
    except _Lost:
        return True
    except (UnreadableError, MappingError) as error:
        job.fail(str(error))
        return True
    except OperationalError:
        raise  # the database went away: the lease ends and the sweep rings again
    except Exception:
        job.fail("Something went wrong on our side. What was written so far is right; try again to go on from there.")
        raise


def waiting(now_plus: timedelta = timedelta()) -> list[UUID]:
    """Imports that should be worked on and that no living worker has, across organizations; for the sweep."""
    now = timezone.now() + now_plus
    with system_scope():
        return list(
            ListImport.objects.filter(status__in=[Status.CHECKING, Status.RUNNING])
            .filter(Q(leased_until=None) | Q(leased_until__lt=now))
            .order_by("created_at")
            .values_list("pk", flat=True)[:100]
        )


class _Job:
    def __init__(self, organization_id: UUID, import_id: UUID, worker: UUID, lease: timedelta, deadline: float) -> None:
        self._organization_id, self._import_id = organization_id, import_id
        self._worker, self._lease, self._deadline = worker, lease, deadline

    def claim(self) -> bool:
        now = timezone.now()
        with org_scope(self._organization_id):
            return bool(
                ListImport.objects.filter(pk=self._import_id, status__in=[Status.CHECKING, Status.RUNNING])
                .filter(Q(leased_until=None) | Q(leased_until__lt=now))
                .update(worker=self._worker, leased_until=now + self._lease)
            )

    def run(self) -> bool:
        steps: dict[str, Callable[[], None]] = {
            Phase.READ: self._read,
            Phase.GROUP: self._group,
            Phase.COMPANIES: self._compare_companies,
            Phase.PEOPLE: self._compare_people,
        }
        while True:
            with self._locked() as current:
                if not current.is_at_work:
                    break
                phase = current.phase
            steps[phase]()
            if self._late():
                return self._let_go()
        if current.status == Status.FINISHED:
            with org_scope(self._organization_id):
                persons.settle_search_indexes()
        return True

    def fail(self, reason: str) -> None:
        with org_scope(self._organization_id):
            ListImport.objects.filter(pk=self._import_id, worker=self._worker).update(
                status=Status.FAILED, error=reason, worker=None, leased_until=None, updated_at=timezone.now()
            )

    def _late(self) -> bool:
        return time.monotonic() > self._deadline

    def _let_go(self) -> bool:
        """Leave the import to whoever comes next; ``True`` when nothing is left to do."""
        with org_scope(self._organization_id):
            mine = ListImport.objects.filter(pk=self._import_id, worker=self._worker)
            return not mine.update(worker=None, leased_until=None)

    @contextmanager
    def _locked(self) -> Iterator[ListImport]:
        """The import under its lock in a transaction of its own, saved at the end with a fresh lease."""
        with org_scope(self._organization_id):
            current = ListImport.objects.select_for_update().filter(pk=self._import_id, worker=self._worker).first()
            if current is None:
                raise _Lost
            current.leased_until = timezone.now() + self._lease
            yield current
            if not current.is_at_work:
                current.worker = current.leased_until = None
            current.save()

    def _read(self) -> None:
        with org_scope(self._organization_id):
            current = ListImport.objects.get(pk=self._import_id)
            keep = files.original(current)
            path = keep.__enter__()  # only this part needs the database
            columns = staging.chunks(current, path, skip=current.rows_done)
        try:
            mark = current.rows_done
            for records in columns:
                with self._locked() as current:
                    if current.rows_done != mark:
                        raise _Lost
                    if mark == 0:
                        ImportRow.objects.filter(list_import=current).delete()
                        ImportCompany.objects.filter(list_import=current).delete()
                        current.rows_cleaned = 0
                    staging.write(current, records)
                    current.rows_cleaned += sum(bool(record.cleaned) for record in records)
                    mark = current.rows_done = current.rows_done + len(records)
                if self._late():
                    return
            with self._locked() as current:
                if not current.rows_done:
                    raise UnreadableError("The file has a header but no rows below it.")
                current.rows_total, current.phase, current.rows_done = current.rows_done, Phase.GROUP, 0
        finally:
            keep.__exit__(None, None, None)

    def _group(self) -> None:
        with org_scope(self._organization_id):
            staging.gather_statistics()
        with self._locked() as current:
            grouping.group(current)
            current.phase, current.rows_done = Phase.COMPANIES, 0

    def _compare_companies(self) -> None:
        with self._locked() as current:
            low, high = current.rows_done, current.rows_done + CHUNK_ROWS
            found = list(
                ImportCompany.objects.filter(
                    list_import=current, first_row__gt=low, first_row__lte=high, same_as=""
                ).order_by("first_row", "key")
            )
            if found:
                self._take_turns()
                companies.compare(current, _policies(current), found, write=current.status == Status.RUNNING)
                current.accounts_created += sum(c.outcome == Outcome.CREATED for c in found)
                current.accounts_updated += sum(c.outcome == Outcome.UPDATED for c in found)
            current.rows_done = min(high, current.rows_total)
            if high >= current.rows_total:
                current.phase, current.rows_done = Phase.PEOPLE, 0

    def _compare_people(self) -> None:
        with self._locked() as current:
            low, high = current.rows_done, min(current.rows_done + CHUNK_ROWS, current.rows_total)
            self._take_turns()
            counts = persons.compare(
                current, _policies(current), low=low, high=high, write=current.status == Status.RUNNING
            )
            current.rows_created += counts.created
            current.rows_updated += counts.updated
            current.rows_unchanged += counts.unchanged
            current.rows_rejected += counts.rejected
            current.rows_repeated += counts.repeated
            current.people_created += counts.people_created
            current.people_updated += counts.people_updated
            current.rows_done = high
            if high >= current.rows_total:
                _finish(current)

    def _take_turns(self) -> None:
        """Two imports of one organization must not both find that a company is new."""
        persons.lock_organization(self._organization_id)


def _policies(list_import: ListImport) -> Policies:
    return Policies.of(mapping.from_json(list_import.headers, list_import.mapping))


def _finish(current: ListImport) -> None:
    if current.status == Status.CHECKING:
        current.status = Status.CHECKED
        return
    current.status, current.finished_at = Status.FINISHED, timezone.now()
    announce(
        Happening(
            kind=Kind.LIST_IMPORTED,
            organization_id=current.organization_id,
            actor_id=current.created_by_id,
            event_id=current.event_id,
            summary=current.file_name,
            data={
                "import_id": str(current.pk),
                "rows": current.rows_total,
                "created": current.rows_created,
                "updated": current.rows_updated,
                "unchanged": current.rows_unchanged,
                "rejected": current.rows_rejected,
            },
        )
    )
    log.info("import finished", import_id=str(current.pk), rows=current.rows_total, rejected=current.rows_rejected)
