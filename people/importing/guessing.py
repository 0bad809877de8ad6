"""What a column probably means: by its header, in the languages lists come in, then by what stands in it."""

import re
from collections.abc import Sequence

from common.text import normalise
from people.importing.vocabulary import HEADERS, IDENTIFIERS, NAME_HEADERS

_BY_HEADER = {normalise(word): target for target, words in HEADERS.items() for word in words.split("|")}

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", re.IGNORECASE)
_URL = re.compile(r"^(https?://|www\.)\S+$", re.IGNORECASE)
_LINKEDIN = re.compile(r"linkedin\.com/", re.IGNORECASE)
_LINKEDIN_COMPANY = re.compile(r"linkedin\.com/(company|school|showcase)/", re.IGNORECASE)
_PHONE = re.compile(r"^\+?[\d][\d\s()./-]{6,}$")
_COMPANY = re.compile(
    r"\b(gmbh|ag|inc|llc|ltd|limited|corp|s\.?a|s\.?r\.?l|s\.?p\.?a|b\.?v|co|oy|ab|a/s|kg|sarl|pvt)\b\.?", re.IGNORECASE
)


def header_words(header: str) -> str:
    """A header as it is looked up: no case, accents, separators, camel case or bracketed remarks."""
    header = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", header)
    header = re.sub(r"\(.*?\)|\*", " ", header)
    return " ".join(re.sub(r"[_\-./:\s]+", " ", normalise(header)).split())


def guess_targets(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> list[str]:
    """The target key of every column, ``""`` where nothing fits. A target that takes one column is given once."""
    words = [header_words(header) for header in headers]
    columns = [[row[i].strip() for row in sample if i < len(row) and row[i].strip()] for i in range(len(headers))]
    guesses = [_BY_HEADER.get(w) or _BY_HEADER.get(w.replace(" ", "")) or "" for w in words]
    for i, found in enumerate(guesses):
        guesses[i] = _by_content(columns[i], found, words[i])
    people = any(
        g in {"person.email", "person.first_name", "person.last_name", "person.name", "person.title"} for g in guesses
    )
    for i, word in enumerate(words):
        if not guesses[i] and word in NAME_HEADERS:
            guesses[i] = _which_name(guesses, columns[i], people=people)
    if not any(g in {"person.name", "person.first_name", "person.last_name", "person.email"} for g in guesses):
        guesses = [_as_company(g) for g in guesses]
    elif "person.name" not in guesses and "person.first_name" not in guesses and "person.last_name" not in guesses:
        # Addresses without names in a list of companies are the companies' own, not a person's.
        guesses = [_as_company(g) if "account.name" in guesses else g for g in guesses]
    return _once(guesses)


def _by_content(values: list[str], guess: str, word: str) -> str:
    if not values or (guess and not guess.endswith((".website", ".linkedin"))) or word in IDENTIFIERS:
        return guess

    def mostly(pattern: re.Pattern[str]) -> bool:
        return sum(bool(pattern.search(value)) for value in values) * 10 >= len(values) * 7

    if mostly(_LINKEDIN):
        return "account.linkedin" if mostly(_LINKEDIN_COMPANY) else "person.linkedin"
    if guess:
        return guess
    if mostly(_EMAIL):
        return "person.email"
    if mostly(_URL):
        return "account.website"
    if mostly(_PHONE) and any(value.startswith(("+", "00", "0")) for value in values):
        return "person.phone"
    return ""


def _which_name(guesses: list[str], values: list[str], *, people: bool) -> str:
    companies = sum(bool(_COMPANY.search(value)) for value in values)
    if "person.first_name" in guesses and "person.last_name" not in guesses:
        return "person.last_name"
    if "account.name" in guesses:
        return "person.name"
    if people and companies * 5 < max(len(values), 1):
        return "person.name"
    return "account.name"


def _as_company(guess: str) -> str:
    return {
        "person.phone": "account.phone",
        "person.mobile": "account.phone",
        "person.linkedin": "account.linkedin",
        "person.notes": "account.notes",
        "person.email": "account.extra",
        "person.title": "account.extra",
        "person.department": "account.extra",
        "person.extra": "account.extra",
    }.get(guess, guess)


def _once(guesses: list[str]) -> list[str]:
    many = {"person.email", "account.tags", "person.tags", "account.extra", "person.extra", "person.personas", ""}
    seen: set[str] = set()
    kept = []
    for guess in guesses:
        kept.append("" if guess in seen and guess not in many else guess)
        seen.add(guess)
    return kept
