"""Merge fields and choices by them: ``{{ first_name }}``, ``{{ first_name | "there" }}``,
``{{#if title}}…{{else}}…{{/if}}`` and ``{{#if country = "Germany"}}…{{/if}}``, and nothing else.

This is not a template language. Only the names of ``FIELDS`` exist; there are no attributes, filters or expressions, a
choice asks only whether a field has a value or equals one (capital letters do not matter) and holds at most one other
choice, and a value is never read for fields again. A text with anything else between double braces is refused
when it is saved, and a value that is missing, or that itself looks like a field, stops the one mail it is missing in:
no mail ever leaves with a pair of braces in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

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
MOST_NESTED = 2
_TOKEN = re.compile(
    r"(?P<tag>\{\{[ \t]*(?:(?P<otherwise>else)|(?P<end>/if)|"
    r'#if[ \t]+(?P<asked>[a-z][a-z_]{0,30})(?:[ \t]*=[ \t]*"(?P<equals>[^"{}\r\n]{1,100})")?)[ \t]*\}\})'
    r'|\{\{[ \t]*(?P<name>[a-z][a-z_]{0,30})[ \t]*(?:\|[ \t]*"(?P<fallback>[^"{}\r\n]{0,100})"[ \t]*)?\}\}'
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


@dataclass(frozen=True)
class Choice:
    """Two texts, and the question that decides: whether the field has a value, or the value it must have."""

    name: str
    equals: str | None
    then: list[Part] = field(default_factory=list)
    otherwise: list[Part] = field(default_factory=list)

    def chosen(self, values: Mapping[str, str]) -> list[Part]:
        value = clean_value(values.get(self.name, ""))
        yes = bool(value) if self.equals is None else value.casefold() == clean_value(self.equals).casefold()
        return self.then if yes else self.otherwise


Part = str | Field | Choice


@lru_cache(maxsize=512)
def parse(source: str) -> list[Part]:
    """Split a text into literal parts, fields and choices; the list is not to be changed. Raises InvalidTemplate."""
    parts: list[Part] = []
    here = parts
    open_: list[tuple[Choice, list[Part]]] = []
    problems: list[str] = []
    position = 0
    for match in _TOKEN.finditer(source):
        literal = source[position : match.start()]
        problems += _problems_in(literal)
        here += [literal] if literal else []
        position = match.end()
        if match["name"]:
            problems += _unknown(match["name"])
            here.append(Field(match["name"], match["fallback"]))
            continue
        # A tag alone on its line leaves no empty line behind.
        if (match.start() == 0 or source[match.start() - 1] == "\n") and source.startswith("\n", position):
            position += 1
        if match["asked"]:
            problems += _unknown(match["asked"])
            choice = Choice(match["asked"], match["equals"])
            here.append(choice)
            open_.append((choice, here))
            here = choice.then
            if len(open_) > MOST_NESTED:
                problems.append("A choice may stand in another one, but not deeper.")
        elif not open_:
            problems.append(f"“{match['tag']}” stands without an {{{{#if …}}}} before it.")
        elif match["end"]:
            here = open_.pop()[1]
        elif here is open_[-1][0].otherwise:
            problems.append("A choice has more than one {{else}}.")
        else:
            here = open_[-1][0].otherwise
    rest = source[position:]
    problems += _problems_in(rest)
    problems += ["A choice has no end: write {{/if}} behind it."] if open_ else []
    if problems:
        raise InvalidTemplate(dict.fromkeys(problems))
    here += [rest] if rest else []
    return parts


def _unknown(name: str) -> list[str]:
    return [] if name in FIELDS else [f"There is no field “{name}”."]


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
    """The names of the fields the texts use or ask for, in order, each once. Raises InvalidTemplate."""
    return list(dict.fromkeys(name for source in sources for name in _names(parse(source))))


def _names(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if not isinstance(part, str):
            yield part.name
        if isinstance(part, Choice):
            yield from _names(part.then)
            yield from _names(part.otherwise)


def needed_fields(*sources: str) -> list[str]:
    """The fields every reader needs a value for: without a fallback, and outside of any choice. Raises InvalidTemplate."""
    parts = (part for source in sources for part in parse(source))
    return list(dict.fromkeys(part.name for part in parts if isinstance(part, Field) and part.fallback is None))


def missing_fields(values: Mapping[str, str], *sources: str) -> list[str]:
    """The fields that lack a value the texts cannot do without, given these values. Raises InvalidTemplate."""
    fields = (part for source in sources for part in _chosen(parse(source), values) if isinstance(part, Field))
    lacking = (part.name for part in fields if part.fallback is None and not clean_value(values.get(part.name, "")))
    return list(dict.fromkeys(lacking))


def _chosen(parts: Iterable[Part], values: Mapping[str, str]) -> Iterator[str | Field]:
    """Text and fields as they stand for these values, all choices made."""
    for part in parts:
        if isinstance(part, Choice):
            yield from _chosen(part.chosen(values), values)
        else:
            yield part


def has_marks(text: str) -> bool:
    """Whether anything that looks like a field or tag stands in a text that should be finished."""
    return bool(_MARKS.search(text))


def fill(source: str, values: Mapping[str, str]) -> str:
    """The text with every choice made and every field replaced. Raises InvalidTemplate, CannotFill."""
    done = "".join(part if isinstance(part, str) else _value(part, values) for part in _chosen(parse(source), values))
    if has_marks(done):
        # Two harmless halves can meet: a literal "{" before a value that begins with "{".
        raise CannotFill("A value next to a brace would look like a merge field.")
    return done


def _value(asked: Field, values: Mapping[str, str]) -> str:
    value = clean_value(values.get(asked.name, ""))
    if not value and asked.fallback is not None:
        return asked.fallback
    if not value:
        raise CannotFill(f"The {FIELDS[asked.name]} is missing.")
    if has_marks(value):
        raise CannotFill(f"The {FIELDS[asked.name]} contains braces that look like a merge field.")
    return value


def clean_value(value: str) -> str:
    """A value as it may stand in a mail: one line, no control or invisible characters, never half of a link."""
    spaced = "".join(" " if c.isspace() else c for c in value)
    visible = "".join(c for c in spaced if unicodedata.category(c) not in _FORBIDDEN)
    return " ".join(visible.split()).replace("](", "] (")[:LONGEST_VALUE].strip()
