"""The tools beside the product: the committed-file check and the benches' registry."""

import json
import runpy
import subprocess
from pathlib import Path

import pytest

from bench import registry

ROOT = Path(__file__).resolve().parent.parent.parent
INDEX = "https://" + "pypi.example/simple/"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "check_committed.py").write_text((ROOT / ".ci" / "check_committed.py").read_text())
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def found(repository: Path) -> list[str]:
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    check = runpy.run_path(str(repository / ".ci" / "check_committed.py"))
    names = subprocess.run(
        ["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.split()
    return [line for name in names for line in check["findings"](repository / name)]


def test_a_clean_repository_passes(repository):
    (repository / "settings.py").write_text('REDIS_URL = "redis://localhost:6379/0"\n')

    assert found(repository) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"--extra-index-url {INDEX}", "a package index"),
        ("path = '/home/" + "anna/project'", "a private path"),
        ("key = 'AKIA" + "ABCDEFGHIJKLMNOP'", "an AWS key"),
        ("SENDGRID_API_KEY=SG." + "a" * 22 + "." + "b" * 43, "a SendGrid key"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "a private key"),
        ("DATABASE_URL=postgresql://eventops:" + "q8Zt2mPw7Lx4@db.internal/eventops", "a password in an address"),
    ],
)
def test_what_must_not_be_committed_is_found(repository, text, what):
    (repository / "file.txt").write_text(f"first line\n{text}\n")

    assert found(repository) == [f"file.txt:2: {what}"]


def test_a_figure_prints_as_one_json_line():
    line = registry.Figure("list_people_p95_ms", 41.23456, "ms").as_json()

    assert json.loads(line) == {"name": "list_people_p95_ms", "value": 41.235, "unit": "ms"}


def test_p95_is_the_nearest_rank():
    assert registry.p95([float(number) for number in range(1, 101)]) == 95.0
    assert registry.p95([7.0]) == 7.0


def test_stopwatch_stops_at_the_end_of_its_block():
    with registry.stopwatch() as seconds:
        pass

    assert seconds() == seconds()
