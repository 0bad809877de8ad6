"""The shapes every API answer is made of (API-01, X28): a problem, a page of rows, and a wrapped result.

Where a requirement shows a bare body, an endpoint answers with that; everywhere else with one of these.
"""

from typing import Any, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field

T = TypeVar("T")


class FieldProblem(Schema):
    """What is wrong with one value. ``loc`` is the way to it: where it was sent, then the field."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"example": {"type": "missing", "loc": ["body", "name"], "msg": "Field required"}},
    )

    loc: list[str | int]
    msg: str
    type: str


class Problem(Schema):
    """Any error (RFC 9457, ``application/problem+json``)."""

    type: str = Field("about:blank", description="What kind of problem; `about:blank` when the status says it all.")
    title: str = Field(description="What happened and what to do, in words that may be shown to a person.")
    status: int
    success: bool = False
    error: str = Field(description="The same as `title`.")
    errors: list[FieldProblem] | None = Field(None, description="For 422: one entry per value that is not valid.")


class Answer(Schema, Generic[T]):
    """A result: `{"success": true, "data": ...}`."""

    success: bool = True
    data: T


class Paginated(Schema, Generic[T]):
    """One page of rows. Follow `nextCursor` to the next; `page` counts only where pages have numbers."""

    items: list[T]
    total: int
    page: int = 1
    pageSize: int  # noqa: N815 - the names callers know
    hasMore: bool  # noqa: N815
    nextCursor: str = ""  # noqa: N815


def paginated(items: list[Any], *, total: int, page_size: int, next_cursor: str = "", page: int = 1) -> dict[str, Any]:
    """The body of ``Paginated`` for a keyset page."""
    return {
        "items": items,
        "total": total,
        "page": page,
        "pageSize": page_size,
        "hasMore": bool(next_cursor),
        "nextCursor": next_cursor,
    }
