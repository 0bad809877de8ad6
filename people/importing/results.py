"""What a check or a run found, in the shape a page or a program shows it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from people.import_models import ImportCompany, ImportRow, ListImport, Outcome

SLEEPING = timedelta(seconds=20)
_SHARE = {"read": (0, 45), "group": (45, 50), "rows": (50, 100), "undo": (0, 100)}


@dataclass(frozen=True)
class Progress:
    """How far a check or a run is. ``stuck`` means that no worker has taken it for a while."""

    percent: int
    label: str
    stuck: bool


@dataclass(frozen=True)
class Line:
    """One row of the file as a page lists it."""

    line: int
    name: str
    company: str
    email: str
    note: str


@dataclass(frozen=True)
class Findings:
    created: list[Line]
    updated: list[Line]
    unchanged: list[Line]
    repeated: list[Line]
    rejected: list[Line]
    reasons: list[tuple[str, int]]
    cleaned: list[tuple[int, str, str, str]]
    resembling: list[tuple[str, str]]
    resembling_total: int

    @property
    def names_people(self) -> bool:
        """Whether the rows are about people, so that company and address are worth a column."""
        return any(line.email or line.company != line.name for line in (*self.created, *self.updated, *self.unchanged))


def progress(list_import: ListImport) -> Progress:
    low, high = _SHARE[list_import.phase]
    total = list_import.rows_total or _estimated_rows(list_import)
    share = min(1.0, list_import.rows_done / max(total, 1))
    if list_import.phase == "undo":
        share = (share + list_import.companies_done / max(total, 1)) / 2
    verb = {
        "read": f"Reading the file: {list_import.rows_done:,} rows",
        "group": "Looking for repeated companies and people",
        "undo": "Taking back people and companies",
        "rows": "Comparing companies and people"
        if list_import.status == "checking"
        else "Writing companies and people",
    }[list_import.phase]
    waiting = list_import.worker is None and list_import.updated_at < timezone.now() - SLEEPING
    return Progress(round(low + (high - low) * share), verb, waiting)


def _estimated_rows(list_import: ListImport) -> int:
    sample = list_import.sample
    if not sample:
        return 1
    characters = sum(len(cell) + 1 for row in sample for cell in row)
    return max(1, list_import.file_bytes * len(sample) // max(characters, 1))


def findings(list_import: ListImport, *, shown: int) -> Findings:
    """Counts by reason and the first ``shown`` rows of every kind."""
    rows = ImportRow.objects.for_org(list_import.organization_id).filter(list_import=list_import).order_by("row_no")
    samples = {outcome: list(rows.filter(outcome=outcome)[:shown]) for outcome in Outcome.values}
    companies = ImportCompany.objects.for_org(list_import.organization_id).filter(list_import=list_import)
    repeated = list(rows.filter(first_row__isnull=False)[:shown]) or _repeated_companies(list_import, shown)
    names = _companies(companies, [row for found in (*samples.values(), repeated) for row in found])
    with_cleaned = rows.filter(cleaned__isnull=False).exclude(outcome="rejected")[:shown]
    cleaned = [(row.line, *note) for row in with_cleaned for note in (row.cleaned or [])[:2]]
    return Findings(
        **{outcome: [_line(row, names) for row in found] for outcome, found in samples.items()},
        repeated=[_line(row, names) for row in repeated],
        reasons=reasons(list_import),
        cleaned=cleaned[: shown * 2],
        resembling=[
            (company.data.get("name", ""), company.resembles)
            for company in companies.exclude(resembles="").order_by("first_row")[:shown]
        ],
        resembling_total=companies.exclude(resembles="").count(),
    )


def reasons(list_import: ListImport) -> list[tuple[str, int]]:
    """Why rows are rejected, with how many, most frequent first."""
    found = (
        ImportRow.objects.for_org(list_import.organization_id)
        .filter(list_import=list_import, outcome=Outcome.REJECTED)
        .values_list("reason")
        .annotate(rows=Count("row_no"))
        .order_by("-rows", "reason")[:20]
    )
    return [(str(reason), int(rows)) for reason, rows in found]


def _repeated_companies(list_import: ListImport, shown: int) -> list[ImportRow]:
    """Rows without a person that name a company an earlier row named."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.row_no FROM people_importrow r "
            "JOIN people_importcompany c ON c.list_import_id = r.list_import_id AND c.key = r.company_key "
            "WHERE r.organization_id = %s AND r.list_import_id = %s AND r.person IS NULL AND r.reason = '' "
            "AND (c.same_as <> '' OR c.first_row < r.row_no) ORDER BY r.row_no LIMIT %s",
            [list_import.organization_id, list_import.pk, shown],
        )
        numbers = [number for (number,) in cursor.fetchall()]
    rows = ImportRow.objects.for_org(list_import.organization_id).filter(list_import=list_import)
    return list(rows.filter(row_no__in=numbers).order_by("row_no"))


def _companies(companies: Any, rows: list[ImportRow]) -> dict[str, dict[str, Any]]:
    keys = {row.company_key for row in rows if row.company_key}
    return {c.key: c.data for c in companies.filter(key__in=keys)}


def _line(row: ImportRow, companies: dict[str, dict[str, Any]]) -> Line:
    person, company = row.person or {}, companies.get(row.company_key or "", {})
    name = str(company.get("name", ""))
    stand = " · ".join(filter(None, [row.hall, row.stand]))
    place = ", ".join(filter(None, [company.get("city", ""), company.get("country", "")]))
    note = row.reason or stand or (str(person.get("title", "")) if person else place)
    return Line(row.line, str(person.get("name", "")) or name or row.excerpt, name, (row.emails or [""])[0], note)


def accounts_of(organization_id: UUID, import_id: UUID) -> Any:
    """The ids of the accounts that an import created or changed, to filter by."""
    companies = ImportCompany.objects.for_org(organization_id).filter(list_import=import_id)
    return companies.filter(outcome__in=[Outcome.CREATED, Outcome.UPDATED]).values("account_id")


def people_of(organization_id: UUID, import_id: UUID) -> Any:
    """The ids of the people that an import created or changed, to filter by."""
    rows = ImportRow.objects.for_org(organization_id).filter(list_import=import_id, person_id__isnull=False)
    return rows.filter(outcome__in=[Outcome.CREATED, Outcome.UPDATED]).values("person_id")
