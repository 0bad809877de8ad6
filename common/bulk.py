"""Writing many model rows at once: ``COPY`` into a temporary table, then one statement into the real one.

``COPY`` straight into a table with row-level security is refused by Postgres, and rightly; the statement that follows
obeys the policies, the constraints and the triggers.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

FEW = 50
"""A temporary table costs more than it saves for fewer rows."""


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """``COPY`` rows into a temporary table of this transaction."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _listed(columns))
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(statement) as copy,
    ):  # the debug wrapper has no working copy()
        for row in rows:
            copy.write_row(row)


def text_array(values: Sequence[str]) -> str:
    """A Postgres array of text as ``COPY`` takes it; several times quicker than to let the driver do it."""
    if not values:
        return "{}"
    return "{" + ",".join(['"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values]) + "}"


def insert_many(objects: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert objects of one model, keys included; when a row was made is set here unless the caller did."""
    if not objects:
        return
    model = type(objects[0])
    if len(objects) < FEW:
        model._base_manager.bulk_create(objects, ignore_conflicts=ignore_conflicts)
        return
    table, fields = model._meta.db_table, [field for field in model._meta.concrete_fields if not field.generated]
    now = timezone.now()
    for field in fields:
        if isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add):
            for item in objects:
                if getattr(item, field.attname) is None:
                    setattr(item, field.attname, now)
    columns = [_column(field) for field in fields]
    with _temporary_copy(table, fields, objects) as temporary:
        _execute(
            sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {temporary}{conflict}").format(
                table=sql.Identifier(table),
                columns=_listed(columns),
                temporary=sql.Identifier(temporary),
                conflict=sql.SQL(" ON CONFLICT DO NOTHING" if ignore_conflicts else ""),
            )
        )


def update_many(objects: Sequence[models.Model], names: Iterable[str]) -> None:
    """Write the named fields of objects of one model, found by their primary key."""
    if not objects:
        return
    model = type(objects[0])
    if len(objects) < FEW:
        model._base_manager.bulk_update(objects, list(names))
        return
    fields: list[models.Field[Any, Any]] = [model._meta.pk, *(_field(model, name) for name in names)]
    with _temporary_copy(model._meta.db_table, fields, objects) as temporary:
        _execute(
            sql.SQL("UPDATE {table} t SET {assignments} FROM {temporary} n WHERE t.{key} = n.{key}").format(
                table=sql.Identifier(model._meta.db_table),
                assignments=sql.SQL(", ").join(
                    [sql.SQL("{0} = n.{0}").format(sql.Identifier(_column(field))) for field in fields[1:]]
                ),
                temporary=sql.Identifier(temporary),
                key=sql.Identifier(_column(fields[0])),
            )
        )


class _temporary_copy:  # noqa: N801 - used as a function
    """A temporary table with these fields of the objects, gone after the block."""

    def __init__(self, table: str, fields: Sequence[Any], objects: Sequence[models.Model]) -> None:
        self._table, self._fields, self._objects = table, fields, objects
        self._name = f"copy_of_{table}"[:63]

    def __enter__(self) -> str:
        columns = [field.column for field in self._fields]
        _execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                sql.Identifier(self._name),
                _listed(columns),
                sql.Identifier(self._table),
            )
        )
        plain = [(field.attname, isinstance(field, models.JSONField)) for field in self._fields]
        copy_rows(
            self._name,
            columns,
            (
                [Jsonb(getattr(item, name)) if is_json else getattr(item, name) for name, is_json in plain]
                for item in self._objects
            ),
        )
        return self._name

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            _execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(self._name)))


def _listed(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(column) for column in columns])


def _column(field: "models.Field[Any, Any]") -> str:
    assert field.column is not None  # noqa: S101 - a field without a column cannot be written
    return field.column


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 - a relation from elsewhere cannot be written
    return field


def _execute(statement: sql.Composed) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
