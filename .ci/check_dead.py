"""Fail on dead code: what vulture finds unused and no template, setting or string names either.

Tests do not count as use, except of the sandbox, which is there for them.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import vulture

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ("tests/", "docs/", ".ci/")
DECORATORS = [
    "@register*", "@receiver*", "@*.connect", "@shared_task*", "@*.get", "@*.post", "@*.patch", "@*.put", "@*.delete",
    "@api.*", "@bench*", "@admin.*", "@*.register*",
    "@property", "@override", "@*validator*", "@*.exception_handler*", "@pgtrigger*", "@pghistory*",
]  # fmt: skip
# Called by Django, Celery, allauth, ninja or the standard library, by name.
NAMES = [
    "*Config", "Command", "Meta", "Migration", "*Admin", "*Adapter", "*Middleware", "handle", "add_arguments", "ready", "clean*",
    "save", "delete", "get_queryset", "get_absolute_url", "get_by_natural_key", "get_full_name", "get_short_name",
    "create_superuser", "create_user", "deconstruct", "formfield", "from_db_value", "get_prep_value", "to_python", "describe",
    "as_sql", "get_prep_lookup", "get_openapi_schema", "pre_fork",
    "worker_exit", "writable", "get_fields", "get_readonly_fields", "prepare_value",
    "state_forwards", "database_forwards", "database_backwards", "references_model", "do_*", "log_message", "resolve_*",
    "has_*_permission", "get_*_display", "allow_request", "authenticate", "is_open_for_signup", "send_mail", "open", "close",
    "__*__", "_*", "tick", "render*", "label_from_instance", "valid_value", "get_context", "optgroups", "value_from_datadict",
]  # fmt: skip
SHOWN = {"function", "class", "method", "property", "unreachable_code"}


def main() -> int:
    """Print what is dead; 1 when there is something."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    names = [name for name in listing.split("\0") if name and not name.startswith(BESIDE) and (ROOT / name).is_file()]
    sources = [ROOT / name for name in names if name.endswith(".py") and "/migrations/" not in name]
    texts = [
        ROOT / name for name in names if name.endswith((".py", ".html", ".txt", ".toml")) and "requirements" not in name
    ]
    tests = [ROOT / name for name in listing.split("\0") if name.startswith("tests/") and name.endswith(".py")]
    words = Counter(word for path in texts for word in re.findall(r"\w+", path.read_text()))
    tested = {word for path in tests if path.is_file() for word in re.findall(r"\w+", path.read_text())}
    finder = vulture.Vulture(ignore_names=NAMES, ignore_decorators=DECORATORS)
    finder.scavenge([str(path) for path in sources])
    dead = [
        item
        for item in finder.get_unused_code(min_confidence=60)
        if item.typ in SHOWN
        and (item.confidence == 100 or words[item.name] < 2)
        and not (Path(item.filename).is_relative_to(ROOT / "sandbox") and item.name in tested)
    ]
    for item in dead:
        print(f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno}: unused {item.typ} {item.name!r}")
    print(f"{len(sources)} modules, {len(dead)} dead" if dead else f"{len(sources)} modules, nothing dead")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
