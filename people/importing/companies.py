"""The companies of a file against the accounts that exist: which are new, which change, which merely look alike."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from accounts.models import Account, AccountTag, Tag, TargetAccount
from accounts.signals import renamed
from common.bulk import insert_many, update_many
from common.happenings import Kind, announce_selected
from common.text import normalise
from people.import_models import ImportCompany, ListImport, Outcome
from people.importing.mapping import FILL, Column
from people.importing.targets import TARGETS
from people.importing.vocabulary import SHARED_SITES

ACCOUNT_FIELDS = {target.field for target in TARGETS.values() if target.part == "account"} - {"owner", "tags", "extra"}
ACCOUNT_FIELDS |= {"owner_id"}
DERIVED = ["name_norm", "name_key", "domain", "search_text"]
TARGET_FIELDS = ["tier", "status", "stage", "notes", "owner_id"]


@dataclass
class Policies:
    """Which fields of which part may only fill blanks."""

    fill: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, columns: Iterable[Column]) -> "Policies":
        fill = {column.target.key for column in columns if column.target and column.policy == FILL}
        fill |= {key.replace(".extra", ".notes") for key in fill if key.endswith(".extra")}
        return cls({key.replace(".owner", ".owner_id") for key in fill})

    def apply(self, row: models.Model, part: str, values: dict[str, Any]) -> set[str]:
        """Set what may be set on ``row`` and return the names of the fields that changed."""
        changed = set()
        for name, value in values.items():
            old = getattr(row, name)
            if value in ("", None) or old == value:
                continue
            if f"{part}.{name}" in self.fill and old not in ("", None, False):
                continue
            setattr(row, name, value)
            changed.add(name)
        return changed


def compare(list_import: ListImport, policies: Policies, companies: Sequence[ImportCompany], *, write: bool) -> None:
    """Decide what becomes of each company and, with ``write``, do it. Outcome and account are noted on the rows."""
    matches = _find(list_import, companies)
    fresh: list[tuple[ImportCompany, Account]] = []
    known: list[tuple[ImportCompany, Account]] = []
    taken: set[UUID] = set()
    now = timezone.now()
    for company in companies:
        account = matches.account_of(company)
        if account is not None and account.pk not in taken:
            taken.add(account.pk)
            company.resembles = ""
            known.append((company, account))
        elif list_import.mode == ListImport.Mode.UPDATE:
            company.outcome, company.account_id = Outcome.REJECTED, None
        else:
            fresh.append((company, _new_account(list_import, company, now)))
    _settle_new(list_import, fresh, matches, now, write=write)
    _settle_known(list_import, policies, known, now, write=write)
    update_many_companies(companies)


def update_many_companies(companies: Sequence[ImportCompany]) -> None:
    if not companies:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_importcompany c SET account_id = n.account_id, outcome = n.outcome, resembles = n.resembles "
            "FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::text[]) AS n(key, account_id, outcome, resembles) "
            "WHERE c.list_import_id = %s AND c.key = n.key",
            [
                [c.key for c in companies],
                [c.account_id for c in companies],
                [c.outcome for c in companies],
                [c.resembles for c in companies],
                companies[0].list_import_id,
            ],
        )


def label(domain: str) -> str:
    """The part of a registrable domain that names the company: ``abb`` in ``abb.com`` and ``abb.de``."""
    return domain.partition(".")[0]


class _Matches:
    """Existing accounts that share a name or a domain with one of the companies."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_key: dict[str, list[Account]] = defaultdict(list)
        self._by_domain: dict[str, list[Account]] = defaultdict(list)
        for account in accounts:
            self._by_key[account.name_key].append(account)
            if account.domain:
                self._by_domain[account.domain].append(account)

    def account_of(self, company: ImportCompany) -> Account | None:
        """The same company: one name, and sites that do not speak against it; or one site and one compact name."""
        compact = company.name_key.replace(" ", "")
        same_site = [a for a in self._by_domain.get(company.domain, ()) if a.name_key.replace(" ", "") == compact]
        if company.domain and same_site:
            return same_site[0]
        same_name = self._by_key.get(company.name_key, [])
        ranked = [(self._distance(company, account), number) for number, account in enumerate(same_name)]
        best = min(ranked, default=(9, 0))
        return same_name[best[1]] if best[0] < 3 else None

    @staticmethod
    def _distance(company: ImportCompany, account: Account) -> int:
        if company.domain == account.domain:
            return 0
        if not company.domain or not account.domain:
            return 2
        return 1 if label(company.domain) == label(account.domain) else 3

    def look_alike(self, company: ImportCompany) -> str:
        """In words, an account that may be the same company although the rules do not say so."""
        known_site = company.domain and company.domain not in SHARED_SITES
        for account in self._by_domain.get(company.domain, ()) if known_site else ():
            return f"{account.name} (the same website)"
        for account in self._by_key.get(company.name_key, ()):
            return f"{account.name} (the same name, website {account.domain})"
        return ""


def _find(list_import: ListImport, companies: Sequence[ImportCompany]) -> _Matches:
    accounts = Account.objects.for_org(list_import.organization_id)
    keys = [c.name_key for c in companies]
    domains = [c.domain for c in companies if c.domain]
    found = {a.pk: a for a in accounts.filter(name_key__in=keys)}
    found |= {a.pk: a for a in accounts.filter(domain__in=domains)}
    return _Matches(sorted(found.values(), key=lambda a: (a.created_at, a.pk)))


def _values(data: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in data.items() if name in ACCOUNT_FIELDS}
    if "revenue" in values:
        values["revenue"] = Decimal(values["revenue"])
    if "owner_id" in values:
        values["owner_id"] = UUID(values["owner_id"])
    return values


def _new_account(list_import: ListImport, company: ImportCompany, now: datetime) -> Account:
    account = Account(
        organization_id=list_import.organization_id,
        created_at=now,
        updated_at=now,
        source=f"Import: {list_import.file_name}"[:120],
        **_values(company.data),
    )
    account.derive()
    return account


def _settle_new(
    list_import: ListImport,
    pairs: list[tuple[ImportCompany, Account]],
    matches: _Matches,
    now: datetime,
    *,
    write: bool,
) -> None:
    for company, account in pairs:
        company.outcome = Outcome.CREATED
        company.resembles = company.resembles or matches.look_alike(company)
        company.account_id = account.pk if write else None
    if not write or not pairs:
        return
    insert_many([account for _company, account in pairs])
    _target(list_import, pairs, now)
    _tag(list_import, pairs, now)
    _announce(list_import, Kind.ACCOUNT_CREATED, [account.pk for _company, account in pairs])


def _settle_known(
    list_import: ListImport,
    policies: Policies,
    pairs: list[tuple[ImportCompany, Account]],
    now: datetime,
    *,
    write: bool,
) -> None:
    changed, names = [], set()
    may_change = list_import.mode != ListImport.Mode.CREATE
    touched = _target(list_import, pairs, now, policies=policies if may_change else None, write=write)
    touched |= _tag(list_import, pairs, now, write=write) if may_change else set()
    for company, account in pairs:
        fields = policies.apply(account, "account", _values(company.data)) if may_change else set()
        company.account_id = account.pk
        company.outcome = Outcome.UPDATED if fields or account.pk in touched else Outcome.UNCHANGED
        if fields:
            account.updated_at = now
            account.derive()
            changed.append(account)
            names |= fields
    if write and changed:
        update_many(changed, [*(n.removesuffix("_id") for n in names), *DERIVED, "updated_at"])
        if "name" in names:
            refresh_names(list_import, changed)
        _announce(list_import, Kind.ACCOUNT_UPDATED, [account.pk for account in changed])


def refresh_names(list_import: ListImport, accounts: Sequence[Account]) -> None:
    TargetAccount.objects.for_org(list_import.organization_id).filter(account__in=accounts).update(
        name_norm=models.Subquery(Account.objects.filter(pk=models.OuterRef("account_id")).values("name_norm")[:1])
    )
    for account in accounts:
        renamed.send(sender=Account, account=account)


def _target(
    list_import: ListImport,
    pairs: Sequence[tuple[ImportCompany, Account]],
    now: datetime,
    *,
    policies: Policies | None = None,
    write: bool = True,
) -> set[UUID]:
    """Tie the accounts to the event of the import; returns those for which that changed something."""
    if list_import.event_id is None or not pairs:
        return set()
    existing = {
        target.account_id: target
        for target in TargetAccount.objects.for_org(list_import.organization_id).filter(
            event_id=list_import.event_id, account_id__in=[account.pk for _company, account in pairs]
        )
    }
    fresh, changed, names = [], [], set()
    for company, account in pairs:
        values = {name: value for name, value in company.target.items() if name in TARGET_FIELDS}
        if "owner_id" in values:
            values["owner_id"] = UUID(values["owner_id"])
        target = existing.get(account.pk)
        if target is None:
            fresh.append(
                TargetAccount(
                    organization_id=list_import.organization_id,
                    event_id=list_import.event_id,
                    account_id=account.pk,
                    name_norm=account.name_norm,
                    created_at=now,
                    updated_at=now,
                    **values,
                )
            )
        elif policies is not None and (fields := policies.apply(target, "target", values)):
            target.updated_at = now
            changed.append(target)
            names |= fields
    if write:
        insert_many(fresh, ignore_conflicts=True)
        update_many(changed, [*(n.removesuffix("_id") for n in names), "updated_at"])
    return {target.account_id for target in (*fresh, *changed)}


def tags_by_name(list_import: ListImport, names: Iterable[str], now: datetime, *, write: bool) -> dict[str, UUID]:
    """The tags of the organization by normalised name; missing ones are made when ``write``."""
    wanted = {normalise(name): name for name in names}
    tags = Tag.objects.for_org(list_import.organization_id)
    found = dict(tags.filter(name_norm__in=wanted).values_list("name_norm", "pk"))
    missing = [norm for norm in wanted if norm not in found]
    if write and missing:
        Tag.objects.bulk_create(
            [Tag(organization_id=list_import.organization_id, name=wanted[norm], name_norm=norm) for norm in missing],
            ignore_conflicts=True,
        )
        found = dict(tags.filter(name_norm__in=wanted).values_list("name_norm", "pk"))
    return found


def _tag(
    list_import: ListImport, pairs: Sequence[tuple[ImportCompany, Account]], now: datetime, *, write: bool = True
) -> set[UUID]:
    """Add the labels of the companies; returns the accounts that got one they did not have."""
    wanted = [(account.pk, normalise(tag), tag) for company, account in pairs for tag in company.tags]
    if not wanted:
        return set()
    tags = tags_by_name(list_import, (tag for _pk, _norm, tag in wanted), now, write=write)
    have = set(
        AccountTag.objects.for_org(list_import.organization_id)
        .filter(account_id__in={pk for pk, _norm, _tag in wanted})
        .values_list("account_id", "tag_id")
    )
    missing = {(pk, norm) for pk, norm, _tag in wanted if norm not in tags or (pk, tags[norm]) not in have}
    if write:
        AccountTag.objects.bulk_create(
            [
                AccountTag(organization_id=list_import.organization_id, account_id=pk, tag_id=tags[norm])
                for pk, norm in sorted(missing)
            ],
            ignore_conflicts=True,
        )
    return {pk for pk, _norm in missing}


def _announce(list_import: ListImport, kind: Kind, ids: Sequence[UUID]) -> None:
    announce_selected(
        "SELECT %s, %s::uuid, %s::uuid, %s::uuid, id, NULL::uuid, left(name, 280) || %s FROM accounts_account "
        "WHERE organization_id = %s AND id = ANY(%s)",
        [
            kind.value,
            list_import.organization_id,
            list_import.created_by_id,
            list_import.event_id,
            " was added" if kind is Kind.ACCOUNT_CREATED else " changed by a list",
            list_import.organization_id,
            list(ids),
        ],
    )
