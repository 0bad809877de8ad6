"""Sending domains for programs: what the last check found, and a new one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from common.envelopes import Answer
from identity.apiauth import Scope, member
from identity.web import OrgRequest
from outreach.models import SendingDomain
from outreach.services import domains as services

router = Router(tags=["Domains"])


class RecordOut(Schema):
    """A record as it is pasted into the settings of a DNS."""

    name: str
    type: str
    value: str


class CheckOut(Schema):
    check: str = Field(description="spf, dkim, dmarc, return_path, mx or replies.")
    state: str = Field(description="pass, warn, fail or unknown.")
    words: str = Field(description="What was found, and what to do, in plain words.")
    found: list[str]
    records: list[RecordOut] = Field(description="What to paste.")


class DomainOut(Schema):
    """``maySend``: its checks pass, or an admin has made an exception."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10",
                "domain": "nordlicht.example",
                "state": "failed",
                "maySend": False,
                "exception": "",
                "checkedAt": "2026-11-20T08:30:00Z",
                "checks": [
                    {
                        "check": "dmarc",
                        "state": "fail",
                        "words": "There is no DMARC record. Begin with this one: it only watches.",
                        "found": [],
                        "records": [
                            {
                                "name": "_dmarc.nordlicht.example",
                                "type": "TXT",
                                "value": "v=DMARC1; p=none; rua=mailto:dmarc@nordlicht.example",
                            }
                        ],
                    }
                ],
            }
        }
    )

    id: UUID
    domain: str
    state: str = Field(description="unchecked, passed or failed.")
    maySend: bool  # noqa: N815 - the API's names, here and below
    exception: str = Field(description="Why it may send though a check does not pass; empty without an exception.")
    checkedAt: datetime | None  # noqa: N815
    checks: list[CheckOut]


@router.get("", auth=member(Scope.READ), response=list[DomainOut], summary="List sending domains")
def list_domains(request: OrgRequest) -> list[dict[str, Any]]:
    return [_out(row) for row in SendingDomain.objects.for_org(request.organization).prefetch_related("overrides")]


@router.get("/{domain_id}", auth=member(Scope.READ), response=Answer[DomainOut], summary="One sending domain")
def get_domain(request: OrgRequest, domain_id: UUID) -> dict[str, Any]:
    return {"data": _out(_domain(request, domain_id))}


@router.post("/{domain_id}/check", auth=member(Scope.WRITE), response={202: Answer[DomainOut]}, summary="Check one now")
def check_domain(request: OrgRequest, domain_id: UUID) -> Status[dict[str, Any]]:
    """Asks for a check, which takes some seconds. Read the domain again until ``checkedAt`` has moved."""
    services.check_now(_domain(request, domain_id))
    return Status(202, {"data": _out(_domain(request, domain_id))})


def _domain(request: OrgRequest, pk: UUID) -> SendingDomain:
    return get_object_or_404(SendingDomain.objects.for_org(request.organization), pk=pk)


def _out(row: SendingDomain) -> dict[str, Any]:
    exception = next((one.reason for one in row.overrides.all() if one.ended_at is None), "")
    return {
        "id": row.pk, "domain": row.domain, "state": row.state, "exception": exception,
        "maySend": row.state == SendingDomain.State.PASSED or bool(exception), "checkedAt": row.checked_at,
        "checks": row.findings,
    }  # fmt: skip
