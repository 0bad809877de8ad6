"""A few made-up requests per operation: no answer is a fault, and every answer is one the description promises."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eventops.api import api
from identity.apiauth import Scope
from identity.models import Organization, User
from tests.api.test_errors import bearer
from tests.tenancy.rows import fill

EXAMPLES = 5
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LEFT_OUT = {("POST", "/api/auth/signin"): "limited, and hashing a password is slow on purpose"}


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """What Django's own test client does: the end of a request does not end the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def described(db: None, _one_connection: None) -> Any:
    return _described()


@cache
def _described() -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", WSGIHandler())


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(set(api.operations) - set(LEFT_OUT)), ids=" ".join)
def test_made_up_requests_get_promised_answers(
    key: tuple[str, str], described: Any, organization: Organization, event: object, owner: User
) -> None:
    fill(organization)
    headers = bearer(owner, organization, *Scope)
    method, path = key
    operation = described[path][method]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    ask()
