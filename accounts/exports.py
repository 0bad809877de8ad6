"""What leaves the house: the tables that can be exported, and files made in the background."""

import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.http import StreamingHttpResponse

from accounts.bulk import Selection, selection_of
from accounts.models import Account, AccountTag, BulkJob, JobFile, Stand, TargetAccount
from common.copying import Column, Table, csv_blocks, plain, snapshot, write_xlsx
from common.happenings import Happening, Kind, announce
from events.models import Event
from identity.scope import org_scope

PART = 1_000_000

MakeTable = Callable[[UUID, "Event | None"], Table]
full_export: dict[str, MakeTable] = {}
"""The tables of the full export, in the order they were registered: ``full_export["meetings"] = make_table``."""

_list_tables: dict[str, Callable[[Selection], Table]] = {}


def register_list_table(subject: str, make: Callable[[Selection], Table]) -> None:
    """Say what the export button of a list writes."""
    _list_tables[subject] = make


def list_table(selection: Selection) -> Table:
    """What the export of this selection holds, in the list's order."""
    return _list_tables[selection.subject.key](selection)


def joined(rows: "QuerySet[Any]", path: str) -> Coalesce:
    """The values of many rows in one cell, separated by semicolons."""
    values = (
        rows.order_by().values(everything=Value(1)).annotate(all=StringAgg(path, "; ", order_by=path)).values("all")
    )
    return Coalesce(Subquery(values, output_field=TextField()), Value("", output_field=TextField()))


def account_columns(prefix: str) -> list[Column]:
    """The facts of an account; ``prefix`` leads to it (``""`` or ``"account__"``)."""
    return [
        plain("name", "Company", f"{prefix}name"), plain("website", "Website", f"{prefix}website"),
        plain("industry", "Industry", f"{prefix}industry"), plain("description", "Description", f"{prefix}description"),
        plain("headquarters", "Headquarters", f"{prefix}headquarters"), plain("street", "Street", f"{prefix}street"),
        plain("postalCode", "Zip", f"{prefix}postal_code"), plain("city", "City", f"{prefix}city"),
        plain("region", "State", f"{prefix}region"), plain("country", "Country", f"{prefix}country"),
        plain("phone", "Company phone", f"{prefix}phone"), plain("linkedin", "Company LinkedIn", f"{prefix}linkedin"),
        plain("revenue", "Revenue", f"{prefix}revenue", text=False),
        plain("employeeCount", "Employees", f"{prefix}employee_count", text=False),
        plain("notes", "Company notes", f"{prefix}notes"),
    ]  # fmt: skip


def target_columns() -> list[Column]:
    return [
        plain("tier", "Tier", "tier", text=False), plain("status", "Status", "status", text=False),
        plain("stage", "Stage", "stage", text=False), plain("icpScore", "ICP score", "icp_score", text=False),
        plain("assignedTo", "Assigned to", "owner__email"),
        Column("hall", "Hall", joined(Stand.objects.filter(target=OuterRef("pk")), "hall")),
        Column("stand", "Stand", joined(Stand.objects.filter(target=OuterRef("pk")), "number")),
    ]  # fmt: skip


def tags_column(outer: str) -> Column:
    return Column("tags", "Tags", joined(AccountTag.objects.filter(account=OuterRef(outer)), "tag__name"))


def accounts_of_list(selection: Selection) -> Table:
    chosen = selection.filter()

    def rows() -> "QuerySet[Account | TargetAccount]":
        found: QuerySet[Account | TargetAccount] = chosen.ordered(selection.rows())
        return found

    if chosen.everything:
        return Table("accounts", [*account_columns(""), tags_column("pk")], rows)
    return Table("accounts", [*account_columns("account__"), *target_columns(), tags_column("account_id")], rows)


def accounts_at(organization_id: UUID, event: Event) -> Table:
    """The target accounts of a show, as the streaming endpoint gives them."""
    columns = [
        plain("name", "Name", "account__name"), plain("website", "Website", "account__website"),
        plain("industry", "Industry", "account__industry"), plain("headquarters", "Headquarters", "account__headquarters"),
        plain("city", "City", "account__city"), plain("country", "Country", "account__country"),
        plain("tier", "Tier", "tier", text=False), plain("status", "Status", "status", text=False),
        plain("stage", "Stage", "stage", text=False), plain("icpScore", "ICP Score", "icp_score", text=False),
        plain("assignedTo", "Assigned To", "owner__email"),
    ]  # fmt: skip
    return Table("accounts", columns, lambda: TargetAccount.objects.for_org(organization_id).at(event).order_by())


def all_accounts(organization_id: UUID, event: Event | None) -> Table:
    """The accounts of the full export: with ``event`` its targets, else all of the organization."""
    if event:
        rows = lambda: TargetAccount.objects.for_org(organization_id).at(event).order_by("pk")  # noqa: E731
        identity = [Column("id", "Account ID", Cast(F("account_id"), TextField()), text=False)]
        return Table("accounts", [*identity, *account_columns("account__"), *target_columns()], rows)
    columns = [
        Column("id", "Account ID", Cast(F("pk"), TextField()), text=False),
        *account_columns(""),
        tags_column("pk"),
    ]
    return Table("accounts", columns, lambda: Account.objects.for_org(organization_id).order_by("pk"))


full_export["accounts"] = all_accounts
register_list_table("accounts", accounts_of_list)


def announce_export(selection: Selection) -> None:
    """Write down who took a list out."""
    announce(
        Happening(
            kind=Kind.LIST_EXPORTED,
            organization_id=selection.organization.pk,
            actor_id=selection.user.pk,
            event_id=selection.event.pk if selection.event else None,
            summary=f"Exported {len(selection.ids) or 'a list of'} {selection.subject.many}",
            data={"filter": selection.query[:300]},
        )
    )


def csv_response(table: Table, organization_id: UUID, *, bom: bool = False) -> StreamingHttpResponse:
    """The table as a file to download. The generator opens its own scope and snapshot: it runs after the view."""

    def blocks() -> Iterator[bytes]:
        with snapshot(org_scope(organization_id)):
            yield from csv_blocks(table, bom=bom)

    return attachment(blocks(), f"{table.name}.csv", "text/csv; charset=utf-8")


def attachment(blocks: Iterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    """A streamed download that nobody on the way keeps or holds back."""
    response = StreamingHttpResponse(blocks, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


# --- Files made in the background ------------------------------------------------------------------------------------


def write_file(job: BulkJob) -> None:
    """Make the file of an export job (``params["format"]``) and keep it in parts, in the job's transaction."""
    table = list_table(selection_of(job))
    kind = "xlsx" if job.params.get("format") == "xlsx" else "csv"
    job.parts.all().delete()
    with tempfile.TemporaryFile() as file:
        if kind == "xlsx":
            job.total = write_xlsx(table, file)
        else:
            for block in csv_blocks(table, bom=True):
                file.write(block)
        job.done = job.changed = job.total
        file.seek(0)
        number = 0
        while data := file.read(PART):
            JobFile.objects.create(organization_id=job.organization_id, job=job, number=number, data=data)
            number += 1
    job.file_name = f"{table.name}.{kind}"


def file_parts(organization_id: UUID, job_id: UUID) -> Iterator[bytes]:
    """The file of a job, part by part; opens its own scope."""
    with org_scope(organization_id):
        ids = list(JobFile.objects.for_org(organization_id).filter(job=job_id).values_list("pk", flat=True))
        for pk in ids:
            yield bytes(JobFile.objects.for_org(organization_id).get(pk=pk).data)
