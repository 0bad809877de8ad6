"""Fold the rows of differences into one settled row per key. No sum changes, so it may run at any time, or not at all."""

from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

from analytics import cache
from analytics.models import AccountTally, MessageTally, PeopleTally, Tally
from identity.scope import system_scope

BATCH = 50_000


@dataclass(frozen=True)
class _Shape:
    model: type[Tally]
    keys: tuple[str, ...]
    sums: tuple[str, ...]


SHAPES = (
    _Shape(MessageTally, ("organization_id", "event_id", "day", "status"), ("messages", "delivered", "opened")),
    _Shape(
        AccountTally,
        ("organization_id", "event_id", "account_id"),
        ("targets", "messages", "sent", "delivered", "opened", "replied", "meetings", "booked", "held"),
    ),
    _Shape(PeopleTally, ("organization_id", "account_id"), ("people",)),
)


def fold(*, batch: int = BATCH) -> int:
    """Fold everything there is, ``batch`` rows per transaction; the number of rows of differences that went away.

    One fold at a time: a second one returns 0 at once. Figures that were remembered before are old afterwards: a
    change nobody announced is seen on the dashboard from here on.
    """
    return sum(_fold_all(shape, batch) for shape in SHAPES)


def _fold_all(shape: _Shape, batch: int) -> int:
    total = 0
    while True:
        folded = _fold_batch(shape, batch)
        total += folded
        if folded < batch:
            return total


def _fold_batch(shape: _Shape, batch: int) -> int:
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"fold {shape.model._meta.db_table}"]
        )
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_sql(shape), [batch])
        folded, organization_ids = cursor.fetchone()
        for organization_id in organization_ids:
            transaction.on_commit(partial(cache.bump, organization_id))
        return int(folded)


def _sql(shape: _Shape) -> str:
    table, keys, sums = shape.model._meta.db_table, ", ".join(shape.keys), ", ".join(shape.sums)
    totals = ", ".join(f"sum({name}) AS {name}" for name in shape.sums)
    added = ", ".join(f"{name} = kept.{name} + EXCLUDED.{name}" for name in shape.sums)
    changed = " OR ".join(f"sum({name}) <> 0" for name in shape.sums)
    return f"""
        WITH picked AS (SELECT id FROM {table} WHERE NOT settled ORDER BY id LIMIT %s),
        gone AS (DELETE FROM {table} WHERE id IN (SELECT id FROM picked) RETURNING {keys}, {sums}),
        kept AS (
            INSERT INTO {table} AS kept ({keys}, settled, {sums})
            SELECT {keys}, true, {totals} FROM gone GROUP BY {keys} HAVING {changed}
            ON CONFLICT ({keys}) WHERE settled DO UPDATE SET {added}
        )
        SELECT count(*), coalesce(array_agg(DISTINCT organization_id), '{{}}') FROM gone
    """  # noqa: S608 - names of our own tables and columns


def tidy() -> None:
    """Drop settled rows that count nothing any more, and rows of organizations that are gone."""
    with system_scope(), transaction.atomic(), connection.cursor() as cursor:
        for shape in SHAPES:
            table, nothing = shape.model._meta.db_table, " AND ".join(f"{name} = 0" for name in shape.sums)
            cursor.execute(f"DELETE FROM {table} WHERE settled AND {nothing}")  # noqa: S608 - as above
            cursor.execute(
                f"DELETE FROM {table} t WHERE NOT EXISTS "  # noqa: S608 - as above
                "(SELECT FROM identity_organization o WHERE o.id = t.organization_id)"
            )
