import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Account, TargetAccount
from identity.scope import org_scope, system_scope
from people.models import Person
from tests.factories import AccountFactory, PersonFactory, StandFactory, TargetAccountFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def acme(organization, event):
    return TargetAccountFactory.create(
        account__organization=organization, account__name="Acme Robotik", event=event, tier="A"
    ).account


def person(account, name, **fields):
    return PersonFactory.create(account=account, name=name, **fields)


def names_in(response):
    return [unescape(name) for name in re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', response.text)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ada Wood", "Bo Li", "Çelik Ömer"]), ("persona=is_tech", ["Bo Li"]),
        ("persona=is_tech&persona=is_proc", ["Ada Wood", "Bo Li"]), ("tier=A", ["Ada Wood", "Bo Li"]), ("tier=B", ["Çelik Ömer"]),
        ("hall=Hall 3", ["Çelik Ömer"]), ("owner=me", ["Bo Li"]), ("score_min=50&score_max=80", ["Ada Wood"]),
        ("email=no", ["Bo Li"]),
        ("q=celik", ["Çelik Ömer"]), ("q=omer cel", ["Çelik Ömer"]), ("q=robotik", ["Ada Wood", "Bo Li"]),
        ("q=wood@", ["Ada Wood"]), ("q=adda wod", ["Ada Wood"]), ("q=bo", ["Bo Li"]), ("q=zqx%", []), ("q=_", []),
        ("sort=-score", ["Ada Wood", "Çelik Ömer", "Bo Li"]), ("all=1", ["Ada Wood", "Bo Li", "Elsewhere", "Çelik Ömer"]),
    ],
)  # fmt: skip
def test_filters_and_search_narrow_the_list(client_for, rep, organization, event, acme, query, expected):
    borg = TargetAccountFactory.create(account__organization=organization, event=event, tier="B")
    StandFactory.create(target=borg, hall="Hall 3")
    person(acme, "Ada Wood", email="ada.wood@acme.com", icp_score=70, is_proc=True)
    person(acme, "Bo Li", email="", is_tech=True, owner=rep)
    person(borg.account, "Çelik Ömer", icp_score=20)
    person(AccountFactory.create(organization=organization), "Elsewhere", icp_score=None)
    PersonFactory.create(name="Foreign Wood")

    response = client_for(rep).get(reverse("people:list") + f"?sort=name&{query}".replace("sort=name&sort", "sort"))

    expected = sorted(expected, key=lambda name: name.casefold().replace("ç", "c")) if "sort" not in query else expected
    assert names_in(response) == expected


def test_the_query_count_does_not_grow_with_the_rows(client_for, viewer, acme):
    client = client_for(viewer)
    person(acme, "One")
    client.get(reverse("people:list"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("people:list"))
    person(acme, "Two")
    person(acme, "Three")
    with CaptureQueriesContext(connection) as three:
        client.get(reverse("people:list"))

    assert len(three) == len(one)


def test_fifty_rows_stay_below_sixty_kilobytes(client_for, viewer, rep, acme):
    for n in range(60):
        person(acme, f"Maximiliane von Hohenberg-{n}", title="Leiterin Einkauf und Logistik", is_proc=True, owner=rep)

    response = client_for(viewer).get(reverse("people:list"))

    assert len(response.content) < 60_000


def test_a_new_person_gets_their_company_found_by_name_and_all_addresses(client_for, rep, acme, organization):
    form = {
        "name": "Grace Hopper", "company": "ACME Robotik GmbH", "emails": "grace@acme.com\nGH@navy.example",
        "tags": "Speaker, VIP", "is_exec_ops": "on",
    }  # fmt: skip

    response = client_for(rep).post(reverse("people:create"), form)

    with org_scope(organization.pk):
        grace = Person.objects.get(name="Grace Hopper")
        emails = [(row.email, row.is_primary) for row in grace.emails.all()]
        tags = [tag.name for tag in grace.tags.all()]
        added = [entry.summary for entry in grace.activities.filter(kind="PERSON_CREATED")]
    assert response.status_code == 302
    assert (grace.account_id, grace.email, grace.first_name, grace.last_name) == (
        acme.pk,
        "grace@acme.com",
        "Grace",
        "Hopper",
    )
    assert emails == [("grace@acme.com", True), ("GH@navy.example", False)]
    assert (tags, added, grace.is_exec_ops) == (["Speaker", "VIP"], ["Grace Hopper was added"], True)


def test_an_unknown_company_becomes_a_target_of_the_show(client_for, rep, event, organization):
    client_for(rep).post(reverse("people:create"), {"name": "Linus", "company": "Kernel AG"})

    with org_scope(organization.pk):
        assert TargetAccount.objects.get(event=event).account.people.get().name == "Linus"


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"name": "Somebody New", "emails": "ADA@acme.com"}, "has the same e-mail address"),
        ({"name": "ada wood", "company": "Acme Robotik"}, "has the same name here"),
        ({"name": "Ada Woods", "company": "Acme Robotik"}, "has nearly the same name here"),
    ],
)
def test_somebody_who_looks_like_one_we_have_is_shown_first(client_for, rep, acme, organization, form, reason):
    ada = person(acme, "Ada Wood", email="ada@acme.com")
    client = client_for(rep)

    asked = client.post(reverse("people:create"), form)

    assert asked.status_code == 422
    assert reason in asked.text
    assert reverse("people:detail", args=[ada.pk]) in asked.text
    with org_scope(organization.pk):
        assert Person.objects.count() == 1


def test_anyway_means_anyway_but_one_address_stays_one_persons(client_for, rep, acme, organization):
    person(acme, "Ada Wood", email="ada@acme.com")
    client = client_for(rep)

    same_name = client.post(reverse("people:create"), {"name": "Ada Wood", "company": "Acme Robotik", "anyway": "1"})
    same_mail = client.post(reverse("people:create"), {"name": "X Y", "emails": "ada@acme.com", "anyway": "1"})

    assert (same_name.status_code, same_mail.status_code) == (302, 422)
    assert "ada@acme.com already belongs to Ada Wood." in same_mail.text


def test_editing_keeps_one_primary_address(client_for, rep, acme, organization):
    ada = person(acme, "Ada Wood", email="ada@acme.com")
    form = {"name": "Ada Wood", "company": "Acme Robotik", "emails": "ada@new.com, ada@acme.com", "is_tech": "on"}

    response = client_for(rep).post(reverse("people:edit", args=[ada.pk]), form)

    with org_scope(organization.pk):
        ada.refresh_from_db()
        emails = [(row.email, row.is_primary) for row in ada.emails.all()]
    assert response.status_code == 302
    assert (ada.email, ada.email_norm, ada.is_tech) == ("ada@new.com", "ada@new.com", True)
    assert emails == [("ada@new.com", True), ("ada@acme.com", False)]


def test_a_fact_is_edited_in_place(client_for, rep, acme, organization):
    ada = person(acme, "Ada Wood")
    client, address = client_for(rep), None
    address = reverse("people:cell", args=[ada.pk, "title"])

    form = client.get(address, headers=HTMX)
    saved = client.post(address, {"title": "Head of <Ops>"}, headers=HTMX)
    refused = client.post(
        reverse("people:cell", args=[ada.pk, "next_touchpoint_on"]), {"next_touchpoint_on": "soon"}, headers=HTMX
    )

    assert form.text.startswith('<form class="cell-form"')
    assert saved.text.strip() == '<button class="cell-edit">Head of &lt;Ops&gt;</button>'
    assert refused.status_code == 422
    assert client.get(reverse("people:cell", args=[ada.pk, "is_tech"])).status_code == 404


def test_an_owner_must_be_a_member(client_for, rep, stranger, acme, organization):
    ada = person(acme, "Ada Wood")

    response = client_for(rep).post(
        reverse("people:cell", args=[ada.pk, "owner"]), {"owner": str(stranger.pk)}, headers=HTMX
    )

    assert response.status_code == 422


def test_renaming_the_company_reaches_lists_and_search(client_for, rep, acme, organization, event):
    person(acme, "Ada Wood")

    with org_scope(organization.pk):
        accounts.update_account(Account.objects.get(pk=acme.pk), actor=rep, fields={"name": "Zenith"})
    response = client_for(rep).get(reverse("people:list") + "?q=zenith")

    assert names_in(response) == ["Ada Wood"]
    with org_scope(organization.pk):
        assert TargetAccount.objects.get().name_norm == "zenith"


def test_details_of_account_and_person_show_each_other(client_for, viewer, acme):
    ada = person(acme, "Ada Wood")
    client = client_for(viewer)

    account_page = client.get(reverse("accounts:detail", args=[acme.pk]))
    person_page = client.get(reverse("people:detail", args=[ada.pk]))

    assert reverse("people:detail", args=[ada.pk]) in account_page.text
    assert reverse("accounts:detail", args=[acme.pk]) in person_page.text


def test_deleting_a_person_leaves_a_trace(client_for, manager, acme, organization):
    ada = person(acme, "Ada Wood")

    response = client_for(manager).post(reverse("people:delete", args=[ada.pk]))

    with system_scope():
        assert not Person.objects.filter(pk=ada.pk).exists()
        assert [a.summary for a in acme.activities.filter(kind="PERSON_DELETED")] == ["Ada Wood was deleted"]
    assert response.status_code == 302
