"""An import that is killed, over and over, ends as if it had never been; two workers at once do not double anything."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from events.models import Event
from identity.models import Organization
from identity.scope import org_scope, system_scope
from people import import_services as services
from people.import_models import ListImport
from people.importing import mapping, running, staging
from tests.factories import EventFactory, OrganizationFactory
from tests.people.importing.helpers import begin, counts, csv_bytes

ROWS = 3_000
NURSERY = """
import os
import sys
from datetime import timedelta
from uuid import UUID
import django
django.setup()
from people.importing import running, staging
running.CHUNK_ROWS = staging.CHUNK_ROWS = 250
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        while not running.work(UUID(line.strip()), lease=timedelta(seconds=0.05), budget_seconds=60):
            pass
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""
"""Loads the product once and makes a process for each worker."""


def _list() -> bytes:
    rows = [["Company", "Website", "Hall", "Stand", "First name", "Last name", "E-mail", "Tags", "Tier"]]
    for n in range(ROWS):
        company = n // 4
        email = "" if n % 50 == 0 else f"p{n % 5_900}@c{company % 1_450}.com"
        rows.append([
            f"Company {company} GmbH", f"c{company}.com", f"Hall {company % 9}", f"B{n % 7}", f"First{n}", f"Last{n}",
            email if n % 97 else "no address", "vip; new" if n % 31 == 0 else "", "A" if n % 3 else "",
        ])  # fmt: skip
    return csv_bytes(rows)


def _started(organization: Organization, event: Event) -> ListImport:
    list_import = begin(organization, _list(), event=event)
    with org_scope(organization.pk):
        columns = mapping.from_json(list_import.headers, list_import.mapping)
        services.set_columns(list_import, columns, mode="both", event=event)
        services.run(list_import, ring=False)
    return list_import


def _result(organization: Organization) -> dict[str, tuple[int, str]]:
    """Per table the number of rows and a checksum over what they say, whatever their ids."""
    queries = {
        "accounts": "SELECT name, website, domain, name_key, search_text FROM accounts_account",
        "targets": "SELECT a.name, t.tier, t.name_norm FROM accounts_targetaccount t "
        "JOIN accounts_account a ON a.id = t.account_id",
        "stands": "SELECT a.name, s.hall, s.number FROM accounts_stand s JOIN accounts_targetaccount t ON t.id = s.target_id "
        "JOIN accounts_account a ON a.id = t.account_id",
        "people": "SELECT p.name, p.email, p.search_text, a.name FROM people_person p "
        "JOIN accounts_account a ON a.id = p.account_id",
        "addresses": "SELECT p.name, e.email, e.is_primary FROM people_personemail e JOIN people_person p ON p.id = e.person_id",
        "tags": "SELECT p.name, g.name FROM people_persontag t JOIN people_person p ON p.id = t.person_id "
        "JOIN accounts_tag g ON g.id = t.tag_id",
        "timeline": "SELECT kind, summary FROM activities_activity",
        "rows": "SELECT row_no::text, outcome, reason FROM people_importrow",
    }
    found = {}
    with org_scope(organization.pk), connection.cursor() as cursor:
        for name, query in queries.items():
            cursor.execute(query)
            lines = sorted(repr(row) for row in cursor.fetchall())
            found[name] = len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return found


def _reload(list_import: ListImport) -> ListImport:
    with org_scope(list_import.organization_id):
        list_import.refresh_from_db()
    return list_import


def _stage() -> tuple[Organization, Event]:
    organization = OrganizationFactory.create()
    return organization, EventFactory.create(organization=organization)


class Nursery:
    """Makes workers, one at a time."""

    def __init__(self) -> None:
        self._process = _start_nursery()

    def start(self, import_id: UUID) -> None:
        self._process.stdin.write(f"{import_id}\n")
        self._process.stdin.flush()
        self._worker = int(self._process.stdout.readline())

    def is_busy(self) -> bool:
        try:
            os.kill(self._worker, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> bool:
        """Kill the worker, and whether there was one to kill."""
        was_busy = self.is_busy()
        with suppress(ProcessLookupError):
            os.kill(self._worker, signal.SIGKILL)
        assert self._process.stdout.readline() == "over\n"
        return was_busy

    def close(self) -> None:
        self._process.communicate(timeout=20)


def _start_nursery() -> "subprocess.Popen[str]":
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", NURSERY],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "eventops.settings"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_again_and_again_leaves_the_same_tables() -> None:
    undisturbed, killed = _stage(), _stage()
    calm, shaken = _started(*undisturbed), _started(*killed)
    assert running.work(calm.pk)
    nursery, dice, kills = Nursery(), random.Random(11), 0

    for _attempt in range(200):
        if _reload(shaken).status != "running":
            break
        nursery.start(shaken.pk)
        seen = _reload(shaken).rows_done, shaken.phase
        deadline = time.monotonic() + 60
        while nursery.is_busy() and seen == (_reload(shaken).rows_done, shaken.phase) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(dice.random() * 0.12)
        kills += nursery.kill()
    nursery.close()

    assert kills >= 5
    assert counts(shaken) == counts(_reload(calm))
    assert _result(killed[0]) == _result(undisturbed[0])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_without_a_lease_between_them_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK_ROWS", 250)
    monkeypatch.setattr(staging, "CHUNK_ROWS", 250)
    alone, together = _stage(), _stage()
    calm, shared = _started(*alone), _started(*together)
    assert running.work(calm.pk)

    def work() -> None:
        try:
            for _ in range(30):
                running.work(shared.pk, lease=timedelta(0), budget_seconds=0.01)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running.work(shared.pk)

    assert counts(_reload(shared)) == counts(_reload(calm))
    assert _result(together[0]) == _result(alone[0])


def test_a_second_worker_leaves_while_the_first_holds_the_lease(organization: Organization, event: Event) -> None:
    started = _started(organization, event)
    with system_scope():
        ListImport.objects.filter(pk=started.pk).update(worker=started.pk, leased_until="2999-01-01T00:00:00Z")

    assert running.work(started.pk)

    assert (_reload(started).status, started.rows_done) == ("running", 0)
    assert started.pk not in running.waiting()


def test_the_sweep_finds_an_import_whose_worker_died(organization: Organization, event: Event) -> None:
    started = _started(organization, event)
    with system_scope():
        ListImport.objects.filter(pk=started.pk).update(worker=started.pk, leased_until="2020-01-01T00:00:00Z")

    assert running.waiting() == [started.pk]
