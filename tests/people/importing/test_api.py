from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Account
from identity.models import Organization, User
from identity.scope import org_scope
from people.importing import running


def _file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", content)


def test_a_program_sends_checks_and_runs_a_list(
    client_for: Callable[[User], Client], rep: User, organization: Organization
) -> None:
    client = client_for(rep)
    mapping = '{"Firm": "account.name", "Where": "account.city"}'

    sent = client.post("/api/imports", {"file": _file(b"Firm,Where\nAcme,Eyup\n,Nowhere\n"), "mapping": mapping})
    address = f"/api/imports/{sent.json()['id']}"
    running.work(sent.json()["id"])
    checked = client.get(address).json()
    started = client.post(f"{address}/run")
    running.work(sent.json()["id"])
    done = client.get(address).json()

    assert (sent.status_code, started.status_code) == (202, 202)
    assert (checked["status"], done["status"]) == ("checked", "finished")
    assert done["rows"] == checked["rows"]
    assert [done["rows"][key] for key in ("total", "created", "updated", "unchanged", "rejected")] == [2, 1, 0, 0, 1]
    assert done["rejects"] == [{"reason": "The row has no company name.", "rows": 1}]
    errors = b"".join(client.get(f"{address}/errors").streaming_content).decode("utf-8-sig")
    assert errors.splitlines() == ['"Firm","Where","Reason"', '"","Nowhere","The row has no company name."']
    assert client.post(f"{address}/run").status_code == 409
    with org_scope(organization.pk):
        assert Account.objects.get().city == "Eyup"


def test_an_unreadable_file_or_mapping_answers_422_with_the_reason(
    client_for: Callable[[User], Client], rep: User
) -> None:
    client = client_for(rep)

    empty = client.post("/api/imports", {"file": _file(b"Firm\n")})
    unknown = client.post("/api/imports", {"file": _file(b"Firm\nAcme\n"), "mapping": '{"Firm": "account.nonsense"}'})

    assert (empty.status_code, empty.json()["title"]) == (422, "The file has a header but no rows below it.")
    assert (unknown.status_code, "account.nonsense" in unknown.json()["title"]) == (422, True)
