"""SPF records as receivers read them (RFC 7208): one record, ten look-ups at most, and who may send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from common.dns import Resolver

MOST_LOOKUPS, MOST_VOID = 10, 2
_TERM = re.compile(
    r"(?P<sign>[+\-?~]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?P<rest>[:/].*)?$|"
    r"(?P<modifier>[a-z][a-z0-9_.\-]*)=(?P<value>\S*)$",
    re.IGNORECASE,
)
_NEEDS_VALUE = {"include", "ip4", "ip6", "exists"}


@dataclass
class Reading:
    """What an SPF record comes to. ``problem`` is what makes receivers give up on it, in words."""

    lookups: int = 0
    void: int = 0
    ending: str = ""
    problem: str = ""
    includes: set[str] = field(default_factory=set)
    uses_ptr: bool = False

    @property
    def allows_everybody(self) -> bool:
        return self.ending == "+all"


def records_of(texts: list[str]) -> list[str]:
    """Those of a name's texts that are SPF records."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def read(resolver: Resolver, domain: str, record: str) -> Reading:
    """Follow a record through everything it includes. Raises Unanswered."""
    reading = Reading()
    _follow(resolver, domain, record, reading, depth=0)
    if not reading.problem and reading.void > MOST_VOID:
        reading.problem = f"{reading.void} of its look-ups lead nowhere, and receivers stop after {MOST_VOID}"
    return reading


def _follow(resolver: Resolver, domain: str, record: str, reading: Reading, *, depth: int) -> None:
    redirect = ""
    for word in record.split()[1:]:
        term = _TERM.fullmatch(word)
        if term is None or ((term["name"] or "").lower() in _NEEDS_VALUE and not (term["rest"] or "")[1:]):
            reading.problem = f"“{word[:60]}” is not something SPF knows"
            return
        if term["modifier"]:
            redirect = term["value"] if term["modifier"].lower() == "redirect" else redirect
            continue
        name, value = term["name"].lower(), (term["rest"] or "")[1:] if (term["rest"] or "").startswith(":") else ""
        if name == "all":
            if depth == 0:
                reading.ending = f"{term['sign'] or '+'}all"
            return
        if name == "include":
            _include(resolver, value, reading, depth=depth)
        elif name in {"a", "mx", "ptr", "exists"}:
            reading.lookups += 1
            reading.uses_ptr |= name == "ptr"
            if name in {"a", "mx"}:
                _count_void(resolver, value or domain, name, reading)
        if _too_many(reading):
            return
    if redirect:
        _include(resolver, redirect, reading, depth=depth, is_redirect=True)


def _include(resolver: Resolver, target: str, reading: Reading, *, depth: int, is_redirect: bool = False) -> None:
    reading.lookups += 1
    if _too_many(reading):
        return
    if "%" in target:  # a macro: who it names depends on the mail
        return
    target = target.lower().rstrip(".")
    reading.includes.add(target)
    found = records_of(resolver.look_up(target, "TXT"))
    if len(found) != 1:
        what = "has no SPF record" if not found else "has several SPF records"
        reading.problem = f"it refers to {target}, which {what}"
        return
    _follow(resolver, target, found[0], reading, depth=depth if is_redirect else depth + 1)


def _count_void(resolver: Resolver, value: str, name: str, reading: Reading) -> None:
    host = value.partition("/")[0]
    if "%" not in host and not resolver.look_up(host, "MX" if name == "mx" else "A"):
        reading.void += 0 if name == "a" and resolver.look_up(host, "AAAA") else 1


def _too_many(reading: Reading) -> bool:
    if reading.lookups > MOST_LOOKUPS and not reading.problem:
        reading.problem = f"it needs more than {MOST_LOOKUPS} look-ups, and receivers stop there"
    return bool(reading.problem)


def with_includes(record: str, includes: list[str]) -> str:
    """The record with these senders added, before its ending."""
    words = record.split()
    known = {word.lower().lstrip("+") for word in words}
    missing = [f"include:{name}" for name in includes if f"include:{name}" not in known]
    at = next((place for place, word in enumerate(words) if word.lower().endswith("all") and place), len(words))
    ending = [word for word in words[at:] if word.lower().lstrip("+-?~") != "all" or word[0] in "-~"] or ["~all"]
    return " ".join([*words[:at], *missing, *ending])


def merged(records: list[str], includes: list[str]) -> str:
    """One record in the place of several."""
    terms = [word for record in records for word in record.split()[1:] if word.lower().lstrip("+-?~") != "all"]
    return with_includes(" ".join(["v=spf1", *dict.fromkeys(terms)]), includes)
