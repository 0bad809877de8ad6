import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def variables_read() -> set[str]:
    settings = (ROOT / "eventops" / "settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*f?"([^"]+)"', settings))
    names |= set(re.findall(r"environ\.get\(['\"](\w+)['\"]", (ROOT / "gunicorn.conf.py").read_text()))
    for name in ("docker-compose.yml", "docker/entrypoint.sh"):
        names |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / name).read_text()))
    providers = ("GOOGLE", "MICROSOFT")
    return {name.replace("{name.upper()}", provider) for name in names for provider in providers}


def test_example_lists_exactly_the_variables_that_are_read():
    example = (ROOT / ".env.example").read_text()

    listed = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)

    assert sorted(listed) == sorted(variables_read())


def test_compose_file_runs_every_process_of_the_entrypoint():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())

    commands = {name: service.get("command") for name, service in compose["services"].items()}

    assert {name: commands[name] for name in ("migrate", "web", "worker", "beat")} == {
        "migrate": ["migrate"],
        "web": ["web"],
        "worker": ["worker"],
        "beat": ["beat"],
    }
    assert set(compose["services"]) == {"postgres", "valkey", "migrate", "web", "worker", "beat"}
    assert all("restart" in service for service in compose["services"].values())


def test_image_leaves_out_what_production_must_not_have():
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    kept = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}

    assert lines[1] == "*"
    assert kept.isdisjoint({"sandbox", "tests", "bench", "devstack", ".env", ".git"})
