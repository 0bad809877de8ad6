"""Everything that can stand on a timeline is announced by somebody (SEC-14)."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from common.happenings import Kind

PRODUCT = [
    "accounts", "activities", "analytics", "events", "identity", "integrations", "meetings", "outreach", "people", "research",
    "sequences",
]  # fmt: skip
NOT_YET = {
    Kind.OUTREACH_DELIVERED: "delivery is a state of the message; a timeline entry per delivery would drown the others",
}
"""Kinds that nothing announces, and why they stand in the list."""

FIXED = [
    "ACCOUNT_CREATED", "ACCOUNT_UPDATED", "PERSON_CREATED", "PERSON_UPDATED", "OUTREACH_SENT", "MEETING_SCHEDULED",
    "MEETING_COMPLETED", "SCORE_UPDATED",
]  # fmt: skip


def named_in(path: Path) -> set[str]:
    """The members of ``Kind`` that a file of the product names."""
    tree = ast.parse(path.read_text())
    imports = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "common.happenings"
        for alias in node.names
    }
    if "Kind" not in imports:
        return set()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Kind"
    }


def test_every_kind_is_announced_by_somebody() -> None:
    files = [
        path for app in PRODUCT for path in (settings.BASE_DIR / app).rglob("*.py") if "migrations" not in path.parts
    ]
    announced = {name for path in files for name in named_in(path)}

    silent = {kind for kind in Kind if kind.name not in announced}

    assert silent == set(NOT_YET)


@pytest.mark.parametrize("name", FIXED)
def test_the_eight_fixed_types_keep_their_names(name: str) -> None:
    assert Kind[name].value == name
