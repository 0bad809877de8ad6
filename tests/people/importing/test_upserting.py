from django.db import connection

from accounts.models import Account, Stand, TargetAccount
from activities.models import Activity
from events.models import Event
from identity.models import Organization
from identity.scope import org_scope
from people.models import Person, PersonEmail
from tests.factories import AccountFactory, PersonFactory
from tests.people.importing.helpers import bring_in, counts, reasons

EXHIBITORS = [
    ["name", "city", "website", "tel_number", "hall", "booth"],
    ["AAG Makina Ltd. Sti.", "Eyüp", "http://www.aagmakina.com", "+90 212 5634381", "Hall 4", "B1"],
    ["Aage Östergaard A/S", "Horsens", "aaosteel.dk", "No tel_number", "Hall 5", "C2"],
    ["Phoenix Contact GmbH & Co. KG", "Blomberg", "NaN", "-", "Hall 9", "F40"],
    ["Phoenix Contact GmbH & Co.KG", "Blomberg", "http://www.phoenixcontact.de", "+49 5235 3 00", "Hall 11", "D1"],
    ["B&R", " Industrie GmbH", "+49 6172 4019 0", "Norsk-Data-Str. 3", "", ""],
]
PEOPLE = [
    ["Company", "First name", "Last name", "E-mail", "E-mail 2", "Job title", "isProcurement", "Tags"],
    ["Acme GmbH", "Ada", "Lovelace", "Ada@Acme.example", "ada.l@home.example", "Buyer", "yes", "vip; hall 4"],
    ["Acme GmbH", "Grace", "Hopper", "grace@acme.example", "", "Admiral", "no", ""],
    ["ACME", "Ada", "Lovelace", "ada@acme.example", "", "", "", ""],
]


def test_a_list_of_exhibitors_becomes_accounts_at_the_event(organization: Organization, event: Event) -> None:
    done = bring_in(organization, EXHIBITORS, event=event)

    assert counts(done) == (5, 3, 1, 0, 1)
    with org_scope(organization.pk):
        accounts = {a.name: a for a in Account.objects.all()}
        assert sorted(accounts) == ["AAG Makina Ltd. Sti.", "Aage Östergaard A/S", "Phoenix Contact GmbH & Co. KG"]
        assert accounts["AAG Makina Ltd. Sti."].city == "Eyüp"
        assert accounts["Aage Östergaard A/S"].website == "https://aaosteel.dk"
        assert accounts["Aage Östergaard A/S"].phone == ""
        phoenix = accounts["Phoenix Contact GmbH & Co. KG"]
        assert (phoenix.website, phoenix.phone) == ("http://www.phoenixcontact.de", "+49 5235 3 00")
        stands = Stand.objects.filter(target__account=phoenix, target__event=event)
        assert [str(s) for s in stands] == ["Hall 11 · D1", "Hall 9 · F40"]
        assert TargetAccount.objects.filter(event=event).count() == 3
    assert "shifted" in reasons(done)[0]


def test_the_same_file_again_changes_nothing(organization: Organization, event: Event) -> None:
    bring_in(organization, EXHIBITORS, event=event)

    again = bring_in(organization, EXHIBITORS, event=event)

    assert counts(again) == (5, 0, 0, 4, 1)


def test_people_bring_their_companies_addresses_and_tags(organization: Organization) -> None:
    named = {
        "Company": "account.name",
        "First name": "person.first_name",
        "Last name": "person.last_name",
        "E-mail": "person.email",
        "E-mail 2": "person.email",
        "Job title": "person.title",
        "isProcurement": "person.is_proc",
        "Tags": "person.tags",
    }

    done = bring_in(organization, PEOPLE, named=named)

    assert counts(done) == (3, 2, 0, 1, 0)
    assert (done.accounts_created, done.people_created, done.rows_repeated) == (1, 2, 1)
    with org_scope(organization.pk):
        ada = Person.objects.get(first_name="Ada")
        assert (ada.name, ada.title, ada.is_proc, ada.account.name) == ("Ada Lovelace", "Buyer", True, "Acme GmbH")
        assert [(e.email, e.is_primary) for e in ada.emails.all()] == [
            ("Ada@Acme.example", True),
            ("ada.l@home.example", False),
        ]
        assert sorted(t.name for t in ada.tags.all()) == ["hall 4", "vip"]
        kinds = list(Activity.objects.order_by("kind").values_list("kind", flat=True))
        assert kinds == ["ACCOUNT_CREATED", "LIST_IMPORTED"]
        assert [a.summary for a in Activity.objects.about(ada)] == ["Imported from list.csv"]


def test_imported_rows_carry_the_columns_that_saving_would_have_filled(
    organization: Organization, event: Event
) -> None:
    bring_in(organization, EXHIBITORS, event=event)
    bring_in(organization, PEOPLE)

    with org_scope(organization.pk):
        for row in [*Account.objects.all(), *Person.objects.select_related("account")]:
            stored = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
            row.derive()
            assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == stored
        assert all(t.name_norm == t.account.name_norm for t in TargetAccount.objects.select_related("account"))
        assert PersonEmail.objects.count() == 3


def test_blank_cells_keep_what_is_there_and_fill_blanks_only_keeps_values(organization: Organization) -> None:
    account = AccountFactory.create(
        organization=organization, name="Acme GmbH", website="", city="Bremen", phone="+49 1 234567"
    )
    person = PersonFactory.create(
        account=account, name="Ada Lovelace", email="ada@acme.example", title="Buyer", phone=""
    )
    rows = [
        ["Company", "Name", "E-mail", "Job title", "Phone", "City", "Website"],
        ["Acme GmbH", "Ada Lovelace", "ADA@acme.example", "Head of buying", "+49 40 123456", "", "acme.de"],
    ]
    named = {
        "Company": "account.name",
        "Name": "person.name",
        "E-mail": "person.email",
        "Job title": {"target": "person.title", "policy": "fill"},
        "Phone": {"target": "person.phone", "policy": "fill"},
        "City": "account.city",
        "Website": "account.website",
    }

    done = bring_in(organization, rows, named=named)

    assert counts(done) == (1, 0, 1, 0, 0)
    with org_scope(organization.pk):
        account.refresh_from_db()
        person.refresh_from_db()
    assert (account.city, account.website, account.domain) == ("Bremen", "https://acme.de", "acme.de")
    assert (person.title, person.phone, person.email) == ("Buyer", "+49 40 123456", "ada@acme.example")


def test_create_only_leaves_what_exists_and_update_only_makes_nothing(organization: Organization) -> None:
    account = AccountFactory.create(organization=organization, name="Acme GmbH", website="", city="Bremen")
    rows = [["Company", "City"], ["Acme", "Hamburg"], ["Borealis AG", "Wien"]]

    created = bring_in(organization, rows, mode="create")
    with org_scope(organization.pk):
        account.refresh_from_db()
        Account.objects.filter(name="Borealis AG").delete()
    assert (counts(created), account.city) == ((2, 1, 0, 1, 0), "Bremen")

    updated = bring_in(organization, rows, mode="update")
    with org_scope(organization.pk):
        account.refresh_from_db()
        assert Account.objects.count() == 1
    assert (counts(updated), account.city) == ((2, 0, 1, 0, 1), "Hamburg")


def test_two_companies_of_one_name_with_different_sites_stay_two(organization: Organization) -> None:
    rows = [["Company", "Website"], ["Electra", "electra-motors.it"], ["Electra", "pol-electra.pl"], ["Electra", ""]]

    done = bring_in(organization, rows)

    assert counts(done) == (3, 2, 0, 1, 0)
    assert counts(bring_in(organization, rows)) == (3, 0, 0, 3, 0)


def test_a_check_foretells_the_run_and_writes_nothing(organization: Organization, event: Event) -> None:
    foretold = bring_in(organization, EXHIBITORS, event=event, only_check=True)

    with org_scope(organization.pk):
        assert Account.objects.count() == 0
    assert counts(foretold) == counts(bring_in(organization, EXHIBITORS, event=event))


def test_another_organization_keeps_its_people_of_the_same_address(organization: Organization) -> None:
    foreign = PersonFactory.create(email="ada@acme.example", name="Ada Lovelace")

    done = bring_in(organization, PEOPLE)

    assert done.people_created == 2
    with org_scope(foreign.organization_id):
        assert Person.objects.count() == 1


def test_a_finished_import_leaves_nothing_for_the_next_search_to_sort_in(organization: Organization) -> None:
    bring_in(organization, PEOPLE)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL role TO 'none'")
        cursor.execute("SELECT gin_clean_pending_list('person_search'), gin_clean_pending_list('account_search')")
        assert cursor.fetchone() == (0, 0)
