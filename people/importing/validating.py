"""One row of cells to one clean record, or the reason why it cannot be taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.tabular import Row
from common.text import company_key, domain_key, email_key, normalise
from people.importing import cleaning
from people.importing.cleaning import Blank, Wrong
from people.importing.mapping import Column
from people.importing.targets import Kind, Target
from people.importing.vocabulary import FREE_MAIL

SHIFTED = "The cells of this row look shifted by one column: a telephone number stands where the website belongs."
MAX_CLEANED = 10
MEMORY = 4_000
"""How many different cells of a column, and companies, a reader remembers: lists repeat themselves."""


@dataclass(slots=True)
class Record:
    """What a row says. ``reason`` is empty unless the row is rejected; ``company`` is ``None`` when it names none."""

    row_no: int
    line: int
    reason: str = ""
    excerpt: str = ""
    company: dict[str, Any] | None = None
    company_key: str | None = None
    target: dict[str, Any] = field(default_factory=dict)
    hall: str = ""
    stand: str = ""
    account_tags: list[str] = field(default_factory=list)
    person: dict[str, Any] | None = None
    person_tags: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    emails_norm: list[str] = field(default_factory=list)
    domain: str = ""
    cleaned: list[list[str]] = field(default_factory=list)


Cleaner = Callable[[str], Any]
_CLEANERS: dict[Kind, Cleaner] = {
    Kind.URL: cleaning.website,
    Kind.LINKEDIN: cleaning.linkedin,
    Kind.PHONE: cleaning.phone,
    Kind.EMAIL: cleaning.emails,
    Kind.WHOLE: cleaning.whole_number,
    Kind.MONEY: cleaning.money,
    Kind.FLAG: cleaning.flag,
    Kind.PERSONAS: cleaning.personas,
    Kind.TAGS: cleaning.tags,
    Kind.TEXT: cleaning.one_line,
    Kind.NAME: cleaning.one_line,
}
_CHOICES: dict[str, Cleaner] = {"tier": cleaning.tier, "status": cleaning.status, "stage": cleaning.stage}


class _Reader:
    """What one column says. A cell that has been read before costs a look in the memory."""

    def __init__(self, column: Column, target: Target, owners: Mapping[str, str]) -> None:
        self.index, self.header = column.index, column.header
        self.kind, self.label, self.field, self.max_length = target.kind, target.label, target.field, target.max_length
        self._owners = owners
        self._cleaner = _CHOICES.get(target.field) if target.kind is Kind.CHOICE else _CLEANERS.get(target.kind)
        self._memory: dict[str, _Cell] = {}

    def read(self, text: str) -> "_Cell":
        """The value of a cell, ``None`` when it has none; raises ``Wrong``."""
        found = self._memory.get(text)
        if found is None:
            if len(self._memory) >= MEMORY:
                self._memory.clear()
            found = self._memory[text] = self._clean(text)
        return found

    def _clean(self, text: str) -> "_Cell":
        if not (text := cleaning.tidy(text)):
            return None, None
        if len(text) <= 40 and cleaning.is_empty_word(text, header=self.header):
            return None, [self.header, text[:120], "stands for no value"]
        try:
            return self._value(text), None
        except Blank as blank:
            return None, [self.header, text[:120], str(blank)]

    def _value(self, text: str) -> Any:
        if self.kind is Kind.OWNER:
            if (owner := self._owners.get(normalise(text))) is None:
                raise Blank("not a member of this organization")
            return owner
        if self.kind is Kind.EXTRA:
            return (f"{self.header}: {text}",)
        value = self._cleaner(text) if self._cleaner else text
        if self.max_length and isinstance(value, str) and len(value) > self.max_length:
            raise Wrong(f"{self.label} is longer than {self.max_length:,} characters.")
        return tuple(value) if isinstance(value, list) else value


_Cell = tuple[Any, list[str] | None]
"""A value, lists as tuples because it is remembered; and the note when there should be one and is not."""


@dataclass(slots=True)
class _Company:
    """What the cells about the company say; shared by all rows that say it in the same words."""

    cleaned: list[list[str]]
    data: dict[str, Any] | None = None
    key: str | None = None
    target: dict[str, Any] = field(default_factory=dict)
    hall: str = ""
    stand: str = ""
    tags: list[str] = field(default_factory=list)
    domain: str = ""


class Validator:
    """Reads rows by the mapping. ``owners`` maps the normalised name or address of a member to the member's id."""

    def __init__(self, columns: Sequence[Column], *, owners: Mapping[str, str]) -> None:
        self._width = len(columns)
        self._readers: dict[str, list[_Reader]] = {"account": [], "target": [], "stand": [], "person": []}
        keys: dict[str, int] = {}
        for column in columns:
            if column.target is not None:
                self._readers[column.target.part].append(_Reader(column, column.target, owners))
                keys.setdefault(column.target.key, column.index)
        self._company_cells = [r.index for part in ("account", "target", "stand") for r in self._readers[part]]
        self._companies: dict[tuple[str, ...], _Company] = {}
        self._names_people = bool(self._readers["person"])
        self._phone = min((keys[k] for k in ("account.phone", "person.phone") if k in keys), default=None)
        self._website = keys.get("account.website")

    def read(self, row: Row, row_no: int) -> Record:
        """The record of a row; never raises for what a row contains."""
        cells = row.cells
        record = Record(row_no, row.line)
        try:
            if row.problem:
                raise Wrong(row.problem)
            if len(cells) != self._width:
                if any(cell.strip() for cell in cells[self._width :]):
                    raise Wrong(f"The row has {len(cells)} cells, the header has {self._width}.")
                cells = (cells + [""] * self._width)[: self._width]
            self._refuse_shifted(cells)
            self._company(cells, record)
            if self._names_people:
                self._person(cells, record)
            if record.company is None and record.person is None:
                raise Wrong("The row has no company name." if not self._names_people else "The row names nobody.")
        except Wrong as wrong:
            return Record(row_no, row.line, reason=str(wrong), excerpt=_excerpt(row.cells))
        return record

    def _values(self, part: str, cells: Sequence[str], cleaned: list[list[str]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for reader in self._readers[part]:
            if not (text := cells[reader.index]):
                continue
            value, note = reader.read(text)
            if note is not None and len(cleaned) < MAX_CLEANED:
                cleaned.append(note)
            if value is None:
                continue
            name = reader.field
            values[name] = values[name] + value if type(value) is tuple and name in values else value
        return values

    def _refuse_shifted(self, cells: Sequence[str]) -> None:
        if self._phone is None or self._website is None:
            return
        website = cells[self._website].strip()
        if (
            website[:1] in {"+", "0", "("}
            and cleaning.looks_like_phone(website)
            and not cleaning.looks_like_phone(cells[self._phone].strip())
        ):
            raise Wrong(SHIFTED)

    def _company(self, cells: Sequence[str], record: Record) -> None:
        said = tuple([cells[index] for index in self._company_cells])
        company = self._companies.get(said)
        if company is None:
            if len(self._companies) >= MEMORY:
                self._companies.clear()
            company = self._companies[said] = self._read_company(cells)
        record.company, record.company_key, record.target = company.data, company.key, company.target
        record.hall, record.stand, record.account_tags = company.hall, company.stand, company.tags
        record.domain = company.domain
        if company.cleaned:
            record.cleaned = list(company.cleaned)

    def _read_company(self, cells: Sequence[str]) -> _Company:
        company = _Company([])
        data = self._values("account", cells, company.cleaned)
        target = self._values("target", cells, company.cleaned)
        stand = self._values("stand", cells, company.cleaned)
        name = data.get("name", "")
        if not name:
            company.domain = domain_key(data.get("website", ""))
            return company
        company.tags = list(data.pop("tags", ()))
        _name_owner(data)
        _name_owner(target)
        _add_extra(data)
        company.data, company.target = data, target
        company.key = key_of_company(name, data.get("website", ""))
        company.hall, company.stand = stand.get("hall", ""), stand.get("number", "")
        return company

    def _person(self, cells: Sequence[str], record: Record) -> None:
        person = self._values("person", cells, record.cleaned)
        if addresses := person.pop("email", ()):
            found: dict[str, str] = {}
            for address in addresses:
                found.setdefault(email_key(address), address)
            record.emails, record.emails_norm = list(found.values()), list(found)
        record.person_tags = list(person.pop("tags", ()))
        name = _full_name(person) or (_name_from(record.emails[0], record) if record.emails else "")
        if not name:
            if person and record.company is None:
                raise Wrong("The row has no name and no e-mail address.")
            return
        if len(name) > 200:
            raise Wrong("The name is longer than 200 characters.")
        person["name"] = name
        person["name_norm"] = normalise(name)[:200]
        if "title" in person:
            person["title_norm"] = normalise(person["title"])
        for persona in person.pop("personas", ()):
            person.setdefault(persona, True)
        _name_owner(person)
        _add_extra(person)
        record.person = person
        if record.company is None and not record.domain and record.emails:
            domain = domain_key(record.emails[0].rpartition("@")[2])
            record.domain = "" if domain in FREE_MAIL else domain


def key_of_company(name: str, website: str) -> str:
    """One key for one company in a file: its name without spaces and legal form, and the label of its domain."""
    label = domain_key(website).partition(".")[0] if website else ""
    return f"{company_key(name).replace(' ', '') or normalise(name)}|{label}"


def _full_name(person: dict[str, Any]) -> str:
    name, first, last = person.get("name", ""), person.get("first_name", ""), person.get("last_name", "")
    if not name:
        return f"{first} {last}".strip()
    if not first and not last:
        first, last = cleaning.split_name(name)
        person.update({key: value for key, value in (("first_name", first), ("last_name", last)) if value})
    return str(name)


def _name_from(address: str, record: Record) -> str:
    local = address.partition("@")[0].partition("+")[0]
    record.cleaned.append(["", address, "no name, so the address stands for it"])
    return " ".join(part.capitalize() for part in local.replace("_", ".").split(".") if part)


def _name_owner(values: dict[str, Any]) -> None:
    if "owner" in values:
        values["owner_id"] = values.pop("owner")


def _add_extra(values: dict[str, Any]) -> None:
    if extra := values.pop("extra", None):
        values["notes"] = "\n".join(filter(None, [values.get("notes", ""), *extra]))[:20_000]


def _excerpt(cells: Sequence[str]) -> str:
    text = " · ".join(cell.strip() for cell in cells if cell.strip())[:200]
    return "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "�" for c in text)
