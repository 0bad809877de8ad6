"""Row-level security for tenant tables, as a migration operation.

Put ``ProtectTenantTables()`` last in every migration that adds a tenant model or a ``TenantForeignKey``. It may run
any number of times; a test reads the catalogue and fails on a table it has not seen.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from common.models import TenantForeignKey

ORGANIZATION_SETTING = "app.organization_id"
SYSTEM_ROLE = "eventops_system"
CURRENT_ORGANIZATION_SQL = f"(SELECT nullif(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid)"


def protect_table_sql(table: str, column: str = "organization_id") -> list[str]:
    """The statements that switch row-level security on for ``table``, whose organization is named by ``column``."""
    mine = f"{column} = {CURRENT_ORGANIZATION_SQL}"
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'DROP POLICY IF EXISTS organization ON "{table}"',
        f'CREATE POLICY organization ON "{table}" USING ({mine}) WITH CHECK ({mine})',
        f'DROP POLICY IF EXISTS system ON "{table}"',
        f'CREATE POLICY system ON "{table}" TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)',
    ]


def tenant_foreign_keys(model: type[models.Model]) -> list[TenantForeignKey[Any, Any]]:
    """The foreign keys of ``model`` that must stay inside one organization; history tables keep none."""
    fields = model._meta.local_fields
    if any(field.name == "pgh_id" for field in fields):
        return []
    return [field for field in fields if isinstance(field, TenantForeignKey)]


def is_tenant_model(model: type[models.Model]) -> bool:
    return any(field.name == "organization" for field in model._meta.local_fields) and model._meta.managed


def _add_constraint_sql(table: str, name: str, definition: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}' "
        f"AND conrelid = '\"{table}\"'::regclass) THEN "
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}; END IF; END $$'
    )


class ProtectTenantTables(Operation):
    """Force row-level security and composite foreign keys on all tenant tables of the app."""

    reversible = True
    reduces_to_sql = True
    elidable = False

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        apps: Apps = to_state.apps
        for model in apps.get_app_config(app_label).get_models(include_auto_created=True):
            if not is_tenant_model(model):
                continue
            for statement in protect_table_sql(model._meta.db_table):
                schema_editor.execute(statement)
            # The policy compares with a value the planner cannot know, so it would divide every estimate by the number
            # of organizations, once per table of a join, and choose plans for far too few rows.
            schema_editor.execute(
                f'ALTER TABLE "{model._meta.db_table}" ALTER COLUMN organization_id SET (n_distinct = 1)'
            )
            for field in tenant_foreign_keys(model):
                self._tie(schema_editor, model._meta.db_table, field)

    def _tie(
        self,
        schema_editor: BaseDatabaseSchemaEditor,
        table: str,
        field: TenantForeignKey[Any, Any],
    ) -> None:
        target = field.related_model._meta.db_table
        schema_editor.execute(_add_constraint_sql(target, f"{target}_same_org", "UNIQUE (organization_id, id)"))
        schema_editor.execute(
            _add_constraint_sql(
                table,
                f"{table}_{field.column}_same_org"[:63],
                f'FOREIGN KEY (organization_id, "{field.column}") REFERENCES "{target}" (organization_id, id) '
                "DEFERRABLE INITIALLY DEFERRED",
            )
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        """Nothing: the protection goes with the tables, and must not go before them."""

    def describe(self) -> str:
        return "Force row-level security and same-organization foreign keys"
