"""What is known about an address before a mail goes to it: by looking, and by asking the DNS in the background."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach import delivery
from outreach.drafting import writer_for
from outreach.models import Mailbox, Message
from people import hygiene, mail_domains
from people.models import MailDomain, Person
from sandbox.server import RunningSandbox
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    MailboxFactory,
    MessageFactory,
    OrganizationFactory,
    PersonFactory,
    TemplateFactory,
)


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("ada@acme.example", []),
        ("Ada.Lovelace+show@Acme.Example ", []),
        ("ada@münchen.example", []),
        ("o'hara_7@mail.acme-group.co.uk", []),
        ("ada@gmail.com", []),
        ("ada@mail.com", []),
        ("ada@gmial.com", ["typo"]),
        ("ada@gmai.com", ["typo"]),
        ("ada@hotmial.com", ["typo"]),
        ("ada@mailinator.com", ["disposable"]),
        ("ada@eu.mailinator.com", ["disposable"]),
        ("info@acme.example", ["role"]),
        ("Sales+berlin@acme.example", ["role"]),
        ("information.ada@acme.example", []),
        ("info@gmal.com", ["typo", "role"]),
        ("ada", ["syntax"]),
        ("ada@", ["syntax"]),
        ("ada@acme", ["syntax"]),
        ("ada@acme..example", ["syntax"]),
        ("ada@-acme.example", ["syntax"]),
        ("ada lovelace@acme.example", ["syntax"]),
        ("ada.@acme.example", ["syntax"]),
        (".ada@acme.example", ["syntax"]),
        ("ada@acme.example, bob@acme.example", ["syntax"]),
        (f"{'a' * 65}@acme.example", ["syntax"]),
        ("<ada@acme.example>", ["syntax"]),
    ],
)
def test_an_address_gives_away(address: str, kinds: list[str]) -> None:
    assert [remark.kind for remark in hygiene.remarks(address)] == kinds


def test_a_slip_names_what_was_meant() -> None:
    [remark] = hygiene.remarks("ada@gmial.com")

    assert (remark.words, remark.blocks) == ("Did somebody mean ada@gmail.com?", False)


# --- The DNS ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(organization: Organization, sandbox: RunningSandbox) -> dict[str, Person]:
    """One person at each kind of domain."""
    sandbox.names.replace("closed.example", "MX", "0 .")
    sandbox.names.fail("slow.example", "servfail")
    account = AccountFactory.create(organization=organization)
    addresses = (
        "ada@acme.example", "bob@acme.example", "cy@closed.example", "di@gone.invalid", "ed@slow.example",
        "flo@gmial.com", "gil@yopmail.com", "info@open.example", "",
    )  # fmt: skip
    return {address: PersonFactory.create(account=account, email=address) for address in addresses}


@pytest.fixture
def asked(people: dict[str, Person]) -> dict[str, Person]:
    mail_domains.notice()
    mail_domains.ask(seconds=30)
    return people


def known() -> dict[str, bool | None]:
    with system_scope():
        return dict(MailDomain.objects.values_list("domain", "receives"))


def test_each_domain_is_asked_about_once(asked: dict[str, Person]) -> None:
    expected = {
        "acme.example": True, "closed.example": False, "gone.invalid": False, "slow.example": None, "gmial.com": True,
        "yopmail.com": True, "open.example": True,
    }  # fmt: skip

    assert known() == expected
    mail_domains.notice()
    assert mail_domains.ask(seconds=30) == 0


def test_it_is_asked_again_when_the_answer_is_old(asked: dict[str, Person], sandbox: RunningSandbox) -> None:
    sandbox.names.replace("closed.example", "MX", "10 mail.closed.example")
    sandbox.names.fail("acme.example", "servfail")
    with system_scope():
        MailDomain.objects.update(asked_at=timezone.now() - timedelta(days=2))
    after_two_days = mail_domains.ask(seconds=30)
    with system_scope():
        MailDomain.objects.update(asked_at=timezone.now() - timedelta(days=31))
    after_a_month = mail_domains.ask(seconds=30)

    assert (after_two_days, after_a_month) == (3, 7)
    # Nobody answered about acme.example, so what was known stays.
    assert (known()["closed.example"], known()["acme.example"]) == (True, True)


def test_time_is_over_when_it_is_over(people: dict[str, Person]) -> None:
    mail_domains.notice()

    assert mail_domains.ask(seconds=-1) == 0


def test_another_organization_learns_nothing_from_ours(asked: dict[str, Person]) -> None:
    theirs = OrganizationFactory.create()

    with org_scope(theirs.pk):
        assert list(MailDomain.objects.all()) == []
        assert mail_domains.unusable(theirs.pk, ["cy@closed.example"]) == {}


def test_why_an_address_cannot_be_written_to(organization: Organization, asked: dict[str, Person]) -> None:
    with org_scope(organization.pk):
        found = mail_domains.unusable(organization.pk, [*asked, "nonsense"])

    assert found == {
        "cy@closed.example": "closed.example takes no mail.",
        "di@gone.invalid": "gone.invalid takes no mail.",
        "nonsense": "This is not an e-mail address.",
    }


# --- What it stops, and where it is shown -----------------------------------------------------------------------------


def test_the_claim_leaves_out_what_cannot_arrive(organization: Organization, asked: dict[str, Person]) -> None:
    mailbox: Mailbox = MailboxFactory.create(organization=organization)
    lost = MessageFactory.create(person=asked["cy@closed.example"], mailbox=mailbox)
    slow = MessageFactory.create(person=asked["ed@slow.example"], mailbox=mailbox)

    delivery.deliver_mailbox(organization.pk, mailbox.pk, until=lambda: False)

    with system_scope():
        lost, slow = Message.objects.get(pk=lost.pk), Message.objects.get(pk=slow.pk)
    assert (lost.state, lost.cause, lost.reason) == ("skipped", "address", "closed.example takes no mail.")
    assert slow.state == "accepted"


def test_drafts_leave_them_out_too(organization: Organization, asked: dict[str, Person], event: object) -> None:
    template = TemplateFactory.create(organization=organization, subject="Hello", body="Hello")
    mailbox = MailboxFactory.create(organization=organization)
    campaign = CampaignFactory.create(organization=organization, mailbox=mailbox, template=template)

    with org_scope(organization.pk):
        drafts = writer_for(campaign, template).write(asked.values())

    left_out = {address: drafts[person.pk].left_out for address, person in asked.items() if drafts[person.pk].left_out}
    assert left_out == {
        "cy@closed.example": "closed.example takes no mail.",
        "di@gone.invalid": "gone.invalid takes no mail.",
        "": "There is no e-mail address.",
    }


def test_the_page_of_a_person_says_it_beside_the_address(
    asked: dict[str, Person], viewer: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(viewer)

    pages = {
        address: client.get(f"/people/{asked[address].pk}/").content.decode()
        for address in ("cy@closed.example", "info@open.example", "ada@acme.example")
    }

    assert 'data-remark="no_mail"' in pages["cy@closed.example"]
    assert 'data-remark="role"' in pages["info@open.example"]
    assert "data-remark" not in pages["ada@acme.example"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("no_mail", {"cy@closed.example", "di@gone.invalid"}),
        ("typo", {"flo@gmial.com"}),
        ("disposable", {"gil@yopmail.com"}),
        ("role", {"info@open.example"}),
        ("no", {""}),
    ],
)
def test_the_list_of_people_is_filtered_by_it(
    asked: dict[str, Person], viewer: User, client_for: Callable[[User], Client], wanted: str, found: set[str]
) -> None:
    page = client_for(viewer).get("/people/", {"email": wanted, "event": "all"}).content.decode()

    listed = {address for address, person in asked.items() if str(person.pk) in page}
    assert listed == found
