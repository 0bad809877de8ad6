from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Account
from events.models import Event
from identity.models import Organization, User
from identity.scope import org_scope
from people.import_models import ListImport
from people.importing import running
from tests.people.importing.helpers import begin, bring_in, rejected_file

ClientFor = Callable[[User], Client]
CONTENT = "Firma;Ort;Standnummer;Halle\nÖstergaard A/S;Eyüp;B1;Halle 4\n;Nirgends;;\n".encode("cp1252", "replace")


def _upload(client: Client, content: bytes, name: str = "list.csv") -> object:
    return client.post("/import/upload/", {"file": SimpleUploadedFile(name, content)})


def test_a_rep_goes_through_all_steps(
    client_for: ClientFor, rep: User, organization: Organization, event: Event
) -> None:
    client = client_for(rep)

    uploaded = _upload(client, "Firma;Ort;Standnummer;Halle\nÖstergaard A/S;Eyüp;B1;Halle 4\n;Nirgends;;\n".encode())
    with org_scope(organization.pk):
        pk = ListImport.objects.get().pk
    base = f"/import/{pk}/"
    assert (uploaded.status_code, uploaded["Location"]) == (302, f"{base}format/")
    page = client.get(f"{base}format/")
    assert "Östergaard A/S" in page.content.decode()
    chosen = client.post(f"{base}format/", {"encoding": "utf-8", "delimiter": ";", "header_row": 1})
    assert chosen["Location"] == f"{base}columns/"
    page = client.get(f"{base}columns/")
    assert page.content.decode().count("selected") >= 4
    targets = {
        "target-0": "account.name",
        "target-1": "account.city",
        "target-2": "stand.number",
        "target-3": "stand.hall",
    }
    checked = client.post(f"{base}columns/", {**targets, "mode": "both", "event": str(event.pk)})
    assert checked["Location"] == f"{base}preview/"
    assert "Reading the file" in client.get(f"{base}preview/").content.decode()
    running.work(pk)
    preview = client.get(f"{base}preview/").content.decode()
    assert "Import 1 row" in preview
    assert "The row has no company name." in preview
    client.post(f"{base}run/")
    running.work(pk)
    result = client.get(f"{base}result/").content.decode()
    assert "The list is in" in result
    listed = client.get(f"/accounts/?all=1&import={pk}").content.decode()
    assert "Östergaard A/S" in listed
    assert "From list.csv" in listed
    with org_scope(organization.pk):
        assert Account.objects.get().city == "Eyüp"


def test_the_sample_follows_the_chosen_encoding_and_keeps_nothing(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    draft = begin(organization, "Firma;Ort\nMüller;Köln\n".encode("cp1252"))
    client = client_for(rep)

    fragment = client.get(
        f"/import/{draft.pk}/format/?encoding=cp1251&delimiter=%3B&header_row=1", headers={"HX-Request": "true"}
    ).content.decode()

    assert "Mьller" in fragment
    assert "<html" not in fragment
    with org_scope(organization.pk):
        draft.refresh_from_db()
    assert draft.layout["encoding"] == "cp1252"


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    response = _upload(client_for(rep), b"name,city\n")

    assert response.status_code == 422
    assert "The file has a header but no rows below it." in response.content.decode()
    with org_scope(organization.pk):
        assert not ListImport.objects.exists()


def test_two_columns_for_one_field_answer_422_with_the_choices_kept(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    draft = begin(organization, b"Company,Firm\nAcme,Acme AG\n")

    response = client_for(rep).post(
        f"/import/{draft.pk}/columns/", {"target-0": "account.name", "target-1": "account.name", "mode": "both"}
    )

    assert response.status_code == 422
    assert "cannot both be" in response.content.decode()


def test_the_columns_of_the_last_list_are_reused(client_for: ClientFor, rep: User, organization: Organization) -> None:
    bring_in(organization, [["A", "B"], ["Acme", "Bremen"]], named={"A": "account.name", "B": "account.region"})

    again = begin(organization, b"A,B\nOther,Hamburg\n")

    assert [c["target"] for c in again.mapping] == ["account.name", "account.region"]
    assert "Known columns" in client_for(rep).get(f"/import/{again.pk}/columns/").content.decode()


def test_progress_is_a_fragment_and_the_end_reloads_the_page(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    client = client_for(rep)
    _upload(client, b"Company\nAcme\n")
    with org_scope(organization.pk):
        pk = ListImport.objects.get().pk
    client.post(f"/import/{pk}/columns/", {"target-0": "account.name", "mode": "both"})

    during = client.get(f"/import/{pk}/preview/", headers={"HX-Request": "true"})
    running.work(pk)
    after = client.get(f"/import/{pk}/preview/", headers={"HX-Request": "true"})

    assert 'hx-trigger="every 1s"' in during.content.decode()
    assert after["HX-Refresh"] == "true"


def test_the_error_file_comes_back_in_after_correction(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    rows = [
        ["Company", "Name", "E-mail", "Phone"],
        ["Acme", "Ada Lovelace", "ada@", "=49 40 123456"],
        ["Acme", "Grace", "g@acme.de", ""],
    ]
    named = {"Company": "account.name", "Name": "person.name", "E-mail": "person.email", "Phone": "person.notes"}
    done = bring_in(organization, rows, named=named)
    client = client_for(rep)

    response = client.get(f"/import/{done.pk}/rejected.csv")
    content = b"".join(response.streaming_content)

    assert content == rejected_file(done)
    assert content.decode("utf-8-sig").splitlines() == [
        '"Company","Name","E-mail","Phone","Reason"',
        '"Acme","Ada Lovelace","ada@","\'=49 40 123456","“ada@” is not an e-mail address."',
    ]
    again = bring_in(organization, content.replace(b"ada@", b"ada@acme.de", 1), named=named)
    assert again.people_created == 1
    with org_scope(organization.pk):
        assert Account.objects.get().people.get(first_name="Ada").notes == "=49 40 123456"


def test_a_finished_import_cannot_be_changed_run_or_discarded(
    client_for: ClientFor, rep: User, organization: Organization
) -> None:
    done = bring_in(organization, [["Company"], ["Acme"]])
    client = client_for(rep)

    assert client.get(f"/import/{done.pk}/columns/")["Location"] == f"/import/{done.pk}/"
    assert client.post(f"/import/{done.pk}/run/").status_code == 302
    assert client.post(f"/import/{done.pk}/discard/").status_code == 302

    with org_scope(organization.pk):
        done.refresh_from_db()
    assert (done.status, done.rows_created) == ("finished", 1)


def test_the_original_file_comes_back_as_it_was(client_for: ClientFor, rep: User, organization: Organization) -> None:
    content = b"Company\r\n" + b"Acme\r\n" * 300_000

    draft = begin(organization, content)
    response = client_for(rep).get(f"/import/{draft.pk}/original/")

    assert b"".join(response.streaming_content) == content
    assert draft.file_bytes == len(content)


def test_the_list_of_imports_asks_as_often_for_three_as_for_one(
    client_for: ClientFor, rep: User, organization: Organization, django_assert_num_queries: object
) -> None:
    client = client_for(rep)
    begin(organization, b"Company\nAcme\n")
    client.get("/import/")

    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            client.get("/import/")
        return len(captured)

    one = queries()
    begin(organization, b"Company\nAcme\n")
    begin(organization, b"Company\nAcme\n")

    assert queries() == one
