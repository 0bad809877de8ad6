"""Checking and running an import in steps that each are one transaction, so that any worker can go on at any time.

A lease keeps a second worker from starting; the lock on the import and its mark keep it right even if one does.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db import OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from common.happenings import Happening, Kind, announce
from common.tabular import UnreadableError
from identity import audit
from identity.scope import org_scope, system_scope
from people.import_models import ImportCompany, ImportRow, ListImport, Outcome
from people.importing import companies, files, grouping, lanes, mapping, persons, search, staging, undoing
from people.importing.companies import Policies
from people.importing.lanes import Plan, Task, read_ahead
from people.importing.mapping import MappingError
from people.importing.validating import Record

LEASE = timedelta(seconds=60)
BUDGET_SECONDS = 600
CHUNK_ROWS = 5_000
LANES = 2
TURN_SECONDS = 10
"""How long an import keeps the other imports of its organization waiting before it lets one of them go first."""
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
        with _in_a_hurry(), audit.working_on(list_import=str(import_id)):
            is_done = job.run()
        if is_done:
            search.settle()
        return is_done
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
            ListImport.objects.filter(status__in=ListImport.AT_WORK)
            .filter(Q(leased_until=None) | Q(leased_until__lt=now))
            .order_by("created_at")
            .values_list("pk", flat=True)[:100]
        )


@contextmanager
def _in_a_hurry() -> Iterator[None]:
    """A chunk is many small objects without cycles; looking for cycles again and again would cost half of the time.

    The thread that talks to the database must not wait long for the one that reads.
    """
    usual, switching = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(200_000, 10, 10)
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        sys.setswitchinterval(switching)


class _Job:
    def __init__(self, organization_id: UUID, import_id: UUID, worker: UUID, lease: timedelta, deadline: float) -> None:
        self._organization_id, self._import_id = organization_id, import_id
        self._worker, self._lease, self._deadline = worker, lease, deadline

    def claim(self) -> bool:
        now = timezone.now()
        with org_scope(self._organization_id):
            return bool(
                ListImport.objects.filter(pk=self._import_id, status__in=ListImport.AT_WORK)
                .filter(Q(leased_until=None) | Q(leased_until__lt=now))
                .update(worker=self._worker, leased_until=now + self._lease)
            )

    def run(self) -> bool:
        steps: dict[str, Callable[[], None]] = {
            Phase.READ: self._read,
            Phase.GROUP: self._group,
            Phase.PEOPLE: self._compare,
            Phase.UNDO: self._take_back,
        }
        while (phase := self._phase()) is not None:
            steps[phase]()
            if self._late():
                return self._let_go()
        return True

    def _phase(self) -> str | None:
        """What comes next; ``None`` when nothing is left."""
        with org_scope(self._organization_id):
            current = ListImport.objects.filter(pk=self._import_id).first()
        if current is None or not current.is_at_work:
            return None
        if current.worker != self._worker:
            raise _Lost
        return current.phase

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
            current = self._lock()
            yield current
            self._save(current)

    def _lock(self) -> ListImport:
        mine = ListImport.objects.select_for_update(no_key=True).filter(pk=self._import_id, worker=self._worker)
        if (current := mine.first()) is None:
            raise _Lost
        return current

    def _save(self, current: ListImport) -> None:
        current.leased_until = timezone.now() + self._lease
        if not current.is_at_work:
            current.worker = current.leased_until = None
        current.save()

    def _read(self) -> None:
        with org_scope(self._organization_id):
            current = ListImport.objects.get(pk=self._import_id)
            keep = files.original(current)
            path = keep.__enter__()  # only this part needs the database
            chunks = staging.chunks(current, path, skip=current.rows_done)
        try:
            with read_ahead(chunks) as read:
                self._stage(read, mark=current.rows_done)
        finally:
            keep.__exit__(None, None, None)

    def _stage(self, read: Iterable[list[Record]], *, mark: int) -> None:
        for records in read:
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

    def _group(self) -> None:
        with org_scope(self._organization_id):
            staging.gather_statistics()
        with self._locked() as current:
            grouping.group(current)
            current.phase, current.rows_done, current.companies_done, current.rows_ahead = Phase.PEOPLE, 0, 0, []

    def _compare(self) -> None:
        """Settle companies and people, in one lane when others could not see what our transaction has not committed."""
        with org_scope(self._organization_id):
            current = ListImport.objects.get(pk=self._import_id)
        plan = Plan(
            current,
            chunk_rows=CHUNK_ROWS,
            in_order=current.mode == ListImport.Mode.UPDATE,
            seconds=min(TURN_SECONDS, max(self._deadline - time.monotonic(), 0)),
        )
        if LANES == 1 or connection.in_atomic_block or current.rows_total <= CHUNK_ROWS:
            self._lane(plan, current, take_turns=True)
            return
        with org_scope(self._organization_id):
            persons.lock_organization(self._organization_id)
            lanes.run(LANES, plan, lambda: self._lane(plan, current, take_turns=False))

    def _lane(self, plan: Plan, seen: ListImport, *, take_turns: bool) -> None:
        policies = _policies(seen)
        while task := plan.take():
            try:
                self._settle(task, policies, take_turns=take_turns, in_order=plan.in_order)
            except persons.MetKnownPeople:
                if not plan.wait_for_turn(task):
                    return
                self._settle(task, policies, take_turns=take_turns, in_order=True)
            plan.done(task)

    def _settle(self, task: Task, policies: Policies, *, take_turns: bool, in_order: bool) -> None:
        """One chunk in one transaction; the import itself is locked only at the end, when all else has been checked."""
        with org_scope(self._organization_id):
            if take_turns:
                persons.lock_organization(self._organization_id)
            current = ListImport.objects.filter(pk=self._import_id, worker=self._worker).first()
            if current is None or not current.is_at_work:
                raise _Lost
            settle = self._settle_companies if task.companies else self._settle_people
            note = settle(current, task, policies, in_order)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            current = self._lock()
            note(current)
            if current.rows_done >= current.rows_total and current.companies_done >= current.rows_total:
                _finish(current)
            self._save(current)

    def _settle_companies(self, current: ListImport, task: Task, policies: Policies, _: bool) -> "_Note":
        found = list(
            ImportCompany.objects.filter(
                list_import=current, first_row__gt=task.low, first_row__lte=task.high, same_as=""
            ).order_by("first_row", "key")
        )
        if found:
            search.set_aside()
            companies.compare(current, policies, found, write=current.status == Status.RUNNING)

        def note(locked: ListImport) -> None:
            if locked.companies_done != task.low:
                raise _Lost
            locked.companies_done = task.high
            locked.accounts_created += sum(c.outcome == Outcome.CREATED for c in found)
            locked.accounts_updated += sum(c.outcome == Outcome.UPDATED for c in found)

        return note

    def _settle_people(self, current: ListImport, task: Task, policies: Policies, in_order: bool) -> "_Note":
        write = current.status == Status.RUNNING
        counts = persons.compare(
            current, policies, low=task.low, high=task.high, write=write, only_new=write and not in_order
        )

        def note(locked: ListImport) -> None:
            ahead = {int(low): int(high) for low, high in locked.rows_ahead}
            if task.low < locked.rows_done or task.low in ahead:
                raise _Lost
            ahead[task.low] = task.high
            while locked.rows_done in ahead:
                locked.rows_done = ahead.pop(locked.rows_done)
            locked.rows_ahead = sorted(ahead.items())
            locked.rows_created += counts.created
            locked.rows_updated += counts.updated
            locked.rows_unchanged += counts.unchanged
            locked.rows_rejected += counts.rejected
            locked.rows_repeated += counts.repeated
            locked.people_created += counts.people_created
            locked.people_updated += counts.people_updated

        return note

    def _take_back(self) -> None:
        is_over = False
        while not is_over:
            with self._locked() as current:
                persons.lock_organization(self._organization_id)
                undoing.step(current)
                is_over = not current.is_at_work or self._late()


_Note = Callable[[ListImport], None]


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
            entry_id=current.pk,
            summary=f"Imported from {current.file_name}",
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
