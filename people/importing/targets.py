"""What a column of a list can mean."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.models import Account
from people.models import PERSONA_FLAGS, Person


class Kind(StrEnum):
    """How the text of a cell becomes a value."""

    TEXT = "text"
    NAME = "name"
    LONG = "long"
    URL = "url"
    LINKEDIN = "linkedin"
    PHONE = "phone"
    EMAIL = "email"
    WHOLE = "whole"
    MONEY = "money"
    FLAG = "flag"
    PERSONAS = "personas"
    CHOICE = "choice"
    OWNER = "owner"
    TAGS = "tags"
    EXTRA = "extra"


@dataclass(frozen=True)
class Target:
    """One meaning. ``many`` columns may share it; ``keeps`` says that filled values are kept unless told otherwise."""

    key: str
    label: str
    group: str
    kind: Kind = Kind.TEXT
    max_length: int = 0
    many: bool = False
    keeps: bool = False

    @property
    def part(self) -> str:
        """What it belongs to: account, target, stand or person."""
        return self.key.partition(".")[0]

    @property
    def field(self) -> str:
        return self.key.partition(".")[2]


COMPANY, AT_EVENT, PERSON = "Company", "At the event", "Person"
TEXT_LIMIT = 20_000


def _length(model: type[Account] | type[Person], field: str) -> int:
    return int(getattr(model._meta.get_field(field), "max_length", None) or TEXT_LIMIT)


def _account(field: str, label: str, kind: Kind = Kind.TEXT, *, keeps: bool = False) -> Target:
    return Target(f"account.{field}", label, COMPANY, kind, _length(Account, field), keeps=keeps)


def _person(field: str, label: str, kind: Kind = Kind.TEXT, *, keeps: bool = False) -> Target:
    return Target(f"person.{field}", label, PERSON, kind, _length(Person, field), keeps=keeps)


_ALL = [
    _account("name", "Company name", Kind.NAME, keeps=True),
    _account("website", "Website", Kind.URL),
    _account("industry", "Industry"),
    _account("description", "Description", Kind.LONG),
    _account("headquarters", "Headquarters"),
    _account("street", "Street"),
    _account("postal_code", "Postal code"),
    _account("city", "City"),
    _account("region", "State or region"),
    _account("country", "Country"),
    _account("phone", "Company phone", Kind.PHONE),
    _account("linkedin", "Company LinkedIn", Kind.LINKEDIN),
    _account("revenue", "Annual revenue (USD)", Kind.MONEY),
    _account("employee_count", "Employees", Kind.WHOLE),
    _account("notes", "Company notes", Kind.LONG, keeps=True),
    Target("account.owner", "Company owner", COMPANY, Kind.OWNER, keeps=True),
    Target("account.tags", "Company tags", COMPANY, Kind.TAGS, many=True),
    Target("account.extra", "Add to company notes", COMPANY, Kind.EXTRA, many=True, keeps=True),
    Target("stand.hall", "Hall", AT_EVENT, max_length=80),
    Target("stand.number", "Stand", AT_EVENT, max_length=60),
    Target("target.tier", "Tier", AT_EVENT, Kind.CHOICE),
    Target("target.status", "Status", AT_EVENT, Kind.CHOICE),
    Target("target.stage", "Stage", AT_EVENT, Kind.CHOICE),
    Target("target.owner", "Responsible at the event", AT_EVENT, Kind.OWNER, keeps=True),
    Target("target.notes", "Notes for the event", AT_EVENT, Kind.LONG, TEXT_LIMIT, keeps=True),
    _person("name", "Full name", Kind.NAME),
    _person("first_name", "First name", Kind.NAME),
    _person("last_name", "Last name", Kind.NAME),
    Target("person.email", "E-mail", PERSON, Kind.EMAIL, 254, many=True, keeps=True),
    _person("title", "Job title"),
    _person("seniority", "Seniority"),
    _person("department", "Department"),
    _person("phone", "Phone", Kind.PHONE),
    _person("mobile", "Mobile", Kind.PHONE),
    _person("linkedin", "LinkedIn", Kind.LINKEDIN),
    _person("city", "Person's city"),
    _person("country", "Person's country"),
    _person("notes", "Notes about the person", Kind.LONG, keeps=True),
    Target("person.owner", "Person's owner", PERSON, Kind.OWNER, keeps=True),
    Target("person.tags", "Person's tags", PERSON, Kind.TAGS, many=True),
    Target("person.personas", "Persona (in words)", PERSON, Kind.PERSONAS, many=True),
    *(Target(f"person.{flag}", f"Persona: {label}", PERSON, Kind.FLAG) for flag, label in PERSONA_FLAGS.items()),
    Target("person.extra", "Add to the person's notes", PERSON, Kind.EXTRA, many=True, keeps=True),
]

TARGETS: dict[str, Target] = {target.key: target for target in _ALL}
"""Every meaning by its key, in the order a page offers them."""
