"""One row of cells to one clean record, or the reason why it cannot be taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.tabular import Row
from common.text import company_key, domain_key, email_key, normalise
from people.importing import cleaning
from people.importing.cleaning import Blank, Wrong
from people.importing.mapping import Column
from people.importing.targets import Kind
from people.importing.vocabulary import FREE_MAIL

SHIFTED = "The cells of this row look shifted by one column: a telephone number stands where the website belongs."
MAX_CLEANED = 10


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
    domain: str = ""
    cleaned: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Reader:
    index: int
    header: str
    key: str
    label: str
    part: str
    field: str
    kind: Kind
    max_length: int


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


class Validator:
    """Reads rows by the mapping. ``owners`` maps the normalised name or address of a member to the member's id."""

    def __init__(self, columns: Sequence[Column], *, owners: Mapping[str, str]) -> None:
        self._owners = owners
        self._width = len(columns)
        self._readers = [
            _Reader(
                c.index,
                c.header,
                c.target.key,
                c.target.label,
                c.target.part,
                c.target.field,
                c.target.kind,
                c.target.max_length,
            )
            for c in columns
            if c.target is not None
        ]
        keys = {reader.key for reader in self._readers}
        self._names_people = any(key.startswith("person.") for key in keys)
        self._phone = next((r.index for r in self._readers if r.key in {"account.phone", "person.phone"}), None)
        self._website = next((r.index for r in self._readers if r.key == "account.website"), None)

    def read(self, row: Row, row_no: int) -> Record:
        """The record of a row; never raises for what a row contains."""
        cells = row.cells
        record = Record(row_no, row.line)
        try:
            if row.problem:
                raise Wrong(row.problem)
            if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
                raise Wrong(f"The row has {len(cells)} cells, the header has {self._width}.")
            self._refuse_shifted(cells)
            values = self._values(cells, record)
            self._company(values, record)
            if self._names_people:
                self._person(values, record)
            if record.company is None and record.person is None:
                raise Wrong("The row has no company name." if not self._names_people else "The row names nobody.")
        except Wrong as wrong:
            return Record(row_no, row.line, reason=str(wrong), excerpt=_excerpt(cells))
        return record

    def _values(self, cells: Sequence[str], record: Record) -> dict[str, Any]:
        values: dict[str, Any] = {}
        width = len(cells)
        for reader in self._readers:
            if reader.index >= width:
                continue
            text = cells[reader.index]
            if not text or not (text := cleaning.tidy(text)):
                continue
            if len(text) <= 40 and cleaning.is_empty_word(text, header=reader.header):
                _note(record, reader, text, "stands for no value")
                continue
            try:
                self._take(values, reader, text)
            except Blank as blank:
                _note(record, reader, text, str(blank))
        return values

    def _take(self, values: dict[str, Any], reader: _Reader, text: str) -> None:
        kind, key = reader.kind, reader.key
        if kind is Kind.OWNER:
            owner = self._owners.get(normalise(text))
            if owner is None:
                raise Blank("not a member of this organization")
            values[key] = owner
            return
        if kind is Kind.EXTRA:
            values.setdefault(key, []).append(f"{reader.header}: {text}")
            return
        cleaner = _CHOICES.get(reader.field) if kind is Kind.CHOICE else _CLEANERS.get(kind)
        value = cleaner(text) if cleaner else text
        if reader.max_length and isinstance(value, str) and len(value) > reader.max_length:
            raise Wrong(f"{reader.label} is longer than {reader.max_length:,} characters.")
        if isinstance(value, list) and key in values:
            values[key].extend(value)
        else:
            values[key] = value

    def _refuse_shifted(self, cells: Sequence[str]) -> None:
        if self._phone is None or self._website is None or max(self._phone, self._website) >= len(cells):
            return
        website, phone = cells[self._website].strip(), cells[self._phone].strip()
        if (
            website[:1] in {"+", "0", "("}
            and cleaning.looks_like_phone(website)
            and not cleaning.looks_like_phone(phone)
        ):
            raise Wrong(SHIFTED)

    def _company(self, values: Mapping[str, Any], record: Record) -> None:
        name = values.get("account.name", "")
        if not name:
            record.domain = domain_key(values.get("account.website", ""))
            return
        company = {key[8:]: value for key, value in values.items() if key.startswith("account.")}
        record.account_tags = company.pop("tags", [])
        if "owner" in company:
            company["owner_id"] = company.pop("owner")
        _add_extra(company)
        record.company = company
        record.company_key = key_of_company(name, company.get("website", ""))
        record.target = {key[7:]: value for key, value in values.items() if key.startswith("target.")}
        if "owner" in record.target:
            record.target["owner_id"] = record.target.pop("owner")
        record.hall, record.stand = values.get("stand.hall", ""), values.get("stand.number", "")

    def _person(self, values: Mapping[str, Any], record: Record) -> None:
        person = {key[7:]: value for key, value in values.items() if key.startswith("person.")}
        found: dict[str, str] = {}
        for address in person.pop("email", []):
            found.setdefault(email_key(address), address)
        record.emails = list(found.values())
        record.person_tags = person.pop("tags", [])
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
        for persona in person.pop("personas", []):
            person.setdefault(persona, True)
        if "owner" in person:
            person["owner_id"] = person.pop("owner")
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


def _add_extra(values: dict[str, Any]) -> None:
    if extra := values.pop("extra", None):
        values["notes"] = "\n".join(filter(None, [values.get("notes", ""), *extra]))[:20_000]


def _note(record: Record, reader: _Reader, text: str, why: str) -> None:
    if len(record.cleaned) < MAX_CLEANED:
        record.cleaned.append([reader.header, text[:120], why])


def _excerpt(cells: Sequence[str]) -> str:
    text = " · ".join(cell.strip() for cell in cells if cell.strip())[:200]
    return "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "�" for c in text)
