"""What a person, a program or a command can ask of an import."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from common.tabular import Layout, UnreadableError
from events.models import Event
from identity.models import Organization, User
from people import tasks
from people.import_models import ListImport
from people.importing import files, mapping
from people.importing.mapping import Column

Status, Phase = ListImport.Status, ListImport.Phase
COUNTS = (
    *("rows_created", "rows_updated", "rows_unchanged", "rows_rejected", "rows_repeated"),
    *("accounts_created", "accounts_updated", "people_created", "people_updated"),
)
UNDO_WITHIN = timedelta(days=30)
UNDOABLE = (Status.FINISHED, Status.FAILED, Status.STOPPED)
OPEN = (Status.DRAFT, Status.CHECKED, Status.FAILED, Status.STOPPED)


class NotNow(Exception):
    """The import is at work or finished, so this cannot be asked of it any more."""


@transaction.atomic
def begin(
    *, organization: Organization, actor: User | None, event: Event | None, file_name: str, source: BinaryIO
) -> ListImport:
    """Keep the file, guess how to read it and what its columns mean. Raises ``UnreadableError``."""
    list_import = ListImport.objects.create(
        organization=organization,
        created_by=actor,
        event=event,
        file_name=file_name[-255:],
        file_bytes=0,
        file_sha256="",
    )
    files.keep(list_import, source)
    with files.original(list_import) as path:
        files.describe(list_import, path)
    _guess(list_import)
    list_import.save()
    return list_import


@transaction.atomic
def set_layout(list_import: ListImport, layout: Layout) -> ListImport:
    """Read the file another way; the columns keep their meaning when the headers stay. Raises ``UnreadableError``."""
    list_import = _open(list_import)
    before = list_import.headers
    with files.original(list_import) as path:
        files.describe(list_import, path, layout)
    if list_import.headers != before:
        _guess(list_import)
    _unread(list_import)
    list_import.save()
    return list_import


def preview_layout(list_import: ListImport, layout: Layout) -> ListImport:
    """The same, only to look at: an unsaved copy with other headers and sample. Raises ``UnreadableError``."""
    copy = ListImport.objects.get(pk=list_import.pk)
    with files.original(list_import) as path:
        files.describe(copy, path, layout)
    return copy


@transaction.atomic
def set_columns(list_import: ListImport, columns: Sequence[Column], *, mode: str, event: Event | None) -> ListImport:
    """Say what the columns mean. Raises ``MappingError``."""
    list_import = _open(list_import)
    mapping.check(columns, has_event=event is not None)
    list_import.mapping, list_import.mode, list_import.event = mapping.as_json(columns), mode, event
    list_import.mapped_at = timezone.now()
    _unread(list_import)
    list_import.save()
    return list_import


@transaction.atomic
def check(list_import: ListImport, *, ring: bool = True) -> None:
    """Read the whole file and foretell what a run would do, in the background; the caller works when not ``ring``."""
    list_import = _open(list_import)
    _unread(list_import)
    _reset(list_import, Status.CHECKING, Phase.READ, ring=ring)


@transaction.atomic
def run(list_import: ListImport, *, ring: bool = True) -> None:
    """Write accounts and people, in the background. What has been read and checked is not read again."""
    list_import = _open(list_import)
    if list_import.started_at is not None:  # it failed or was stopped on the way
        list_import.status, list_import.error = Status.RUNNING, ""
        list_import.save()
        if ring:
            _ring(list_import)
        return
    read = list_import.status == Status.CHECKED
    _reset(list_import, Status.RUNNING, Phase.PEOPLE if read else Phase.READ, ring=ring)


@transaction.atomic
def stop(list_import: ListImport) -> ListImport:
    """Take the import from whoever works on it: what is in stays, what is half written is taken back.

    A run can go on later from where it stood; a check becomes a draft again. Raises ``NotNow`` when nothing is at work.
    """
    list_import = ListImport.objects.select_for_update(no_key=True).get(pk=list_import.pk)
    if not list_import.is_at_work or list_import.status == Status.UNDOING:
        raise NotNow("This import is not at work, so there is nothing to stop.")
    list_import.status = Status.STOPPED if list_import.status == Status.RUNNING else Status.DRAFT
    list_import.worker = list_import.leased_until = None
    list_import.save(update_fields=["status", "worker", "leased_until", "updated_at"])
    return list_import


def undo_ends(list_import: ListImport) -> datetime | None:
    """Until when the import may be taken back; ``None`` when there is nothing to take back, or no longer."""
    if list_import.started_at is None or list_import.status not in UNDOABLE:
        return None
    end = (list_import.finished_at or list_import.updated_at) + UNDO_WITHIN
    return end if end > timezone.now() else None


@transaction.atomic
def undo(list_import: ListImport, *, actor: User, ring: bool = True) -> None:
    """Take back what the import wrote, in the background. Raises ``NotNow``."""
    list_import = ListImport.objects.select_for_update().get(pk=list_import.pk)
    if undo_ends(list_import) is None:
        raise NotNow(f"Only an import that has ended in the last {UNDO_WITHIN.days} days can be taken back.")
    if list_import.phase != Phase.UNDO:
        list_import.phase, list_import.rows_done, list_import.companies_done = Phase.UNDO, 0, 0
        list_import.finished_at = list_import.finished_at or list_import.updated_at
    list_import.status, list_import.error, list_import.taken_back_by = Status.UNDOING, "", actor
    list_import.worker = list_import.leased_until = None
    list_import.save()
    if ring:
        _ring(list_import)


@transaction.atomic
def discard(list_import: ListImport) -> None:
    """Forget an import that has written nothing."""
    list_import = _open(list_import)
    if list_import.started_at is not None:
        raise NotNow("This import has written rows already, so it stays in the list.")
    list_import.delete()


def _open(list_import: ListImport) -> ListImport:
    locked = ListImport.objects.select_for_update().get(pk=list_import.pk)
    if locked.status not in OPEN or locked.phase == Phase.UNDO:
        raise NotNow("This import is running or finished. Upload the file again to start over.")
    return locked


def _reset(list_import: ListImport, status: str, phase: str, *, ring: bool) -> None:
    list_import.status, list_import.phase, list_import.error, list_import.rows_done = status, phase, "", 0
    list_import.rows_ahead, list_import.companies_done = [], 0
    for name in COUNTS:
        setattr(list_import, name, 0)
    if phase == Phase.READ:
        list_import.rows_total = list_import.rows_cleaned = 0
    if status == Status.RUNNING:
        list_import.started_at = timezone.now()
    list_import.worker = list_import.leased_until = None
    list_import.save()
    if ring:
        _ring(list_import)


def _ring(list_import: ListImport) -> None:
    def ring() -> None:
        tasks.work_on_import.delay(str(list_import.pk))

    # The row is the record: should the broker be away, the sweep finds it.
    transaction.on_commit(ring, robust=True)


def _unread(list_import: ListImport) -> None:
    if list_import.started_at is not None:
        raise NotNow("This import has begun to write. Upload the file again to read it another way.")
    list_import.status, list_import.error = Status.DRAFT, ""


def _guess(list_import: ListImport) -> None:
    """The columns as of the last file with the same headers, otherwise as they look."""
    saved = mapping.saved_mapping(list_import)
    if saved is not None:
        list_import.mapping = [
            {**entry, "header": header} for header, entry in zip(list_import.headers, saved.mapping, strict=True)
        ]
        list_import.mode = saved.mode
        return
    columns = mapping.guess_columns(list_import.headers, list_import.sample)
    if list_import.event_id is None:
        columns = [replace(c, target=None) if c.target and c.target.part in {"stand", "target"} else c for c in columns]
    list_import.mapping = mapping.as_json(columns)


__all__ = [
    "NotNow",
    "UnreadableError",
    "begin",
    "check",
    "discard",
    "preview_layout",
    "run",
    "set_columns",
    "set_layout",
    "stop",
    "undo",
    "undo_ends",
]
