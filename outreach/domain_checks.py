"""What receivers look for in the DNS of a sending domain, and what to paste where it is missing. Asks names only."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from common.dns import Resolver, Unanswered, receives_mail
from outreach import spf
from outreach.ports import DnsRecord, SenderRecords

PASS, WARN, FAIL, UNKNOWN = "pass", "warn", "fail", "unknown"
INBOUND_PARSE = "mx.sendgrid.net"
USUAL_SELECTORS = ("google", "selector1", "selector2", "default", "mail", "dkim", "k1", "s1", "s2")
"""Where common mail servers publish their key, asked when nobody has named a selector."""
SHORT_KEY, GOOD_KEY = 1_024, 2_048


@dataclass(frozen=True)
class Finding:
    """One check: what was found, what it means, and the records to paste."""

    check: str
    state: str
    words: str
    found: list[str] = field(default_factory=list)
    records: list[DnsRecord] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Asked:
    """What is known of a domain before its DNS is asked."""

    domain: str
    senders: Sequence[SenderRecords]
    selector: str = ""
    reply_domains: Sequence[str] = ()


def examine(resolver: Resolver, asked: Asked) -> list[Finding]:
    """Every check, in the order of the page. One that nobody answered is unknown."""
    checks: list[tuple[str, Callable[[Resolver, Asked], Finding]]] = [
        ("spf", _spf), ("dkim", _dkim), ("dmarc", _dmarc), ("return_path", _return_path), ("mx", _mx),
    ]  # fmt: skip
    if asked.reply_domains:
        checks.append(("replies", _replies))
    return [_ask(check, name, resolver, asked) for name, check in checks]


def _ask(check: Callable[[Resolver, Asked], Finding], name: str, resolver: Resolver, asked: Asked) -> Finding:
    try:
        return check(resolver, asked)
    except Unanswered:
        return Finding(name, UNKNOWN, "The DNS did not answer. Nothing is changed by that; we ask again.")


def outcome(findings: Sequence[Finding]) -> str:
    """``fail`` when anything fails, else ``unknown`` when anything could not be asked, else ``pass``."""
    states = {finding.state for finding in findings}
    return FAIL if FAIL in states else UNKNOWN if UNKNOWN in states else PASS


# --- SPF -------------------------------------------------------------------------------------------------------------


def _spf(resolver: Resolver, asked: Asked) -> Finding:
    found = spf.records_of(resolver.look_up(asked.domain, "TXT"))
    includes = list(dict.fromkeys(sender.spf_include for sender in asked.senders if sender.spf_include))
    fallback = spf.with_includes("v=spf1", includes) if includes else "v=spf1 a mx ~all"

    def to_paste(value: str) -> list[DnsRecord]:
        return [DnsRecord(asked.domain, "TXT", value)]

    if not found:
        words = "There is no SPF record. Paste this one."
        return Finding("spf", FAIL, words, [], to_paste(fallback))
    if len(found) > 1:
        words = f"There are {len(found)} SPF records; receivers then ignore all of them. Put this one in their place."
        return Finding("spf", FAIL, words, found, to_paste(spf.merged(found, includes)))
    reading = spf.read(resolver, asked.domain, found[0])
    better = spf.with_includes(found[0], includes)
    if reading.problem:
        words = f"Receivers give up on this record: {reading.problem}. Take out what you no longer need."
        return Finding("spf", FAIL, words, found, [] if "look-ups" in reading.problem else to_paste(fallback))
    if reading.allows_everybody:
        words = "“+all” lets everybody in the world send in your name. End the record with “~all” instead."
        return Finding("spf", FAIL, words, found, to_paste(better))
    missing = [
        sender.spf_include
        for sender in asked.senders
        if sender.spf_include and sender.return_path is None and sender.spf_include not in reading.includes
    ]
    if missing:
        words = f"The record does not name {', '.join(missing)}, which carries your mail. Replace it by this one."
        return Finding("spf", FAIL, words, found, to_paste(better))
    counted = f"{reading.lookups} of {spf.MOST_LOOKUPS} look-ups used."
    if reading.ending not in {"-all", "~all"} and "redirect=" not in found[0]:
        words = f"The record does not say what to do with everybody else. End it with “~all”. {counted}"
        return Finding("spf", WARN, words, found, to_paste(better))
    if reading.uses_ptr:
        return Finding("spf", WARN, f"“ptr” is slow and receivers advise against it. {counted}", found)
    return Finding("spf", PASS, counted, found)


# --- DKIM ------------------------------------------------------------------------------------------------------------


def _dkim(resolver: Resolver, asked: Asked) -> Finding:
    """Every sender signs: one with records of its own under all of them, any other under the selector that was named."""
    worst, found, words, records = PASS, [], [], []
    for sender in asked.senders:
        one = _dkim_of(resolver, asked, sender)
        worst = max(worst, one.state, key=[PASS, WARN, UNKNOWN, FAIL].index)
        found += one.found
        records += one.records
        words.append(one.words)
    return Finding("dkim", worst, " ".join(dict.fromkeys(words)), list(dict.fromkeys(found)), records)


def _dkim_of(resolver: Resolver, asked: Asked, sender: SenderRecords) -> Finding:
    if sender.dkim:
        return _dkim_of_provider(resolver, sender.dkim)
    selectors = (asked.selector,) if asked.selector else sender.selectors or USUAL_SELECTORS
    problems = []
    for selector in selectors:
        name = f"{selector}._domainkey.{asked.domain}"
        for text in _keys(resolver, name):
            problem, state = judge_key(text)
            if state != FAIL:
                return Finding("dkim", state, problem or f"The key of “{selector}” is in place.", [_short(name, text)])
            problems.append(problem)
    if sender.selectors:
        words = (
            "Authenticate the domain at your provider (SendGrid: Settings, Sender Authentication) and paste the records "
            "it shows you."
        )
    elif asked.selector:
        words = problems[0] if problems else f"There is no key under “{asked.selector}._domainkey.{asked.domain}”."
        words += " Paste the public key that your mail server signs with."
    else:
        words = "No key was found under the usual names. Look up the selector of your mail server and name it below."
    name = f"{asked.selector or (sender.selectors or ('mail',))[0]}._domainkey.{asked.domain}"
    sample = [] if sender.selectors else [DnsRecord(name, "TXT", "v=DKIM1; k=rsa; p=(the key of your mail server)")]
    return Finding("dkim", FAIL, words, problems, sample)


def _dkim_of_provider(resolver: Resolver, wanted: Sequence[DnsRecord]) -> Finding:
    found, missing, weak = [], [], ""
    for record in wanted:
        texts = _keys(resolver, record.name)
        alias = resolver.look_up(record.name, "CNAME") if record.type == "CNAME" else []
        found += [f"{record.name} → {target}" for target in alias]
        if not texts or (record.type == "CNAME" and _name(record.value) not in map(_name, alias)):
            missing.append(record)
            continue
        problem, state = judge_key(texts[0])
        if state == FAIL:
            return Finding("dkim", FAIL, f"{record.name}: {problem}", found, list(wanted))
        weak = weak or problem
    if missing:
        number = (
            "A record that your provider signs with is" if len(missing) == 1 else "Records your provider signs with are"
        )
        return Finding("dkim", FAIL, f"{number} missing or point elsewhere. Paste them.", found, missing)
    return Finding("dkim", WARN if weak else PASS, weak or "Your provider's keys are in place.", found)


def _keys(resolver: Resolver, name: str) -> list[str]:
    return [text for text in resolver.look_up(name, "TXT") if "p=" in text]


def judge_key(text: str) -> tuple[str, str]:
    """What is wrong with a DKIM record, in words, and how bad that is; empty and ``pass`` when it is good."""
    tags = _tags(text)
    if tags.get("v", "DKIM1") != "DKIM1":
        return "The record is not a DKIM1 record.", FAIL
    key = re.sub(r"\s", "", tags.get("p", ""))
    if not key:
        return "The key was withdrawn: “p=” is empty.", FAIL
    try:
        raw = base64.b64decode(key, validate=True)
        if tags.get("k", "rsa") == "ed25519":
            return ("", PASS) if len(raw) == 32 else ("The key is damaged.", FAIL)
        public = load_der_public_key(raw)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return "The key is damaged: it cannot be read. Often a part is missing after pasting.", FAIL
    size = public.key_size if isinstance(public, RSAPublicKey) else 0
    if size < SHORT_KEY:
        return f"The key has {size} bits, and receivers ignore keys under {SHORT_KEY}.", FAIL
    if size < GOOD_KEY:
        return f"The key has {size} bits. Make one of {GOOD_KEY} when you renew it.", WARN
    if "y" in tags.get("t", "").split(":"):
        return "The key is marked as a test (“t=y”), and receivers may ignore it.", WARN
    return "", PASS


# --- DMARC -----------------------------------------------------------------------------------------------------------


def _dmarc(resolver: Resolver, asked: Asked) -> Finding:
    domain = asked.domain
    good = DnsRecord(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    where, found = _dmarc_records(resolver, domain)
    if not found:
        return Finding("dmarc", FAIL, "There is no DMARC record. Begin with this one: it only watches.", [], [good])
    if len(found) > 1:
        words = f"There are {len(found)} DMARC records; receivers then ignore all of them. Keep one."
        return Finding("dmarc", FAIL, words, found, [good])
    tags = _tags(found[0])
    policy = tags.get("p", "").lower()
    if where != f"_dmarc.{domain}":
        policy = tags.get("sp", policy).lower()
    if policy not in {"none", "quarantine", "reject"}:
        words = f"The policy “{policy or 'none given'}” is not one that DMARC knows. Paste this record instead."
        return Finding("dmarc", FAIL, words, found, [good])
    strict = [name for tag, name in (("adkim", "DKIM"), ("aspf", "SPF")) if tags.get(tag, "r").lower() == "s"]
    elsewhere = [sender for sender in asked.senders if sender.return_path is not None]
    aligned = "Alignment is strict for " + " and ".join(strict) + "." if strict else "Alignment is relaxed."
    if strict == ["SPF"] and elsewhere:
        aligned += " Your provider's return path is a subdomain, so only DKIM counts."
    reported = "mailto:" in tags.get("rua", "").lower()
    base = found[0].rstrip("; ")
    if not reported:
        better = DnsRecord(where, "TXT", f"{base}; rua=mailto:dmarc@{domain}")
        words = f"The policy is “{policy}”, but nobody gets the reports (“rua”), so you will not see who misuses the domain."
        return Finding("dmarc", WARN, f"{words} {aligned}", found, [better])
    if policy == "none":
        better = DnsRecord(where, "TXT", re.sub(r"\bp\s*=\s*none", "p=quarantine", base, count=1))
        words = "The policy only watches. When the reports show nothing but your own mail, go on to “quarantine”, then “reject”."
        return Finding("dmarc", WARN, f"{words} {aligned}", found, [better])
    return Finding("dmarc", PASS, f"The policy is “{policy}” and reports go to {tags['rua']}. {aligned}", found)


def _dmarc_records(resolver: Resolver, domain: str) -> tuple[str, list[str]]:
    """The records of the domain, else of the nearest domain above it that has any, and where they stand."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = "_dmarc." + ".".join(labels[start:])
        found = [text for text in resolver.look_up(name, "TXT") if re.match(r"v\s*=\s*DMARC1\b", text)]
        if found:
            return name, found
    return f"_dmarc.{domain}", []


# --- Where mail comes back -------------------------------------------------------------------------------------------


def _return_path(resolver: Resolver, asked: Asked) -> Finding:
    wanted = [sender.return_path for sender in asked.senders if sender.return_path is not None]
    if any(sender.selectors for sender in asked.senders):
        words = (
            "Your provider does not tell us its return path. Bounces go to its own domain, and only DKIM proves you."
        )
        return Finding("return_path", WARN, words)
    if not wanted:
        return Finding("return_path", PASS, f"Bounces come back to {asked.domain} itself, as SPF and From agree.")
    found, missing = [], []
    for record in wanted:
        targets = resolver.look_up(record.name, record.type)  # type: ignore[arg-type]  # A, CNAME, MX or TXT of a provider
        found += [f"{record.name} → {target}" for target in targets]
        if _name(record.value) not in [_name(target.rpartition(" ")[2]) for target in targets]:
            missing.append(record)
    if missing:
        return Finding("return_path", FAIL, "The address for bounces is missing or points elsewhere.", found, missing)
    return Finding("return_path", PASS, "Bounces come back under your own domain.", found)


def _mx(resolver: Resolver, asked: Asked) -> Finding:
    servers = resolver.look_up(asked.domain, "MX")
    if servers and receives_mail(resolver, asked.domain):
        return Finding("mx", PASS, "Answers to the sender address can be received.", servers)
    example = [DnsRecord(asked.domain, "MX", "10 (the server that receives your mail)")]
    if receives_mail(resolver, asked.domain):
        words = "There is no MX record; mail goes to the web server's address, which rarely takes it."
        return Finding("mx", WARN, words, [], example)
    words = "The domain takes no mail, so answers and complaints cannot reach you, and receivers distrust such senders."
    return Finding("mx", FAIL, words, servers, example)


def _replies(resolver: Resolver, asked: Asked) -> Finding:
    found, missing = [], []
    for domain in asked.reply_domains:
        servers = resolver.look_up(domain, "MX")
        found += [f"{domain} → {server}" for server in servers]
        if INBOUND_PARSE not in [_name(server.rpartition(" ")[2]) for server in servers]:
            missing.append(DnsRecord(domain, "MX", f"10 {INBOUND_PARSE}"))
    if missing:
        words = "Answers do not reach us, so follow-ups would go to people who have answered. Paste this record."
        return Finding("replies", FAIL, words, found, missing)
    return Finding("replies", PASS, "Answers come to us by themselves.", found)


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, mark, value in pairs if mark}


def _name(text: str) -> str:
    return text.strip().rstrip(".").lower()


def _short(name: str, text: str) -> str:
    return f"{name}: {text[:60]}…" if len(text) > 60 else f"{name}: {text}"
