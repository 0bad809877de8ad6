"""Endpoints for the people who run EventOps."""

from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from redis import RedisError

from common.redis import NotConfigured, get_client
from identity.apiauth import Scope, member

router = Router(tags=["Operations"])


class RedisQuestion(Schema):
    """What to ask Redis."""

    action: Literal["ping"]


class RedisAnswer(Schema):
    """What Redis answered."""

    status: Literal["success"]
    result: str


@router.post("/test-redis", auth=member(Scope.ADMIN), response=RedisAnswer, summary="Ask Redis for a sign of life")
def test_redis(request: HttpRequest, question: RedisQuestion) -> dict[str, str]:
    """Answers ``PONG`` when Redis does; 503 when it is not configured or does not answer."""
    try:
        alive = get_client().ping()
    except NotConfigured as error:
        raise HttpError(503, "Redis is not configured: set REDIS_URL.") from error
    except RedisError as error:
        raise HttpError(503, "Redis does not answer.") from error
    return {"status": "success", "result": "PONG" if alive else str(alive)}
