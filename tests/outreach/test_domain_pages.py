"""The pages of sending domains: what a member sees, and what an admin may do in spite of it."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from identity.models import Organization, User
from identity.scope import system_scope
from outreach import domains
from outreach.models import DomainOverride, Mailbox, SendingDomain
from sandbox.server import RunningSandbox
from tests.factories import SendingDomainFactory

HOME = "nordlicht.example"


@pytest.fixture
def domain(organization: Organization, mailbox: Mailbox) -> SendingDomain:
    with system_scope():
        SendingDomain.objects.all().update(state="unchecked")
        return SendingDomain.objects.get()


@pytest.fixture
def broken(organization: Organization, sandbox: RunningSandbox, domain: SendingDomain) -> SendingDomain:
    """A domain whose DMARC record is missing."""
    domains.check(organization.pk, domain.pk)
    sandbox.names.replace(f"_dmarc.{HOME}", "TXT")
    domains.check(organization.pk, domain.pk)
    with system_scope():
        domain.refresh_from_db()
    return domain


def test_the_page_shows_what_is_missing_and_the_record_to_paste(
    broken: SendingDomain, viewer: User, client_for: Callable[[User], Client]
) -> None:
    page = client_for(viewer).get(f"/outreach/domains/{broken.pk}/").content.decode()

    assert "There is no DMARC record" in page
    assert f'data-copy="_dmarc.{HOME}"' in page
    assert f'data-copy="v=DMARC1; p=none; rua=mailto:dmarc@{HOME}"' in page
    assert "Nothing leaves under this domain" in page


def test_the_list_names_every_domain_with_its_state(
    broken: SendingDomain, viewer: User, client_for: Callable[[User], Client]
) -> None:
    page = client_for(viewer).get("/outreach/domains/").content.decode()

    assert (HOME in page, "Sending is blocked" in page, "1 mailbox: Mailbox" in page) == (True, True, True)


def test_check_now_is_shown_until_it_is_done(
    broken: SendingDomain, sandbox: RunningSandbox, organization: Organization, rep: User,
    client_for: Callable[[User], Client],
) -> None:  # fmt: skip
    client, sending = client_for(rep), client_for(rep)

    answer = sending.post(f"/outreach/domains/{broken.pk}/check/")
    asking = client.get(answer["Location"]).content.decode()
    sandbox.names.publish(HOME)
    [found] = domains.due()
    domains.check(*found)
    done = client.get(answer["Location"]).content.decode()

    assert ("Asking the DNS" in asking, 'hx-trigger="every 2s"' in asking) == (True, True)
    assert ("Asking the DNS" in done, "Ready to send" in done) == (False, True)


def test_an_exception_needs_a_reason_and_keeps_the_name(
    broken: SendingDomain, admin_member: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(admin_member)

    refused = client.post(f"/outreach/domains/{broken.pk}/override/", {"reason": " "})
    client.post(f"/outreach/domains/{broken.pk}/override/", {"reason": "The zone moves today."})
    page = client.get(f"/outreach/domains/{broken.pk}/").content.decode()
    client.post(f"/outreach/domains/{broken.pk}/override/end/")
    after = client.get(f"/outreach/domains/{broken.pk}/").content.decode()

    assert (refused.status_code, "Say why: it is kept with your name." in refused.content.decode()) == (422, True)
    assert ("Sends by exception" in page, "The zone moves today." in page) == (True, True)
    assert ("Sending is blocked" in after, f"ended by {admin_member}" in after) == (True, True)


def test_a_selector_is_saved_and_checked(
    broken: SendingDomain, admin_member: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(admin_member)

    refused = client.post(f"/outreach/domains/{broken.pk}/selector/", {"selector": "two words"})
    client.post(f"/outreach/domains/{broken.pk}/selector/", {"selector": "March._domainkey"})

    with system_scope():
        broken.refresh_from_db()
    assert (refused.status_code, broken.dkim_selector, broken.is_being_checked) == (422, "march", True)


def test_today_says_that_a_domain_is_not_ready(
    broken: SendingDomain, viewer: User, event: object, client_for: Callable[[User], Client]
) -> None:
    page = client_for(viewer).get("/").content.decode()

    assert "sending domains are not ready, so nothing leaves" in page


def test_the_api_reads_a_domain_and_asks_for_a_check(
    broken: SendingDomain, rep: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(rep)

    listed = client.get("/api/domains").json()
    asked = client.post(f"/api/domains/{broken.pk}/check", content_type="application/json")

    [found] = listed
    dmarc = next(check for check in found["checks"] if check["check"] == "dmarc")
    assert (found["domain"], found["state"], found["maySend"], found["exception"]) == (HOME, "failed", False, "")
    assert dmarc["records"][0]["name"] == f"_dmarc.{HOME}"
    assert asked.status_code == 202
    with system_scope():
        assert SendingDomain.objects.get(pk=broken.pk).is_being_checked


def test_the_command_checks_and_says_what_to_paste(
    broken: SendingDomain, organization: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    SendingDomainFactory.create(organization=organization, domain="unused.example")
    with pytest.raises(CommandError, match="Not every domain is ready"):
        call_command("check_domains")
    with system_scope():
        DomainOverride.objects.create(
            organization=organization, domain=broken, reason="Moving.", made_at=broken.checked_at
        )
    call_command("check_domains", domain=HOME.upper(), organization=organization.slug)

    said = capsys.readouterr().out
    assert f"nordlicht {HOME}: not ready\n" in said
    assert f"paste: _dmarc.{HOME} TXT v=DMARC1; p=none" in said
    assert f"nordlicht {HOME}: not ready, sends by exception" in said
    assert "unused.example" not in said
    with pytest.raises(CommandError, match="no such domain"):
        call_command("check_domains", domain="other.example")
