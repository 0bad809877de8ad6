"""Merge fields: ``{{ first_name }}`` and ``{{ first_name | "there" }}``, and nothing else.

This is not a template language. Only the names of ``FIELDS`` exist; there are no attributes, filters, tags or
expressions, and a value is never read for fields again. A text with anything else between double braces is refused
when it is saved, and a value that is missing, or that itself looks like a field, stops the one mail it is missing in:
no mail ever leaves with a pair of braces in it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIELDS: Mapping[str, str] = {
    "first_name": "first name",
    "last_name": "last name",
    "full_name": "full name",
    "title": "job title",
    "company": "company name",
    "industry": "industry of the company",
    "city": "city",
    "country": "country",
    "stand": "stand of the company",
    "event": "name of the show",
    "event_dates": "dates of the show",
    "venue": "venue of the show",
    "booth": "our booth",
    "my_name": "name of the sender",
    "my_company": "name of our organization",
}
"""Every field and how a page names it."""

LONGEST_VALUE = 300
_FIELD = re.compile(
    r'\{\{[ \t]*(?P<name>[a-z][a-z_]{0,30})[ \t]*(?:\|[ \t]*"(?P<fallback>[^"{}\r\n]{0,100})"[ \t]*)?\}\}'
)
_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class InvalidTemplate(ValueError):
    """The text has something between braces that is no merge field. ``problems`` says what, one sentence each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class CannotFill(ValueError):
    """A value is missing or unusable, so this one mail must not be written. Its text is the reason in plain words."""


@dataclass(frozen=True)
class Field:
    name: str
    fallback: str | None


Part = str | Field


def parse(source: str) -> list[Part]:
    """Split a text into literal parts and fields. Raises InvalidTemplate."""
    parts: list[Part] = []
    problems: list[str] = []
    position = 0
    for match in _FIELD.finditer(source):
        literal = source[position : match.start()]
        problems += _problems_in(literal)
        parts += [literal] if literal else []
        name = match["name"]
        if name not in FIELDS:
            problems.append(f"There is no field “{name}”.")
        parts.append(Field(name, match["fallback"]))
        position = match.end()
    rest = source[position:]
    problems += _problems_in(rest)
    if problems:
        raise InvalidTemplate(dict.fromkeys(problems))
    return parts + ([rest] if rest else [])


def _problems_in(literal: str) -> list[str]:
    found = _MARKS.search(literal)
    if not found:
        return []
    around = literal[max(0, found.start() - 5) : found.end() + 25].replace("\n", " ").strip()
    return [f"“{around}” is not a merge field: write it like {{{{ first_name }}}}."]


def check(source: str) -> None:
    """Raise InvalidTemplate unless the text can be filled for somebody."""
    parse(source)


def check_subject(source: str) -> None:
    """As ``check``, for the subject, which must also stand on one line. Raises InvalidTemplate."""
    if any(unicodedata.category(c) in _FORBIDDEN for c in source):
        raise InvalidTemplate(["The subject must be one line without control characters."])
    parse(source)


def fields_in(*sources: str) -> list[str]:
    """The names of the fields the texts use, in order, each once. Raises InvalidTemplate."""
    names = (part.name for source in sources for part in parse(source) if isinstance(part, Field))
    return list(dict.fromkeys(names))


def needed_fields(*sources: str) -> frozenset[str]:
    """The fields that must have a value, because the author gave no other words for them. Raises InvalidTemplate."""
    parts = (part for source in sources for part in parse(source) if isinstance(part, Field))
    return frozenset(part.name for part in parts if part.fallback is None)


def has_marks(text: str) -> bool:
    """Whether anything that looks like a field or tag stands in a text that should be finished."""
    return bool(_MARKS.search(text))


def fill(source: str, values: Mapping[str, str]) -> str:
    """The text with every field replaced. Raises InvalidTemplate, CannotFill."""
    done = "".join(part if isinstance(part, str) else _value(part, values) for part in parse(source))
    if has_marks(done):
        # Two harmless halves can meet: a literal "{" before a value that begins with "{".
        raise CannotFill("A value next to a brace would look like a merge field.")
    return done


def _value(field: Field, values: Mapping[str, str]) -> str:
    value = clean_value(values.get(field.name, ""))
    if not value and field.fallback is not None:
        return field.fallback
    if not value:
        raise CannotFill(f"The {FIELDS[field.name]} is missing.")
    if has_marks(value):
        raise CannotFill(f"The {FIELDS[field.name]} contains braces that look like a merge field.")
    return value


def clean_value(value: str) -> str:
    """A value as it may stand in a mail: one line, no control or invisible characters, never half of a link."""
    spaced = "".join(" " if c.isspace() else c for c in value)
    visible = "".join(c for c in spaced if unicodedata.category(c) not in _FORBIDDEN)
    return " ".join(visible.split()).replace("](", "] (")[:LONGEST_VALUE].strip()
