"""Sending domains, asked over real DNS: a small server on the loopback address, and SendGrid's sandbox."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from common.dns import Unanswered, open_resolver, receives_mail
from identity.models import Organization, User
from identity.scope import org_scope, system_scope
from outreach import domain_checks, domains
from outreach.models import DomainOverride, Mailbox, Message, SendingDomain
from outreach.ports import DnsRecord, SenderRecords
from sandbox.names import Names
from sandbox.server import RunningSandbox
from tests.factories import AccountFactory, MailboxFactory, MessageFactory, PersonFactory

HOME = "nordlicht.example"
ALIAS = DnsRecord(f"s1._domainkey.{HOME}", "CNAME", "s1.domainkey.u1.wl1.sendgrid.net")
OWN_SERVER = SenderRecords()


@pytest.fixture
def names(sandbox: RunningSandbox) -> Names:
    """A DNS in which our domain has everything it needs, behind a mail server of its own."""
    sandbox.names.publish(HOME)
    sandbox.names.replace(HOME, "TXT", "v=spf1 mx ~all", "some other text")
    sandbox.names.put(f"mail.{HOME}", "A", "192.0.2.1")
    return sandbox.names


def look(
    *senders: SenderRecords, selector: str = "", replies: tuple[str, ...] = ()
) -> dict[str, domain_checks.Finding]:
    asked = domain_checks.Asked(domain=HOME, senders=senders or (OWN_SERVER,), selector=selector, reply_domains=replies)
    return {finding.check: finding for finding in domain_checks.examine(open_resolver(), asked)}


def key_of(bits: int) -> str:
    public = rsa.generate_private_key(65_537, bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


# --- What the DNS says -----------------------------------------------------------------------------------------------


def test_a_domain_with_everything_in_place_passes(names: Names) -> None:
    found = look()

    assert {name: finding.state for name, finding in found.items()} == {
        "spf": "pass", "dkim": "pass", "dmarc": "pass", "return_path": "pass", "mx": "pass",
    }  # fmt: skip
    assert found["spf"].found == ["v=spf1 mx ~all"]
    assert found["spf"].words == "1 of 10 look-ups used."


@pytest.mark.parametrize(
    ("texts", "state", "says"),
    [
        ([], "fail", "There is no SPF record"),
        (["v=spf1 mx ~all", "v=spf1 a -all"], "fail", "There are 2 SPF records"),
        (["v=spf1 mx +all"], "fail", "lets everybody in the world send"),
        (["v=spf1 mx all"], "fail", "lets everybody in the world send"),
        (["v=spf1 mx ?all"], "warn", "does not say what to do with everybody else"),
        (["v=spf1 mx"], "warn", "does not say what to do with everybody else"),
        (["v=spf1 ip4: ~all"], "fail", "“ip4:” is not something SPF knows"),
        (["v=spf1 includes:nordlicht.example ~all"], "fail", "is not something SPF knows"),
        (["v=spf1 include:nothing.example ~all"], "fail", "refers to nothing.example, which has no SPF record"),
        (["v=spf1 ptr ~all"], "warn", "“ptr” is slow"),
        (["v=spf1 a:a.example a:b.example a:c.example ~all"], "fail", "3 of its look-ups lead nowhere"),
        (["v=spf1 redirect=many.example"], "fail", "needs more than 10 look-ups"),
        (["v=spf1 redirect=few.example"], "pass", "4 of 10 look-ups"),
        (["v=spf1 mx -all"], "pass", "1 of 10 look-ups"),
    ],
)
def test_spf_is_read_as_receivers_read_it(names: Names, texts: list[str], state: str, says: str) -> None:
    names.put("few.example", "TXT", "v=spf1 include:one.example mx:nordlicht.example a:mail.nordlicht.example -all")
    names.put("one.example", "TXT", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all")
    names.put("many.example", "TXT", "v=spf1 " + "a:mail.nordlicht.example " * 10 + "-all")
    names.replace(HOME, "TXT", *texts)

    found = look()["spf"]

    assert (found.state, says in found.words) == (state, True), found.words


def test_an_spf_record_that_includes_itself_is_counted_out(names: Names) -> None:
    names.replace(HOME, "TXT", f"v=spf1 include:{HOME} ~all")

    assert look()["spf"].words.startswith("Receivers give up on this record: it needs more than 10 look-ups")


def test_several_spf_records_become_one_to_paste(names: Names) -> None:
    names.replace(HOME, "TXT", "v=spf1 mx ~all", "v=spf1 ip4:192.0.2.7 -all")

    [record] = look(SenderRecords(spf_include="_spf.google.com"))["spf"].records

    assert record == DnsRecord(HOME, "TXT", record.value)
    assert set(record.value.split()) == {"v=spf1", "mx", "ip4:192.0.2.7", "include:_spf.google.com", "~all"}
    assert record.value.endswith("include:_spf.google.com ~all")


def test_the_carrier_of_the_mail_must_be_in_spf_unless_it_has_a_return_path(names: Names) -> None:
    found = look(SenderRecords(spf_include="_spf.google.com"))["spf"]
    with_path = look(SenderRecords(spf_include="sendgrid.net", return_path=ALIAS))["spf"]

    assert (found.state, found.records) == (
        "fail", [DnsRecord(HOME, "TXT", "v=spf1 mx include:_spf.google.com ~all")],
    )  # fmt: skip
    assert with_path.state == "pass"


@pytest.mark.parametrize(
    ("key", "state", "says"),
    [
        ("v=DKIM1; k=rsa; p=", "fail", "withdrawn"),
        ("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEF", "fail", "damaged"),
        ("v=DKIM2; p=abc", "fail", "not a DKIM1 record"),
        (f"v=DKIM1; k=rsa; p={key_of(1024)}", "warn", "1024 bits"),
        (f"v=DKIM1; k=rsa; t=y; p={key_of(2048)}", "warn", "marked as a test"),
        (f"k=rsa; p={key_of(2048)}", "pass", "The key of “mail” is in place."),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "pass", "in place"),
    ],
    ids=["withdrawn", "damaged", "another version", "short", "a test", "good", "ed25519"],
)
def test_a_dkim_key_is_read(names: Names, key: str, state: str, says: str) -> None:
    names.replace(f"mail._domainkey.{HOME}", "TXT", key)

    found = look(selector="mail")["dkim"]

    assert (found.state, says in found.words) == (state, True), found.words


def test_a_selector_without_a_key_says_what_to_paste(names: Names) -> None:
    found = look(selector="march")["dkim"]

    assert found.state == "fail"
    assert found.words.startswith(f"There is no key under “march._domainkey.{HOME}”.")
    assert found.records[0].name == f"march._domainkey.{HOME}"


def test_a_provider_whose_aliases_are_missing_shows_those(names: Names) -> None:
    other = DnsRecord(f"s9._domainkey.{HOME}", "CNAME", "s9.domainkey.u1.wl1.sendgrid.net")
    names.replace(ALIAS.name, "CNAME", ALIAS.value)
    names.replace(ALIAS.value, "TXT", f"k=rsa; p={key_of(2048)}")

    found = look(SenderRecords(dkim=(ALIAS, other)))["dkim"]

    assert (found.state, found.records) == ("fail", [other])


@pytest.mark.parametrize(
    ("texts", "state", "says"),
    [
        ([], "fail", "There is no DMARC record"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "fail", "There are 2 DMARC records"),
        (["v=DMARC1; p=block"], "fail", "The policy “block” is not one"),
        (["v=DMARC1; rua=mailto:a@b.example"], "fail", "The policy “none given”"),
        (["v=DMARC1; p=reject"], "warn", "nobody gets the reports"),
        (["v=DMARC1; p=none; rua=mailto:a@b.example"], "warn", "only watches"),
        (["v=DMARC1;p=reject;rua=mailto:a@b.example; adkim=s"], "pass", "Alignment is strict for DKIM."),
        (["V = DMARC1; p=reject"], "fail", "There is no DMARC record"),
    ],
)
def test_dmarc_is_read(names: Names, texts: list[str], state: str, says: str) -> None:
    names.replace(f"_dmarc.{HOME}", "TXT", *texts)

    found = look()["dmarc"]

    assert (found.state, says in found.words) == (state, True), found.words


def test_dmarc_of_the_domain_above_counts_with_its_policy_for_subdomains(names: Names) -> None:
    names.replace(f"_dmarc.{HOME}", "TXT", "v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@b.example")
    asked = domain_checks.Asked(domain=f"show.{HOME}", senders=[OWN_SERVER])

    found = {finding.check: finding for finding in domain_checks.examine(open_resolver(), asked)}["dmarc"]

    assert (found.state, "The policy is “quarantine”" in found.words) == ("pass", True)


def test_where_mail_comes_back_to(names: Names) -> None:
    names.replace(HOME, "MX", "0 .")
    alias = DnsRecord(f"em7.{HOME}", "CNAME", "u7.wl001.sendgrid.net")

    found = look(SenderRecords(return_path=alias), replies=(f"reply.{HOME}",))

    assert found["mx"].state == "fail"
    assert (found["return_path"].state, found["return_path"].records) == ("fail", [alias])
    assert (found["replies"].state, found["replies"].records) == (
        "fail", [DnsRecord(f"reply.{HOME}", "MX", "10 mx.sendgrid.net")],
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["servfail", "timeout"])
def test_a_dns_that_fails_is_unknown_and_never_a_failure(names: Names, fault: str) -> None:
    names.fail(f"_dmarc.{HOME}", fault)

    found = look()

    assert (found["dmarc"].state, found["spf"].state) == ("unknown", "pass")


def test_mail_is_received_by_an_mx_or_an_address_and_not_by_a_null_mx(names: Names) -> None:
    names.replace("null.example", "MX", "0 .")
    names.put("web.example", "A", "192.0.2.1")
    names.put("text.example", "TXT", "nothing")
    names.fail("slow.example", "servfail")
    resolver = open_resolver()

    answers = [receives_mail(resolver, f"{name}.example") for name in ("null", "web", "text")]

    assert answers == [False, True, False]
    assert (receives_mail(resolver, "gone.invalid"), receives_mail(resolver, "anything.example")) == (False, True)
    with pytest.raises(Unanswered):
        receives_mail(resolver, "slow.example")


# --- The state of a domain, and what it lets through ---------------------------------------------------------------------


@pytest.fixture
def domain(organization: Organization, mailbox: Mailbox) -> SendingDomain:
    """The mailbox's domain, which nobody has checked yet."""
    with system_scope():
        SendingDomain.objects.all().update(state="unchecked")
        return SendingDomain.objects.get()


@pytest.fixture
def check(organization: Organization, domain: SendingDomain) -> Callable[[], SendingDomain]:
    def run() -> SendingDomain:
        domains.check(organization.pk, domain.pk)
        with system_scope():
            domain.refresh_from_db()
        return domain

    return run


def test_a_domain_at_sendgrid_is_added_there_and_passes(
    sandbox: RunningSandbox, check: Callable[[], SendingDomain]
) -> None:
    domain = check()

    assert (domain.state, {finding["state"] for finding in domain.findings}) == ("passed", {"pass"})
    assert [account.domains for account in sandbox.world.accounts.values()] == [[HOME]]


def test_nothing_leaves_before_the_checks_pass_and_all_of_it_afterwards(
    sandbox: RunningSandbox, message: Message, mailbox: Mailbox, check: Callable[[], SendingDomain],
    send: Callable[[Mailbox], int], stored: Callable[[Message], Message],
) -> None:  # fmt: skip
    send(mailbox)
    before = stored(message)
    check()
    send(mailbox)

    assert (before.state, before.cause) == ("queued", "domain")
    assert before.reason == f"The DNS of {HOME} is not checked yet. That happens within a few minutes."
    assert before.due_at > timezone.now() + timedelta(minutes=10)
    assert stored(message).state == "accepted"


def test_a_broken_record_closes_the_domain_and_says_so(
    sandbox: RunningSandbox, message: Message, mailbox: Mailbox, check: Callable[[], SendingDomain],
    send: Callable[[Mailbox], int], stored: Callable[[Message], Message],
) -> None:  # fmt: skip
    check()
    sandbox.names.replace(f"_dmarc.{HOME}", "TXT")
    domain = check()
    send(mailbox)

    assert domain.state == "failed"
    assert stored(message).reason.startswith(f"{HOME} is not ready to send: DMARC does not pass.")
    assert sandbox.world.mails == {}


def test_a_dns_out_of_reach_does_not_close_a_domain_that_passed(
    sandbox: RunningSandbox, check: Callable[[], SendingDomain]
) -> None:
    check()
    sandbox.names.fail(HOME, "servfail")

    domain = check()

    assert domain.state == "passed"
    assert "unknown" in {finding["state"] for finding in domain.findings}


def test_a_dns_out_of_reach_does_not_open_a_domain_either(
    sandbox: RunningSandbox, check: Callable[[], SendingDomain]
) -> None:
    sandbox.names.fail(HOME, "servfail")

    assert check().state == "unchecked"


def test_an_override_lets_the_domain_send_and_its_end_closes_it(
    organization: Organization, owner: User, mailbox: Mailbox, domain: SendingDomain, scope: None
) -> None:
    closed = bool(domains.why_closed(mailbox))
    domains.override(organization.pk, HOME, reason=" We move the zone today. ", actor=owner)
    opened = domains.why_closed(mailbox)
    ended = [domains.end_override(domain, actor=owner), domains.end_override(domain, actor=owner)]

    kept = DomainOverride.objects.get()
    assert (closed, opened, ended) == (True, "", [True, False])
    assert (kept.reason, kept.made_by, kept.ended_by) == ("We move the zone today.", owner, owner)
    assert domains.why_closed(mailbox)
    with pytest.raises(ValueError, match="Say why"):
        domains.override(organization.pk, HOME, reason=" ", actor=owner)


def test_a_sweep_finds_new_domains_and_those_of_yesterday(organization: Organization, mailbox: Mailbox) -> None:
    now = timezone.now()
    with system_scope():
        SendingDomain.objects.all().delete()
    domains.notice()
    new = len(domains.due())
    with system_scope():
        SendingDomain.objects.update(state="passed", checked_at=now - timedelta(hours=23))
        fresh = len(domains.due())
        SendingDomain.objects.update(state="failed")
        failed = len(domains.due())
        SendingDomain.objects.update(state="passed", checked_at=now - timedelta(hours=25))
        old = len(domains.due())
        Mailbox.objects.update(archived_at=now)
    assert (new, fresh, failed, old, len(domains.due())) == (1, 0, 1, 1, 0)


def test_the_closed_domains_of_an_organization(organization: Organization, domain: SendingDomain) -> None:
    with org_scope(organization.pk):
        assert [row.domain for row in domains.closed(organization.pk)] == [HOME]
        domains.override(organization.pk, HOME, reason="Moving.", actor=None)
        assert domains.closed(organization.pk) == []


def test_another_organization_with_the_same_domain_has_its_own_state(
    organization: Organization, domain: SendingDomain
) -> None:
    theirs = MailboxFactory.create()
    person = PersonFactory.create(account=AccountFactory.create(organization=theirs.organization))
    MessageFactory.create(person=person, mailbox=theirs)

    with org_scope(theirs.organization_id):
        assert domains.why_closed(theirs) == ""
        assert [row.domain for row in SendingDomain.objects.all()] == [theirs.domain]
