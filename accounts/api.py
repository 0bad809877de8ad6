"""Accounts for programs, with the fields of one show when ``eventId`` names it."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import QueryDict
from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field

from accounts import services
from accounts.filters import AccountFilter
from accounts.models import Account, Tag, TargetAccount, Tier
from accounts.owners import NotAMember, check_member
from accounts.similar import find_similar
from common.envelopes import Answer, Paginated
from common.schemas import ApiSchema
from events.models import Event
from identity.apiauth import Scope, member
from identity.models import Role, User
from identity.web import OrgRequest

router = Router(tags=["Accounts"])
tags = Router(tags=["Accounts"])
WEB = r"^(https?://\S+)?$"
TARGET_FIELDS = ("tier", "status", "stage")


class StandBody(ApiSchema):
    hall: str = Field("", max_length=80, examples=["Hall 4"])
    number: str = Field("", max_length=60, examples=["B12"])


class AccountFields(ApiSchema):
    """What may be written. ``null`` or absence leaves a value alone, ``""`` empties a text."""

    website: str | None = Field(None, max_length=500, pattern=WEB)
    industry: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=20_000)
    headquarters: str | None = Field(None, max_length=300)
    street: str | None = Field(None, max_length=300)
    postal_code: str | None = Field(None, max_length=40)
    city: str | None = Field(None, max_length=120)
    region: str | None = Field(None, max_length=120)
    country: str | None = Field(None, max_length=80)
    phone: str | None = Field(None, max_length=60)
    linkedin: str | None = Field(None, max_length=500, pattern=WEB)
    revenue: Decimal | None = Field(None, ge=0, max_digits=15, decimal_places=2, description="A year, in US dollars.")
    employee_count: int | None = Field(None, ge=0, le=2_147_483_647)
    notes: str | None = Field(None, max_length=20_000)
    source: str | None = Field(None, max_length=120)
    tags: list[str] | None = Field(None, max_length=50)
    event_id: UUID | None = Field(
        None, description="The show that tier, status, stage, assignedTo and stands are about."
    )
    tier: Tier | None = None
    status: TargetAccount.Status | None = None
    stage: TargetAccount.Stage | None = None
    assigned_to: UUID | None = Field(None, description="The member who looks after it.")
    stands: list[StandBody] | None = Field(None, max_length=40)


class AccountIn(AccountFields):
    name: str = Field(min_length=1, max_length=300, examples=["Acme GmbH"])


class AccountPatch(AccountFields):
    name: str | None = Field(None, min_length=1, max_length=300, examples=["Acme GmbH"])


class AccountOut(ApiSchema):
    """An account; ``eventId``, ``tier``, ``status``, ``stage``, ``icpScore`` and ``stands`` are those of one show."""

    id: UUID
    name: str
    website: str
    domain: str
    industry: str
    description: str
    headquarters: str
    street: str
    postal_code: str
    city: str
    region: str
    country: str
    phone: str
    linkedin: str
    revenue: Decimal | None
    employee_count: int | None
    notes: str
    source: str
    tags: list[str]
    event_id: UUID | None
    tier: str | None
    status: str | None
    stage: str | None
    icp_score: int | None
    assigned_to: UUID | None
    stands: list[StandBody]
    created_at: datetime
    updated_at: datetime


class AccountList(Paginated[AccountOut]):
    """The rows under both names callers know: ``items`` and ``accounts``."""

    accounts: list[AccountOut]
    limit: int
    offset: int
    totalIsExact: bool = Field(description="False when there are more than were counted.")  # noqa: N815


class TagOut(ApiSchema):
    id: UUID
    name: str = Field(examples=["VIP"])


def account_out(account: Account, target: TargetAccount | None = None) -> dict[str, Any]:
    """The account as ``AccountOut`` reads it. Tags (and stands) should be prefetched."""
    plain = {name: getattr(account, name) for name in AccountOut.model_fields if hasattr(account, name)}
    owner = target.owner_id if target else account.owner_id
    stands = [{"hall": stand.hall, "number": stand.number} for stand in target.stands.all()] if target else []
    return plain | {
        "tags": [tag.name for tag in account.tags.all()], "event_id": target.event_id if target else None,
        "tier": (target.tier or None) if target else None, "status": (target.status or None) if target else None,
        "stage": (target.stage or None) if target else None, "icp_score": target.icp_score if target else None,
        "assigned_to": owner, "stands": stands,
    }  # fmt: skip


@router.get("", auth=member(Scope.READ), response=AccountList, by_alias=True, summary="List accounts")
def list_accounts(
    request: OrgRequest, eventId: UUID | None = None, limit: int = 100, offset: int = 0, cursor: str = "",  # noqa: N803
    q: str = "", sort: str = "name",
) -> dict[str, Any]:  # fmt: skip
    """With ``eventId`` the targets of that show, else all accounts. Filters of the page work here too: ``tier``,
    ``status``, ``stage``, ``owner``, ``tag``, ``hall``, ``country``, ``score_min``, ``score_max``, ``contact``. Page
    with ``cursor`` (quick at any depth) or ``offset`` (at most 10,000)."""
    event = find_event(request, eventId)
    query = QueryDict(mutable=True)
    query.update(request.GET)
    query["sort"] = sort
    chosen = AccountFilter(query, organization=request.organization, user=request.user, event=event)
    rows = chosen.rows()
    listed = rows.prefetch_related("tags") if event is None else rows.select_related("account").prefetch_related(
        "stands", "account__tags"
    )  # fmt: skip
    size = max(1, min(limit, 200))
    if offset and not cursor:
        if not 0 <= offset <= 10_000:
            raise HttpError(422, "offset goes up to 10,000; use cursor to go further.")
        found, following = list(chosen.ordered(listed)[offset : offset + size]), ""
    else:
        page = chosen.page(listed, limit=size, cursor=cursor)
        found, following = page.items, page.next_cursor
    items = [account_out(row) if event is None else account_out(row.account, row) for row in found]
    count = chosen.count(rows)
    return {
        "items": items, "accounts": items, "total": count.number, "totalIsExact": count.exact, "limit": size,
        "offset": offset, "page": offset // size + 1, "pageSize": size, "nextCursor": following,
        "hasMore": bool(following) or offset + len(items) < count.number if offset else bool(following),
    }  # fmt: skip


@router.post("", auth=member(Scope.WRITE), response={201: Answer[AccountOut]}, by_alias=True, summary="Add an account")
def create_account(request: OrgRequest, body: AccountIn, unlessSimilar: bool = False) -> Status[dict[str, Any]]:  # noqa: N803
    """With ``unlessSimilar=true`` answers 409 when one of (nearly) the same name or the same web domain exists."""
    event = find_event(request, body.event_id)
    if unlessSimilar and (found := find_similar(request.organization.pk, name=body.name, website=body.website or "")):
        raise HttpError(409, f"{found[0].account.name} {found[0].reason} ({found[0].account.pk}).")
    owner = find_owner(request, body.assigned_to)
    account = services.create_account(
        request.organization, actor=request.user, event=event, tags=body.tags or [],
        fields={**_given(body, services.EDITABLE), "owner": owner},
        target_fields={**_given(body, TARGET_FIELDS), "owner": owner},
        stands=[(stand.hall, stand.number) for stand in body.stands or []],
    )  # fmt: skip
    return Status(201, {"data": _describe(account, event)})


@router.get("/{account_id}", auth=member(Scope.READ), response=Answer[AccountOut], by_alias=True, summary="One account")
def get_account(request: OrgRequest, account_id: UUID, eventId: UUID | None = None) -> dict[str, Any]:  # noqa: N803
    event = find_event(request, eventId)
    return {"data": _describe(find_account(request, account_id), event)}


@router.patch(
    "/{account_id}", auth=member(Scope.WRITE), response=Answer[AccountOut], by_alias=True,
    summary="Change an account",
)  # fmt: skip
def change_account(request: OrgRequest, account_id: UUID, body: AccountPatch) -> dict[str, Any]:
    """With ``eventId`` the account becomes a target of that show if it is none yet."""
    account, event = find_account(request, account_id), find_event(request, body.event_id)
    given, target_given = _given(body, services.EDITABLE), _given(body, TARGET_FIELDS)
    if body.assigned_to:
        (target_given if event else given)["owner"] = find_owner(request, body.assigned_to)
    if event is None and (target_given or body.stands is not None):
        raise HttpError(422, "Tier, status, stage and stands belong to a show: send eventId with them.")
    services.update_account(account, actor=request.user, fields=given)
    if body.tags is not None:
        services.set_tags(account, names=body.tags)
    if event:
        target = services.target_account(account, event=event, actor=request.user, fields=target_given)
        if body.stands is not None:
            services.set_stands(target, stands=[(stand.hall, stand.number) for stand in body.stands])
    return {"data": _describe(find_account(request, account_id), event)}


@router.delete(
    "/{account_id}", auth=member(Scope.WRITE, role=Role.MANAGER), response={204: None}, summary="Delete an account"
)
def delete_account(request: OrgRequest, account_id: UUID) -> Status[None]:
    """Its people, messages and meetings go with it."""
    services.delete_account(find_account(request, account_id), actor=request.user)
    return Status(204, None)


@tags.get("", auth=member(Scope.READ), response=Answer[list[TagOut]], by_alias=True, summary="The tags in use")
def list_tags(request: OrgRequest) -> dict[str, Any]:
    return {"data": list(Tag.objects.for_org(request.organization)[:1_000])}


def find_account(request: OrgRequest, account_id: UUID) -> Account:
    """The account, or 404 ``Account not found``."""
    account = Account.objects.for_org(request.organization).prefetch_related("tags").filter(pk=account_id).first()
    if account is None:
        raise HttpError(404, "Account not found")
    return account


def find_event(request: OrgRequest, event_id: UUID | None) -> Event | None:
    """The show, None without an id, or 404 ``Event not found``."""
    if event_id is None:
        return None
    event = Event.objects.for_org(request.organization).filter(pk=event_id).first()
    if event is None:
        raise HttpError(404, "Event not found")
    return event


def find_owner(request: OrgRequest, user_id: UUID | None) -> User | None:
    """The member of this id, None without one; 422 for anybody else."""
    if user_id is None:
        return None
    user = User.objects.filter(pk=user_id).first()
    try:
        check_member(request.organization.pk, user)
    except NotAMember as error:
        raise HttpError(422, str(error)) from error
    if user is None:
        raise HttpError(422, "assignedTo names no member of this organization.")
    return user


def _given(body: AccountFields, names: tuple[str, ...]) -> dict[str, Any]:
    return {n: value for n, value in body.dict(exclude_unset=True).items() if n in names and value is not None}


def _describe(account: Account, event: Event | None) -> dict[str, Any]:
    target = None
    if event:
        targets = TargetAccount.objects.for_org(account.organization_id).at(event)
        target = targets.filter(account=account).prefetch_related("stands").first()
    return account_out(account, target)
