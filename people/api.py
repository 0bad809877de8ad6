"""People for programs. The persona flags are understood as ``isExecOps`` and as ``is_exec_ops`` (X7)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field, field_validator, model_validator

from accounts.api import WEB, AccountOut, account_out, find_account, find_event, find_owner
from common.envelopes import Answer, Paginated
from common.schemas import ApiSchema
from common.text import email_key
from identity.apiauth import Scope, member
from identity.models import Role
from identity.web import OrgRequest
from people import services
from people.filters import PersonFilter
from people.insights import insights_of
from people.models import ContactBasis, Person

router = Router(tags=["People"])
contacts = Router(tags=["People"])


class PersonFields(ApiSchema):
    """What may be written. ``null`` or absence leaves a value alone, ``""`` empties a text."""

    account_id: UUID | None = None
    name: str | None = Field(None, max_length=200, examples=["Ada Lovelace"])
    first_name: str | None = Field(None, max_length=100, examples=["Ada"])
    last_name: str | None = Field(None, max_length=100, examples=["Lovelace"])
    title: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254, description="The primary address.")
    emails: list[str] | None = Field(None, max_length=20, description="All addresses, the primary one first.")
    seniority: str | None = Field(None, max_length=40)
    department: str | None = Field(None, max_length=100)
    phone: str | None = Field(None, max_length=60)
    mobile: str | None = Field(None, max_length=60)
    linkedin: str | None = Field(None, max_length=500, pattern=WEB)
    city: str | None = Field(None, max_length=120)
    country: str | None = Field(None, max_length=80)
    time_zone: str | None = Field(None, max_length=64)
    contact_basis: ContactBasis | None = Field(
        None, description="Why they may be written to; `objected` and `restricted` stop all mail.", examples=["consent"]
    )
    notes: str | None = Field(None, max_length=20_000)
    source: str | None = Field(None, max_length=120)
    tags: list[str] | None = Field(None, max_length=50)
    assigned_to: UUID | None = Field(None, description="The member who looks after them.")
    next_touchpoint_on: date | None = None
    is_exec_ops: bool | None = None
    is_ops: bool | None = None
    is_proc: bool | None = None
    is_sales: bool | None = None
    is_tech: bool | None = None
    is_non_ops: bool | None = None

    @field_validator("email", "emails")
    @classmethod
    def real_addresses(cls, value: str | list[str] | None) -> str | list[str] | None:
        for email in [value] if isinstance(value, str) else value or []:
            try:
                if email:
                    validate_email(email_key(email))
            except ValidationError as error:
                raise ValueError(f"{email} is not an e-mail address.") from error
        return value

    def addresses(self) -> list[str] | None:
        """All addresses as given, the primary one first; None when none was sent."""
        if self.email is None and self.emails is None:
            return None
        return [email for email in [self.email or "", *(self.emails or [])] if email]


class PersonIn(PersonFields):
    @model_validator(mode="after")
    def has_a_name(self) -> "PersonIn":
        if not " ".join(filter(None, [self.name, self.first_name, self.last_name])).strip():
            raise ValueError("Send a name, or firstName and lastName.")
        return self


class PersonOut(ApiSchema):
    id: UUID
    account_id: UUID | None
    company: str
    name: str
    first_name: str
    last_name: str
    title: str
    email: str
    seniority: str
    department: str
    phone: str
    mobile: str
    linkedin: str
    city: str
    country: str
    time_zone: str
    contact_basis: ContactBasis
    notes: str
    source: str
    icp_score: int | None
    is_exec_ops: bool
    is_ops: bool
    is_proc: bool
    is_sales: bool
    is_tech: bool
    is_non_ops: bool
    assigned_to: UUID | None
    next_touchpoint_on: date | None
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_company(person: Person) -> str:
        return person.account.name if person.account else ""

    @staticmethod
    def resolve_assigned_to(person: Person) -> UUID | None:
        return person.owner_id


class PersonDetail(PersonOut):
    """A person with their account and what is known about them."""

    emails: list[str]
    tags: list[str]
    account: AccountOut | None
    insights: list[dict[str, Any]]

    @staticmethod
    def resolve_emails(person: Person) -> list[str]:
        return [row.email for row in person.emails.all()]

    @staticmethod
    def resolve_tags(person: Person) -> list[str]:
        return [tag.name for tag in person.tags.all()]

    @staticmethod
    def resolve_account(person: Person) -> dict[str, Any] | None:
        return account_out(person.account) if person.account else None

    @staticmethod
    def resolve_insights(person: Person) -> list[dict[str, Any]]:
        return insights_of(person)


class PersonList(Paginated[PersonOut]):
    totalIsExact: bool = Field(description="False when there are more than were counted.")  # noqa: N815


@router.get("", auth=member(Scope.READ), response=PersonList, by_alias=True, summary="List people")
def list_people(
    request: OrgRequest,
    eventId: UUID | None = None,  # noqa: N803
    limit: int = 50,
    cursor: str = "",
    q: str = "",
    sort: str = "name",
) -> dict[str, Any]:
    """With ``eventId`` the people at that show's targets, else everybody. Filters of the page work here too:
    ``persona``, ``tier``, ``status``, ``stage``, ``owner``, ``tag``, ``hall``, ``account``, ``score_min``, ``score_max``,
    ``email``."""
    event = find_event(request, eventId)
    query = QueryDict(mutable=True)
    query.update(request.GET)
    query["sort"] = sort
    chosen = PersonFilter(query, organization=request.organization, user=request.user, event=event)
    rows, size = chosen.rows(), max(1, min(limit, 200))
    page = chosen.page(rows.select_related("account"), limit=size, cursor=cursor)
    count = chosen.count(rows)
    return {
        "items": page.items, "total": count.number, "totalIsExact": count.exact, "pageSize": size,
        "hasMore": page.has_more, "nextCursor": page.next_cursor,
    }  # fmt: skip


@router.post("", auth=member(Scope.WRITE), response={201: Answer[PersonDetail]}, by_alias=True, summary="Add a person")
def create_person(request: OrgRequest, body: PersonIn) -> Status[dict[str, Any]]:
    """409 when an address already belongs to somebody."""
    fields = _fields(request, body)
    try:
        person = services.create_person(
            request.organization, actor=request.user, fields=fields, emails=body.addresses() or [], tags=body.tags or []
        )
    except services.EmailTaken as error:
        raise HttpError(409, f"{error} ({error.person.pk})") from error
    return Status(201, {"data": find_person(request, person.pk)})


@contacts.post(
    "", auth=member(Scope.WRITE), response={201: Answer[PersonDetail]}, by_alias=True,
    summary="Add a person (the other name of POST /api/people)",
)  # fmt: skip
def create_contact(request: OrgRequest, body: PersonIn) -> Status[dict[str, Any]]:
    return create_person(request, body)


@router.get(
    "/{person_id}", auth=member(Scope.READ), response=Answer[PersonDetail], by_alias=True,
    summary="One person with their account and insights",
)  # fmt: skip
def get_person(request: OrgRequest, person_id: UUID) -> dict[str, Any]:
    return {"data": find_person(request, person_id)}


@router.patch(
    "/{person_id}", auth=member(Scope.WRITE), response=Answer[PersonDetail], by_alias=True, summary="Change a person"
)
def change_person(request: OrgRequest, person_id: UUID, body: PersonFields) -> dict[str, Any]:
    """409 when an address already belongs to somebody else."""
    person, emails = find_person(request, person_id), body.addresses()
    if emails is not None and body.emails is None:
        emails += [row.email for row in person.emails.all() if not row.is_primary]
    try:
        services.update_person(person, actor=request.user, fields=_fields(request, body), emails=emails)
    except services.EmailTaken as error:
        raise HttpError(409, f"{error} ({error.person.pk})") from error
    if body.tags is not None:
        services.set_tags(person, names=body.tags)
    return {"data": find_person(request, person_id)}


@router.delete(
    "/{person_id}", auth=member(Scope.WRITE, role=Role.MANAGER), response={204: None}, summary="Delete a person"
)
def delete_person(request: OrgRequest, person_id: UUID) -> Status[None]:
    services.delete_person(find_person(request, person_id), actor=request.user)
    return Status(204, None)


def find_person(request: OrgRequest, person_id: UUID) -> Person:
    """The person with all that ``PersonDetail`` shows, or 404 ``Person not found``."""
    people = Person.objects.for_org(request.organization).select_related("account")
    person = people.prefetch_related("emails", "tags", "account__tags").filter(pk=person_id).first()
    if person is None:
        raise HttpError(404, "Person not found")
    return person


def _fields(request: OrgRequest, body: PersonFields) -> dict[str, Any]:
    sent = body.dict(exclude_unset=True)
    fields = {name: value for name, value in sent.items() if name in services.EDITABLE and value is not None}
    if "next_touchpoint_on" in sent:
        fields["next_touchpoint_on"] = body.next_touchpoint_on
    if body.account_id:
        fields["account"] = find_account(request, body.account_id)
    if body.assigned_to:
        fields["owner"] = find_owner(request, body.assigned_to)
    return fields
