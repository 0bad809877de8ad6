"""Scopes end where they end: not in a pooled connection, not in another thread, not in a task, not after an error."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from celery import shared_task
from django.db import DataError, connection, connections

from accounts.models import Account
from identity.models import Organization
from identity.scope import current_organization_id, org_scope, system_scope
from tests.factories import AccountFactory, OrganizationFactory

THREADS, TURNS, POOL = 6, 250, 2


class Interrupted(Exception):
    """Thrown at random inside a scope."""


@shared_task(name="tests.count_accounts")
def count_accounts() -> int:
    return Account.objects.count()


def in_thread(work: Callable[[], Any]) -> Any:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001 - handed to the test
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def organizations(transactional_db: None) -> list[Organization]:
    made = [OrganizationFactory.create() for _ in range(3)]
    for organization in made:
        for _ in range(3):
            AccountFactory.create(organization=organization)
    return made


@pytest.mark.slow
def test_a_pooled_connection_never_carries_a_scope_on(
    organizations: list[Organization], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[str] = []
    turns: list[int] = []

    def visit(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(TURNS):
            try:
                wrong.extend(ask(dice, [o.pk for o in organizations]))
            except Interrupted:
                pass
            finally:
                connection.close()
            turns.append(1)

    threads = [threading.Thread(target=visit, args=(seed,)) for seed in range(THREADS)]
    with monkeypatch.context() as patch:
        pool = {"min_size": 1, "max_size": POOL, "timeout": 30}
        patch.setitem(connections.settings["default"]["OPTIONS"], "pool", pool)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        in_thread(lambda: connection.close_pool())

    assert (wrong, len(turns)) == ([], THREADS * TURNS)


def ask(dice: random.Random, ids: list[UUID]) -> list[str]:
    """One visit of a random kind, possibly interrupted; whatever it saw that it should not have."""
    kind, mine, other = (
        dice.choice(["none", "one", "nested", "system", "raise_inside"]),
        dice.choice(ids),
        dice.choice(ids),
    )
    if kind == "none":
        return [f"{a} without a scope" for a in seen()]
    if kind == "system":
        with system_scope():
            if dice.random() < 0.3:
                raise Interrupted
            found = seen()
        return [] if len(found) == len(ids) else [f"the system saw {found}"]
    wrong = []
    with org_scope(mine):
        wrong += [f"{a} in {mine}" for a in seen() - {mine}]
        if kind == "nested":
            try:
                with org_scope(other):
                    wrong += [f"{a} in inner {other}" for a in seen() - {other}]
                    if dice.random() < 0.5:
                        raise Interrupted
            except Interrupted:
                pass
            wrong += [f"{a} after inner {other}" for a in seen() - {mine}]
        if kind == "raise_inside":
            raise Interrupted
    return wrong + [f"{a} after {mine}" for a in seen()]


def seen() -> set[UUID]:
    return set(Account.objects.values_list("organization_id", flat=True))


def test_a_database_error_ends_the_scope(organizations: list[Organization]) -> None:
    def work() -> tuple[int, UUID | None]:
        with suppress(DataError), org_scope(organizations[0].pk), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return Account.objects.count(), current_organization_id()

    assert in_thread(work) == (0, None)


def test_a_thread_does_not_inherit_the_scope(organizations: list[Organization]) -> None:
    with org_scope(organizations[0].pk):
        inside = Account.objects.count()
        beside = in_thread(Account.objects.count)

    assert (inside, beside) == (3, 0)


def test_a_background_task_does_not_inherit_the_scope(organizations: list[Organization]) -> None:
    with org_scope(organizations[0].pk):
        found = in_thread(lambda: count_accounts.apply().get())

    assert found == 0


def test_the_setting_of_a_session_is_not_enough(organizations: list[Organization]) -> None:
    """``set_config(..., false)`` would outlive the transaction: nothing of ours uses it, and a scope overrules it."""

    def work() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.organization_id', %s, false)", [str(organizations[0].pk)])
        with org_scope(organizations[1].pk):
            ids = seen()
        return [len(ids), int(organizations[1].pk in ids)]

    assert in_thread(work) == [1, 1]
