"""A check or a run can be stopped; what is in stays in, and the rest can follow later."""

from collections.abc import Callable

import pytest
from django.test import Client

from identity.models import Organization, User
from identity.scope import org_scope
from people import import_services as services
from people.import_models import ListImport
from people.importing import mapping, running
from people.models import Person
from tests.people.importing.helpers import begin, bring_in, counts, csv_bytes

ClientFor = Callable[[User], Client]
ROWS = [["Company", "Name", "E-mail"], *([f"Firm {n // 2}", f"Ada Nr{n}", f"a{n}@firm{n // 2}.com"] for n in range(10))]


def _started(organization: Organization) -> ListImport:
    started = begin(organization, csv_bytes(ROWS))
    with org_scope(organization.pk):
        columns = mapping.from_json(started.headers, started.mapping)
        services.set_columns(started, columns, mode="both", event=None)
        services.run(started, ring=False)
    return started


def _reload(list_import: ListImport) -> ListImport:
    with org_scope(list_import.organization_id):
        list_import.refresh_from_db()
    return list_import


def _half_way(list_import: ListImport) -> None:
    while not _reload(list_import).rows_settled:
        running.work(list_import.pk, budget_seconds=-1)


def test_a_stopped_run_keeps_what_is_in_and_goes_on_later(
    client_for: ClientFor, rep: User, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK_ROWS", 4)
    started = _started(organization)
    _half_way(started)
    client = client_for(rep)

    stopped = client.post(f"/import/{started.pk}/stop/", follow=True).content.decode()
    assert running.work(started.pk)
    assert (_reload(started).status, started.rows_settled) == ("stopped", 4)
    again = client.post(f"/import/{started.pk}/run/")
    assert running.work(started.pk)

    assert "4 of 10 rows are settled" in stopped
    assert "Go on with the import" in stopped
    assert again["Location"] == f"/import/{started.pk}/result/"
    assert (_reload(started).status, counts(started)) == ("finished", (10, 10, 0, 0, 0))
    with org_scope(organization.pk):
        assert Person.objects.count() == 10


def test_a_stopped_check_is_a_draft_again(client_for: ClientFor, rep: User, organization: Organization) -> None:
    started = begin(organization, csv_bytes(ROWS))
    with org_scope(organization.pk):
        services.check(started, ring=False)
    client = client_for(rep)

    answer = client.post(f"/import/{started.pk}/stop/", follow=True)

    assert answer.redirect_chain[-1][0] == f"/import/{started.pk}/columns/"
    assert running.work(started.pk)
    assert _reload(started).status == "draft"


def test_a_program_stops_an_import_once(client_for: ClientFor, rep: User, organization: Organization) -> None:
    started = _started(organization)
    client = client_for(rep)

    first = client.post(f"/api/imports/{started.pk}/stop")
    second = client.post(f"/api/imports/{started.pk}/stop")

    assert (first.status_code, first.json()["status"]) == (200, "stopped")
    assert (second.status_code, second.json()["title"]) == (
        409,
        "This import is not at work, so there is nothing to stop.",
    )


def test_a_finished_import_cannot_be_stopped(client_for: ClientFor, rep: User, organization: Organization) -> None:
    done = bring_in(organization, ROWS)

    client_for(rep).post(f"/import/{done.pk}/stop/")

    assert _reload(done).status == "finished"
