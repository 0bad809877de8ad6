"""Twenty thousand questions without the application's own filter: not one row of another organization."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, models, transaction

from common.models import TenantForeignKey
from identity.models import Organization
from identity.scope import org_scope, system_scope
from tests.factories import OrganizationFactory
from tests.tenancy.rows import fill, history_models, tenant_models

QUESTIONS = 20_000
CHANGES = 400


@dataclass(frozen=True)
class Link:
    """One foreign key between two tenant tables."""

    source: str
    column: str
    target: str


@pytest.fixture
def two(db: None) -> tuple[Organization, Organization]:
    mine, foreign = OrganizationFactory.create(), OrganizationFactory.create()
    fill(mine)
    fill(foreign)
    return mine, foreign


def models_with_rows() -> list[type[models.Model]]:
    return [*tenant_models(), *history_models()]


def links() -> list[Link]:
    return [
        Link(model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in tenant_models()
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey)
    ]


def test_the_stage_is_set_with_rows_of_both(two: tuple[Organization, Organization]) -> None:
    with system_scope():
        empty = {
            (model._meta.label, organization.name)
            for model in models_with_rows()
            for organization in two
            if not model._default_manager.filter(organization_id=organization.pk).exists()
        }

    assert empty == set()


@pytest.mark.slow
def test_random_queries_see_nothing_of_others(two: tuple[Organization, Organization]) -> None:
    dice = random.Random(20261120)
    tables, ties = [m._meta.db_table for m in models_with_rows()], links()
    shapes: list[Callable[[random.Random, list[str], list[Link]], str]] = [
        plain, joined, crossed, united, with_cte, lateral, counted, negated, outer, nested,
    ]  # fmt: skip
    seen: set[UUID] = set()
    asked = 0

    mine, foreign = two
    with org_scope(mine.pk), connection.cursor() as cursor:
        for number in range(QUESTIONS):
            cursor.execute(shapes[number % len(shapes)](dice, tables, ties))
            for row in cursor.fetchall():
                seen.update(value for value in row if isinstance(value, UUID))
                asked += 1

    assert seen == {mine.pk}
    assert asked > QUESTIONS // 2
    assert foreign.pk not in seen


def test_random_changes_touch_nothing_of_others(two: tuple[Organization, Organization]) -> None:
    dice = random.Random(20261121)
    tables = [m._meta.db_table for m in models_with_rows()]
    mine, foreign = two
    touched = 0

    with org_scope(mine.pk), connection.cursor() as cursor:
        for _ in range(CHANGES):
            table = dice.choice(tables)
            statement = dice.choice(
                [
                    f"UPDATE {table} SET organization_id = organization_id WHERE organization_id <> %s",
                    f"DELETE FROM {table} WHERE organization_id <> %s",
                    f"UPDATE {table} t SET organization_id = t.organization_id FROM {table} o WHERE o.organization_id <> %s",
                    f"DELETE FROM {table} t USING {dice.choice(tables)} o WHERE o.organization_id <> %s",
                ]
            )
            cursor.execute(statement, [mine.pk])
            touched += cursor.rowcount

    with system_scope():
        left = [m._meta.label for m in models_with_rows() if not m._default_manager.filter(organization_id=foreign.pk)]
    assert (touched, left) == (0, [])


def test_no_row_can_be_given_to_another_organization(two: tuple[Organization, Organization]) -> None:
    mine, foreign = two
    passed = []

    with org_scope(mine.pk):
        for model in models_with_rows():
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(f"UPDATE {model._meta.db_table} SET organization_id = %s", [foreign.pk])
            except DatabaseError as error:
                passed += [] if "row-level security" in str(error) else [f"{model._meta.label}: {error}"]
            else:
                passed.append(model._meta.label)

    assert passed == []


# --- The shapes of questions. Each answers with organization ids and numbers only. ----------------------------------------


def plain(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    order = dice.choice(["organization_id", "organization_id DESC", "random()"])
    return f"SELECT organization_id FROM {dice.choice(tables)} ORDER BY {order} LIMIT {dice.randint(1, 20)}"


def joined(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    tie = dice.choice(ties)
    kind = dice.choice(["JOIN", "LEFT JOIN", "FULL JOIN"])
    both = f"{tie.source} a {kind} {tie.target} b ON a.{tie.column} = b.id"
    return f"SELECT a.organization_id, b.organization_id FROM {both} LIMIT 20"


def crossed(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    one, two = dice.choice(tables), dice.choice(tables)
    return f"SELECT a.organization_id, b.organization_id FROM {one} a CROSS JOIN {two} b LIMIT 20"


def united(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    how = dice.choice(["UNION", "UNION ALL"])
    return f" {how} ".join(f"SELECT organization_id FROM {dice.choice(tables)}" for _ in range(dice.randint(2, 4)))


def with_cte(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    how = dice.choice(["", "MATERIALIZED", "NOT MATERIALIZED"])
    one, two = dice.choice(tables), dice.choice(tables)
    return (
        f"WITH found AS {how} (SELECT organization_id FROM {one}) SELECT f.organization_id, t.organization_id"
        f" FROM found f JOIN {two} t ON {dice.choice(['true', 't.organization_id IS NOT NULL'])} LIMIT 20"
    )


def lateral(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    one, two = dice.choice(tables), dice.choice(tables)
    where = dice.choice(
        ["true", "b.organization_id = a.organization_id", "b.organization_id <> a.organization_id OR true"]
    )
    return (
        f"SELECT a.organization_id, x.organization_id FROM {one} a,"
        f" LATERAL (SELECT b.organization_id FROM {two} b WHERE {where} LIMIT 3) x LIMIT 20"
    )


def counted(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    return f"SELECT organization_id, count(*) FROM {dice.choice(tables)} GROUP BY ROLLUP (organization_id)"


def negated(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    one, two = dice.choice(tables), dice.choice(tables)
    return (
        f"SELECT a.organization_id FROM {one} a WHERE NOT EXISTS"
        f" (SELECT FROM {two} b WHERE b.organization_id <> a.organization_id) LIMIT 20"
    )


def outer(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    tie = dice.choice(ties)
    return (
        f"SELECT (SELECT b.organization_id FROM {tie.target} b WHERE b.id = a.{tie.column}), a.organization_id,"
        f" (SELECT max(c.organization_id::text)::uuid FROM {dice.choice(tables)} c) FROM {tie.source} a LIMIT 20"
    )


def nested(dice: random.Random, tables: list[str], ties: list[Link]) -> str:
    inner = dice.choice([plain, united, crossed])(dice, tables, ties)
    return f"SELECT * FROM ({inner}) inside" if "CROSS" not in inner else inner
