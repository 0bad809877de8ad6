"""People as they leave the house."""

from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.bulk import Selection
from accounts.exports import full_export, joined, register_list_table
from common.copying import Column, Table, plain
from events.models import Event
from people.models import Person, PersonTag

PERSONA_HEADERS = {
    "is_exec_ops": "isExecOps", "is_ops": "isOps", "is_proc": "isProc", "is_sales": "isSales", "is_tech": "isTech",
    "is_non_ops": "isNonOps",
}  # fmt: skip
"""The persona flags under the names of the seeds and the API."""


def company_name() -> Column:
    return Column("company", "Company", Coalesce(F("account__name"), Value("")))


def person_columns() -> list[Column]:
    return [
        plain("name", "Name", "name"), plain("firstName", "First name", "first_name"),
        plain("lastName", "Last name", "last_name"), plain("title", "Title", "title"),
        plain("department", "Department", "department"), plain("seniority", "Seniority", "seniority"),
        plain("email", "Email", "email"), plain("phone", "Phone", "phone"), plain("mobile", "Mobile", "mobile"),
        plain("linkedin", "LinkedIn", "linkedin"), company_name(),
        Column("website", "Website", Coalesce(F("account__website"), Value(""))),
        plain("city", "Person city", "city"), plain("country", "Person country", "country"),
        *(plain(header, header, flag, text=False) for flag, header in PERSONA_HEADERS.items()),
        plain("icpScore", "ICP score", "icp_score", text=False), plain("owner", "Contact owner", "owner__email"),
        plain("nextTouchpoint", "Next touchpoint", "next_touchpoint_on", text=False), plain("notes", "Notes", "notes"),
        Column("tags", "Contact tags", joined(PersonTag.objects.filter(person=OuterRef("pk")), "tag__name")),
    ]  # fmt: skip


def people_of_list(selection: Selection) -> Table:
    chosen = selection.filter()

    def rows() -> "QuerySet[Person]":
        found: QuerySet[Person] = chosen.ordered(selection.rows())
        return found

    columns = person_columns()
    if chosen.event:
        columns += [
            plain("tier", "Tier", "account__targets__tier", text=False),
            plain("status", "Status", "account__targets__status", text=False),
            plain("stage", "Stage", "account__targets__stage", text=False),
        ]
    return Table("people", columns, rows)


def people_at(organization_id: UUID, event: Event) -> Table:
    """The people at the target accounts of a show, in exactly the columns of the streaming endpoint (BLK-01)."""
    columns = [
        plain("name", "Name", "name"), plain("email", "Email", "email"), plain("title", "Title", "title"),
        plain("company", "Company", "account__name"), plain("phone", "Phone", "phone"),
        plain("linkedin", "LinkedIn", "linkedin"),
    ]  # fmt: skip
    return Table("people", columns, lambda: Person.objects.for_org(organization_id).at(event).order_by())


def all_people(organization_id: UUID, event: Event | None) -> Table:
    """The people of the full export, with their persona fields and the name of their account."""
    identity = [
        Column("id", "Person ID", Cast(F("pk"), TextField()), text=False),
        Column("accountId", "Account ID", Cast(F("account_id"), TextField()), text=False),
    ]
    at_event = Q(account__targets__event=event) if event else Q()
    return Table(
        "people",
        [*identity, *person_columns()],
        lambda: Person.objects.for_org(organization_id).filter(at_event).order_by("pk"),
    )


full_export["people"] = all_people
register_list_table("people", people_of_list)
