from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, TargetAccount
from common.paging import InvalidCursor, Page, decode_cursor, encode_cursor, keyset_page
from events.models import Event
from identity.models import Organization
from people.models import Person
from tests.factories import AccountFactory, EventFactory, PersonFactory, TargetAccountFactory

pytestmark = pytest.mark.usefixtures("scope")


def walk(rows, *, sort, limit=2):
    """Every row in the order the pages bring them."""
    found, cursor = [], ""
    for _ in range(50):
        page: Page = keyset_page(rows, sort=sort, limit=limit, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if not page.has_more:
            return found
    raise AssertionError("The pages do not end.")


@pytest.mark.parametrize("sort", [["name_norm"], ["-name_norm"]])
def test_pages_bring_every_row_once_in_order(organization: Organization, sort: list[str]) -> None:
    for name in ["Beta", "alpha", "Ärger", "Beta", "gamma", "Beta", "Omega"]:
        AccountFactory.create(organization=organization, name=name)

    found = walk(Account.objects.for_org(organization), sort=sort)

    down = sort[0].startswith("-")
    assert [a.pk for a in found] == [a.pk for a in sorted(found, key=lambda a: (a.name_norm, a.pk), reverse=down)]
    assert len({a.pk for a in found}) == 7


@pytest.mark.parametrize("sort", ["icp_score", "-icp_score"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_empty_values_come_last_either_way(organization: Organization, sort: str, limit: int) -> None:
    account = AccountFactory.create(organization=organization)
    for score in [None, 50, 50, None, 90, 10, None]:
        PersonFactory.create(account=account, icp_score=score)

    found = walk(Person.objects.for_org(organization), sort=[sort], limit=limit)

    scores = [90, 50, 50, 10] if sort.startswith("-") else [10, 50, 50, 90]
    assert [person.icp_score for person in found] == [*scores, None, None, None]
    assert len({person.pk for person in found}) == 7


def test_a_time_is_kept_to_the_microsecond(organization: Organization) -> None:
    start = datetime(2026, 12, 8, 9, 0, 0, 1, tzinfo=UTC)
    for offset in range(5):
        made = AccountFactory.create(organization=organization)
        Account.objects.filter(pk=made.pk).update(created_at=start + timedelta(microseconds=offset))

    found = walk(Account.objects.for_org(organization), sort=["-created_at"], limit=1)

    assert [account.created_at.microsecond for account in found] == [5, 4, 3, 2, 1]


def test_a_sort_may_go_through_a_relation(organization: Organization, event: Event) -> None:
    for name in ["c", "a", "b"]:
        TargetAccountFactory.create(account__organization=organization, account__name=name, event=event)

    found = walk(TargetAccount.objects.select_related("account"), sort=["account__name_norm"], limit=1)

    assert [target.account.name for target in found] == ["a", "b", "c"]


def test_a_cursor_of_another_sort_is_refused(organization: Organization) -> None:
    EventFactory.create(organization=organization)
    EventFactory.create(organization=organization)
    cursor = keyset_page(Event.objects.all(), sort=["name"], limit=1).next_cursor

    with pytest.raises(InvalidCursor):
        keyset_page(Event.objects.all(), sort=["-name"], limit=1, cursor=cursor)


def test_a_cursor_with_impossible_values_is_refused() -> None:
    for values in (["x", "not a uuid"], [None, None], [["a"], "b"], ["2026-13-45", None]):
        with pytest.raises(InvalidCursor):
            keyset_page(Account.objects.all(), sort=["created_at"], cursor=encode_cursor(["created_at", "id"], values))


@given(st.text())
def test_no_text_breaks_the_decoder(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(text, ["name", "id"])


def test_a_number_too_large_for_its_column_is_refused() -> None:
    cursor = encode_cursor(["icp_score", "id"], [10**30, "0199a3c0-0000-7000-8000-000000000000"])

    with pytest.raises(InvalidCursor):
        keyset_page(Person.objects.all(), sort=["icp_score"], cursor=cursor)
