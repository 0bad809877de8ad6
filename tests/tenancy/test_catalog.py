"""What PostgreSQL itself says about the protection of every table. A new table without it fails here."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from common.models import TenantForeignKey
from common.tenancy import SYSTEM_ROLE, is_tenant_model, tenant_foreign_keys
from identity.models import Organization
from tests.tenancy.rows import history_models

pytestmark = pytest.mark.django_db

OURS = {
    "accounts", "activities", "analytics", "events", "identity", "integrations", "meetings", "outreach", "people", "research",
    "sequences",
}  # fmt: skip
SHARED = {
    "identity_user": "a person may belong to several organizations",
    "identity_user_groups": "permissions of the admin",
    "identity_user_user_permissions": "permissions of the admin",
    "identity_organization": "protected by its own id",
    "outreach_installation": "one row about the whole installation",
}
"""Tables of ours without an organization column, and why."""


def query(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def tenant_tables() -> set[str]:
    found = query(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped"
    )
    return {name for (name,) in found} | {"identity_organization"}


def test_every_table_of_ours_names_its_organization() -> None:
    tables = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS
    }
    managed = {table for (table,) in query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    assert (tables & managed) - tenant_tables() - set(SHARED) == set()


def test_every_tenant_table_forces_row_level_security() -> None:
    found = query(
        "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relrowsecurity AND relforcerowsecurity",
        [sorted(tenant_tables())],
    )

    assert {name for (name,) in found} == tenant_tables()


def test_every_tenant_table_has_exactly_the_two_policies() -> None:
    found = query(
        "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public'"
    )
    wrong = [row for row in found if not _is_expected(*row)]

    names = {(table, policy) for table, policy, *_ in found}
    assert wrong == []
    assert names == {(table, policy) for table in tenant_tables() for policy in ("organization", "system")}


def _is_expected(table: str, policy: str, permissive: str, roles: list[str], cmd: str, qual: str, check: str) -> bool:
    if policy == "system":
        return (permissive, roles, cmd, qual, check) == ("PERMISSIVE", [SYSTEM_ROLE], "ALL", "true", "true")
    column = "id" if table == "identity_organization" else "organization_id"
    setting = "NULLIF(current_setting('app.organization_id'::text, true), ''::text)"
    expected = f'({column} = ( SELECT ({setting})::uuid AS "nullif"))'
    return (permissive, roles, cmd, _plain(qual), _plain(check)) == (
        "PERMISSIVE", ["public"], "ALL", _plain(expected), _plain(expected)
    )  # fmt: skip


def _plain(sql: str) -> str:
    return "".join(sql.split())


def test_every_foreign_key_between_tenant_rows_stays_inside_the_organization() -> None:
    found = query(
        "SELECT conrelid::regclass::text, confrelid::regclass::text, pg_get_constraintdef(oid), convalidated"
        " FROM pg_constraint WHERE contype = 'f' AND array_length(conkey, 1) = 2"
    )
    held = {(source, definition.split("REFERENCES")[0].strip()) for source, _, definition, valid in found if valid}
    wanted = {
        (model._meta.db_table, f"FOREIGN KEY (organization_id, {field.column})")
        for model in apps.get_models()
        if is_tenant_model(model)
        for field in tenant_foreign_keys(model)
    }

    assert wanted - held == set()


def test_no_tenant_row_points_to_another_by_a_plain_foreign_key() -> None:
    plain = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if is_tenant_model(model) and model not in history_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and not isinstance(field, TenantForeignKey)
        if field.related_model is not Organization and is_tenant_model(field.related_model)
    }

    assert plain == set()


def test_every_history_table_is_protected() -> None:
    assert {model._meta.db_table for model in history_models()} - tenant_tables() == set()


def test_the_application_role_has_no_shortcut() -> None:
    [row] = query(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, pg_has_role(session_user, %s, 'USAGE'),"
        " pg_has_role(session_user, %s, 'SET') FROM pg_roles WHERE rolname = session_user",
        [SYSTEM_ROLE, SYSTEM_ROLE],
    )
    [system] = query("SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = %s", [SYSTEM_ROLE])

    assert row == (False, False, False, False, True)
    assert system == (False, False, False)


def test_no_view_passes_the_protection_by() -> None:
    """A view reads as its owner: it must read as the asker, or filter behind a barrier."""
    found = query(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
        " AND NOT coalesce(reloptions && ARRAY['security_invoker=true', 'security_barrier=true'], false)"
    )

    assert found == []


def test_a_barrier_view_filters_by_the_scope() -> None:
    found = query(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
        " AND reloptions && ARRAY['security_barrier=true'] AND NOT reloptions && ARRAY['security_invoker=true']"
        " AND pg_get_viewdef(oid) NOT LIKE '%%app.organization_id%%'"
    )

    assert found == []


def test_materialized_views_belong_to_the_system() -> None:
    found = query(
        "SELECT relname FROM pg_class WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace"
        " AND relowner <> %s::regrole",
        [SYSTEM_ROLE],
    )

    assert found == []


def test_functions_that_run_as_their_owner_ask_for_the_scope() -> None:
    found = query(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        " AND (prosrc NOT LIKE '%%app.organization_id%%' OR proconfig IS NULL OR"
        " NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search_path=%%'))"
    )

    assert found == []
