"""Taking an import back: what it made and nobody has used since goes; what it changed and is still as it came is put back.

A record is in use when its history tells of a change by somebody else, or when something came to it later: a note, a mail,
a meeting, a label. Foreign keys say where to look, so that what later apps hang on accounts and people counts by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Account, TargetAccount
from common.bulk import update_many
from common.happenings import Happening, Kind, announce
from common.models import TenantModel
from identity.history import QUIET, history_model
from people.import_models import ImportCompany, ImportRow, ListImport, Outcome
from people.importing import companies, persons
from people.models import Person

ROWS = 2_000
"""How many rows of the file are taken back in one transaction."""
says_nothing: dict[type[models.Model], Q] = {}
"""Rows of higher apps that come by themselves and are no sign of use; such an app adds its own."""
_ALL = Q()
_OURS = {"accounts", "people"}
_MARK = "pgh_context__metadata__list_import"


@dataclass(frozen=True)
class Forecast:
    """What taking back would do now. What is in use stays."""

    people: int
    people_in_use: int
    accounts: int
    accounts_in_use: int
    changed: int


def foretell(list_import: ListImport) -> Forecast:
    """Count before anything is done; a second or two for 100,000 people."""
    people, accounts = _created_people(list_import), _created_accounts(list_import)
    going = people.filter(_unused_person(list_import)).count()
    leaving = accounts.filter(_unused_account(list_import)).count()
    changed = sum(
        _own_events(model, list_import).values("pgh_obj_id").distinct().count()
        for model in (Person, Account, TargetAccount)
    )
    return Forecast(going, people.count() - going, leaving, accounts.count() - leaving, changed)


def step(list_import: ListImport) -> None:
    """Take the next rows back: the people of all rows first, then their companies.

    The caller holds the lock on the import and saves it: it keeps the mark and the counts.
    """
    if list_import.rows_done < list_import.rows_total:
        high = min(list_import.rows_done + ROWS, list_import.rows_total)
        _take_back_people(list_import, Q(row_no__gt=list_import.rows_done, row_no__lte=high))
        list_import.rows_done = high
    elif list_import.companies_done < list_import.rows_total:
        high = min(list_import.companies_done + ROWS, list_import.rows_total)
        _take_back_companies(list_import, Q(first_row__gt=list_import.companies_done, first_row__lte=high))
        list_import.companies_done = high
    else:
        _finish(list_import)


def _take_back_people(list_import: ListImport, these: Q) -> None:
    list_import.people_removed += _remove(_created_people(list_import, these), _unused_person(list_import))
    rows = ImportRow.objects.for_org(list_import.organization_id).filter(these, list_import=list_import)
    ids = rows.filter(person_id__isnull=False).values_list("person_id", flat=True).distinct()
    people = _put_back(Person, list_import, ids)
    announce(
        *(_changed(list_import, Kind.PERSON_UPDATED, person_id=row.pk, account_id=row.account_id) for row in people)
    )
    list_import.records_put_back += len(people)


def _take_back_companies(list_import: ListImport, these: Q) -> None:
    list_import.accounts_removed += _remove(_created_accounts(list_import, these), _unused_account(list_import))
    ids = list(_companies(list_import, these).values_list("account_id", flat=True))
    accounts = _put_back(Account, list_import, ids)
    companies.refresh_names(list_import, accounts)
    announce(*(_changed(list_import, Kind.ACCOUNT_UPDATED, account_id=row.pk) for row in accounts))
    targets = TargetAccount.objects.for_org(list_import.organization_id).filter(account__in=ids)
    targets = targets.filter(event__in=[list_import.event_id] if list_import.event_id else [])
    idle = Account.objects.filter(_nothing_later(Account, list_import, besides={Person, TargetAccount}))
    _remove(
        targets.filter(_came_with(list_import), account__in=idle.values("pk")),
        _nothing_later(TargetAccount, list_import),
    )
    put_back = _put_back(TargetAccount, list_import, targets.values_list("pk", flat=True))
    list_import.records_put_back += len(accounts) + len(put_back)


def _finish(list_import: ListImport) -> None:
    list_import.status, list_import.taken_back_at = ListImport.Status.UNDONE, timezone.now()
    announce(
        Happening(
            kind=Kind.IMPORT_UNDONE,
            organization_id=list_import.organization_id,
            actor_id=list_import.taken_back_by_id,
            event_id=list_import.event_id,
            summary=f"Took back the import of {list_import.file_name}"[:300],
            data={
                "import_id": str(list_import.pk),
                "people": list_import.people_removed,
                "accounts": list_import.accounts_removed,
                "put_back": list_import.records_put_back,
            },
        )
    )


def _changed(list_import: ListImport, kind: Kind, **about: Any) -> Happening:
    return Happening(
        kind=kind,
        organization_id=list_import.organization_id,
        actor_id=list_import.taken_back_by_id,
        event_id=list_import.event_id,
        summary="As it was before a list was imported",
        **about,
    )


def _companies(list_import: ListImport, these: Q = _ALL) -> "QuerySet[ImportCompany]":
    found = ImportCompany.objects.for_org(list_import.organization_id).filter(these, list_import=list_import)
    return found.filter(account_id__isnull=False)


def _created_people(list_import: ListImport, these: Q = _ALL) -> "QuerySet[Person]":
    rows = ImportRow.objects.for_org(list_import.organization_id).filter(these, list_import=list_import)
    ids = rows.filter(outcome=Outcome.CREATED, person_id__isnull=False).values("person_id")
    return Person.objects.for_org(list_import.organization_id).filter(import_id=list_import.pk, pk__in=ids)


def _created_accounts(list_import: ListImport, these: Q = _ALL) -> "QuerySet[Account]":
    ids = _companies(list_import, these).filter(outcome=Outcome.CREATED).values("account_id")
    return Account.objects.for_org(list_import.organization_id).filter(pk__in=ids)


def _unused_person(list_import: ListImport) -> Q:
    return _nothing_later(Person, list_import)


def _unused_account(list_import: ListImport) -> Q:
    """Nothing came to the account, and whoever and whatever came with it goes too."""
    people = Person.objects.for_org(list_import.organization_id).filter(account_id=OuterRef("pk"))
    targets = TargetAccount.objects.for_org(list_import.organization_id).filter(account_id=OuterRef("pk"))
    return (
        _nothing_later(Account, list_import, besides={Person, TargetAccount})
        & ~Q(Exists(people.exclude(Q(import_id=list_import.pk) & _unused_person(list_import))))
        & ~Q(Exists(targets.exclude(_came_with(list_import) & _nothing_later(TargetAccount, list_import))))
    )


def _came_with(list_import: ListImport) -> Q:
    span = (list_import.started_at, list_import.finished_at)
    return Q(event_id=list_import.event_id, created_at__range=span) if list_import.event_id else Q(pk__in=[])


def _nothing_later(
    model: type[models.Model], list_import: ListImport, *, besides: Iterable[type[models.Model]] = ()
) -> Q:
    """No row that points to the record is younger than the import; what came with it came before its end."""
    found = Q()
    for relation in model._meta.get_fields(include_hidden=True):
        related = relation.related_model
        if not (relation.one_to_many or relation.one_to_one) or not isinstance(related, type) or related in besides:
            continue
        key = relation.field.attname  # type: ignore[union-attr]  # relations from elsewhere have one
        rows = related._default_manager.filter(organization_id=list_import.organization_id, **{key: OuterRef("pk")})
        if hasattr(related, "pgh_tracked_model"):
            rows = rows.filter(
                Q(pgh_context=None) | Q(**{f"{_MARK}__isnull": True}) | ~Q(**{_MARK: str(list_import.pk)})
            )
        else:
            ours = related._meta.app_label in _OURS
            rows = rows.filter(created_at__gt=list_import.finished_at if ours else list_import.started_at)
        found &= ~Q(Exists(rows.exclude(says_nothing[related]) if related in says_nothing else rows))
    return found


def _remove(rows: "QuerySet[Any]", unused: Q) -> int:
    """Delete those nobody uses. They are locked before anybody looks, so that nothing comes to them in between."""
    ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
    leaving = list(rows.model._default_manager.filter(pk__in=ids).filter(unused).values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=leaving).delete()
    return len(leaving)


def _own_events(model: type[models.Model], list_import: ListImport) -> "QuerySet[Any]":
    events = history_model(model)._default_manager.filter(organization_id=list_import.organization_id)
    return events.filter(pgh_label="update", **{_MARK: str(list_import.pk)})


def _put_back(model: type[TenantModel], list_import: ListImport, ids: Iterable[UUID | None]) -> list[Any]:
    """Give fields that the import changed, and nobody after it, the value of before; returns the records that changed."""
    touched = set(_own_events(model, list_import).filter(pgh_obj_id__in=ids).values_list("pgh_obj_id", flat=True))
    if not touched:
        return []
    history = history_model(model)
    told: QuerySet[Any] = history._default_manager.filter(organization_id=list_import.organization_id)
    events: dict[UUID, list[Any]] = defaultdict(list)
    for event in told.filter(pgh_obj_id__in=touched).select_related("pgh_context").order_by("pgh_id"):
        events[event.pgh_obj_id].append(event)
    fields = [field for field in history._meta.local_fields if field.name not in QUIET]
    rows = model._default_manager.filter(organization_id=list_import.organization_id, pk__in=touched)
    changed: list[Any] = []
    names: set[str] = set()
    for row in rows.select_for_update(of=("self",)):
        before = [pair for pair in _values_before(events[row.pk], row, fields, list_import) if _may_stand(*pair)]
        for field, value in before:
            setattr(row, field.attname, value)
            names.add(field.name)
        if before:
            changed.append(row)
    _write(changed, names)
    return changed


def _write(rows: Sequence[Any], names: set[str]) -> None:
    derived: set[str] = set()
    for row in rows:
        row.updated_at = timezone.now()
        if isinstance(row, Person | Account):
            row.derive()
            derived = set(companies.DERIVED if isinstance(row, Account) else persons.DERIVED)
    update_many(rows, sorted({*names, *derived, "updated_at"}))


def _may_stand(field: Any, value: Any) -> bool:
    """Whether a row that the field points to is still there."""
    return not (field.is_relation and value) or field.related_model._default_manager.filter(pk=value).exists()


def _values_before(
    events: Sequence[Any], row: models.Model, fields: Sequence[Any], list_import: ListImport
) -> list[tuple[Any, Any]]:
    """The fields that still hold what the import wrote, with what they held before it."""
    found: dict[Any, tuple[Any, Any]] = {}
    for event, later in zip(events, [*events[1:], row], strict=True):
        if not event.pgh_context or event.pgh_context.metadata.get("list_import") != str(list_import.pk):
            continue
        for field in fields:
            before, after = getattr(event, field.attname), getattr(later, field.attname)
            if before != after:
                found[field] = found[field][0] if field in found else before, after
    return [
        (field, before)
        for field, (before, written) in found.items()
        if getattr(row, field.attname) == written and before != written
    ]
