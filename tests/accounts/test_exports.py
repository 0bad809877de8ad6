import csv
import io

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from accounts import bulk
from accounts.models import BulkJob
from activities.models import Activity
from identity.scope import system_scope
from tests.factories import PersonFactory, StandFactory, TargetAccountFactory


@pytest.fixture
def acme(organization, event):
    PersonFactory.create(name="Foreign Spy")
    target = TargetAccountFactory.create(
        account__organization=organization, account__name='Acme "Robots", Ltd', event=event, icp_score=80
    )
    StandFactory.create(target=target, hall="Hall 1", number="A1")
    StandFactory.create(target=target, hall="Hall 2", number="B2")
    return target.account


def rows_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_filtered_list_of_accounts_is_exported_as_it_is(client_for, rep, organization, event, acme):
    TargetAccountFactory.create(account__organization=organization, event=event, tier="B")

    response = client_for(rep).get(reverse("accounts:export") + "?tier=A")

    (row,) = rows_of(response)
    assert response["Content-Disposition"] == 'attachment; filename="accounts.csv"'
    assert (row["Company"], row["Tier"], row["ICP score"], row["Hall"], row["Stand"]) == (
        'Acme "Robots", Ltd', "A", "80", "Hall 1; Hall 2", "A1; B2",
    )  # fmt: skip


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_no_cell_becomes_a_formula(client_for, rep, acme, start):
    PersonFactory.create(account=acme, name=f"{start}1+1", phone="+49 30 1234")

    (row,) = rows_of(client_for(rep).get(reverse("people:export")))

    assert row["Name"] == f"'{start}1+1"
    assert row["Phone"] == "'+49 30 1234"


def test_names_with_commas_quotes_lines_and_other_scripts_come_through(client_for, rep, acme):
    names = ['O"Neil, Shaun', "山田 太郎", "محمد علي", "two\nlines"]
    for name in names:
        PersonFactory.create(account=acme, name=name)

    rows = rows_of(client_for(rep).get(reverse("people:export") + "?sort=created"))

    assert [row["Name"] for row in rows] == names
    assert {row["Company"] for row in rows} == {'Acme "Robots", Ltd'}


def test_without_a_score_people_stand_last_as_on_the_page(client_for, rep, acme):
    for name, score in (("none", None), ("low", 5), ("high", 95)):
        PersonFactory.create(account=acme, name=name, icp_score=score)

    rows = rows_of(client_for(rep).get(reverse("people:export") + "?sort=-score"))

    assert [row["Name"] for row in rows] == ["high", "low", "none"]


def test_an_excel_file_is_made_in_the_background_and_handed_out(client_for, rep, organization, acme):
    PersonFactory.create(account=acme, name="=1+1", phone="+49 30 1234", icp_score=7)
    client = client_for(rep)

    client.post(reverse("people:bulk"), {"action": "export", "all": "1", "sure": "1", "format": "xlsx"})
    with system_scope():
        job = BulkJob.objects.get()
    bulk.run(job.pk, organization.pk)
    page = client.get(reverse("accounts:job", args=[job.pk]))
    response = client.get(reverse("accounts:download", args=[job.pk]))

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content))).get_sheet_by_index(0)
    header, row = sheet.to_python()
    cells = dict(zip(header, row, strict=True))
    assert "Download people.xlsx" in page.text
    assert (cells["Name"], cells["Phone"], cells["ICP score"]) == ("=1+1", "+49 30 1234", 7.0)


def test_every_export_is_written_down(client_for, rep, organization, acme):
    client_for(rep).get(reverse("people:export") + "?tier=A")

    with system_scope():
        (entry,) = Activity.objects.for_org(organization).filter(kind="LIST_EXPORTED")
    assert (entry.actor, entry.summary, entry.data) == (rep, "Exported a list of people", {"filter": "tier=A"})


def test_strangers_export_their_own_rows_only(client_for, stranger, acme):
    PersonFactory.create(account=acme)

    assert rows_of(client_for(stranger).get(reverse("people:export"))) == []
