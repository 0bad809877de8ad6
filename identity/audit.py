"""Who is changing rows now. ``identity.scope`` tells the database, and the history triggers write it down.

Only the id of a person, or the name of a task, is ever told: every organization can read the context table.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from celery.signals import task_postrun, task_prerun
from django.http import HttpRequest, HttpResponseBase

from common.ids import uuid7

Actor = tuple[UUID, str]
"""The id under which the changes of one request or task are kept together, and what is known of it, as JSON."""

_actor: ContextVar[Actor | None] = ContextVar("audit_actor", default=None)


def current_actor() -> Actor | None:
    return _actor.get()


def acting_as(user_id: Any) -> None:
    """From here to the end of the request, changes are this person's."""
    _set(user=str(user_id))


@contextmanager
def working_on(**subject: str) -> Iterator[None]:
    """Within the block changes are known to belong to ``subject``, whoever makes them."""
    before = _actor.get()
    known = json.loads(before[1]) if before else {}
    token = _actor.set((uuid7(), json.dumps({**known, **subject})))
    try:
        yield
    finally:
        _actor.reset(token)


def _set(**known: str) -> None:
    _actor.set((uuid7(), json.dumps(known)))


def forget_actor_after_request(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a thread serves many people, one after the other."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = _actor.set(None)
        try:
            return get_response(request)
        finally:
            _actor.reset(token)

    return middleware


@task_prerun.connect(dispatch_uid="identity.audit.begin")
def _begin_task(task: Any, **_: Any) -> None:
    _set(task=f"system:{task.name}")


@task_postrun.connect(dispatch_uid="identity.audit.end")
def _end_task(**_: Any) -> None:
    _actor.set(None)
