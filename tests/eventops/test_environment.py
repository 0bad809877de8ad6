import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def variables_read() -> set[str]:
    settings = (ROOT / "eventops" / "settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*f?"([^"]+)"', settings))
    names |= set(re.findall(r"environ\.get\(['\"](\w+)['\"]", (ROOT / "gunicorn.conf.py").read_text()))
    providers = ("GOOGLE", "MICROSOFT")
    return {name.replace("{name.upper()}", provider) for name in names for provider in providers}


def test_example_lists_exactly_the_variables_that_are_read():
    example = (ROOT / ".env.example").read_text()

    listed = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)

    assert sorted(listed) == sorted(variables_read())
