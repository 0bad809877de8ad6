"""What the lists of accounts can be filtered by; the same words serve the page, bulk actions, exports and the API."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict

from accounts.models import Account, AccountTag, Stand, Tag, TargetAccount, Tier
from accounts.owners import members
from common.lists import COUNT_CAP, Chip, Count, capped_count, exact_count, expected_rows, in_round
from common.paging import Page, keyset_page
from common.search import Found, OutOfTime, collect, find, walking, words_of
from events.models import Event
from identity.models import Organization, User

Rows = QuerySet[Any, Any]

COUNT_PATIENCE_MS = 15
FEW = 5_000
"""So many rows are sorted faster than their first page is found by reading an index in its order."""


@dataclass(frozen=True, kw_only=True)
class ExtraFilter:
    """A filter that a higher app adds. ``apply`` gets the rows, the chosen value and the event (or None)."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    apply: Callable[[Rows, str, Event | None], Rows]
    field: Callable[[], forms.Field] | None = None
    """Another field than a choice, for a filter that only a link sets."""
    words: Callable[[str], str] | None = None


extra_filters: dict[str, list[ExtraFilter]] = {"accounts": [], "people": []}
"""Register from the app's ``ready``: ``extra_filters["people"].append(ExtraFilter(…))``."""


class ListFilter(forms.Form):
    """The query string of a list, understood. What makes no sense in it is left out, never an error page."""

    subject: ClassVar[str] = "accounts"
    table: ClassVar[str] = "accounts_account"
    sorts: ClassVar[Mapping[str, Sequence[str]]] = {}
    default_sort: ClassVar[str] = "name"

    q = forms.CharField(label="Search", required=False, max_length=200)

    def __init__(
        self,
        query: QueryDict,
        *,
        organization: Organization,
        user: User,
        event: Event | None = None,
        patient: bool = False,
    ) -> None:
        """``patient`` says that somebody waits for all of it, not for a page."""
        super().__init__(query)
        self.query, self.organization, self.user = query, organization, user
        self.id_path, self.text_path = "id", "search_text"
        self.everything = event is None or query.get("all") == "1"
        self.event = None if self.everything else event
        for extra in extra_filters[self.subject]:
            choices = [("", "Any"), *extra.choices]
            self.fields[extra.name] = (
                extra.field() if extra.field else forms.ChoiceField(label=extra.label, choices=choices, required=False)
            )
        self.prepare()
        self.is_valid()
        self.chosen = {k: v for k, v in self.cleaned_data.items() if v not in (None, "", [])}
        self.patient = patient
        self.found: Found | None = None
        self._expected: int | None = None
        self._whole: int | None = None
        self._seen = 0

    def prepare(self) -> None:
        """Fill in choices, and drop the fields that make no sense on this list."""

    @property
    def sort(self) -> str:
        wanted = self.query.get("sort", "")
        return wanted if wanted in self.sorts else self.default_sort

    @property
    def sort_fields(self) -> Sequence[str]:
        return self.sorts[self.sort]

    def ordered(self, rows: Rows) -> Rows:
        """The rows in the list's order, those without a value last, as the pages show them."""
        terms: list[Any] = []
        for name in self.sort_fields:
            column = F(name.lstrip("-"))
            terms.append(column.desc(nulls_last=True) if name.startswith("-") else column.asc(nulls_last=True))
        return rows.order_by(*terms, "-pk" if self.sort.startswith("-") else "pk")

    def query_string(self, **changes: Any) -> str:
        """The list's address without its page, with some values changed (None removes)."""
        params = self.query.copy()
        for name in ("cursor", "csrfmiddlewaretoken"):
            params.pop(name, None)
        for name, value in changes.items():
            params.pop(name, None)
            if value is not None:
                params.setlist(name, value if isinstance(value, list) else [value])
        for name in [name for name, values in params.lists() if not any(values)]:
            params.pop(name)
        return params.urlencode()

    def rows(self) -> Rows:
        """The filtered rows, unsorted."""
        return self.searched(self.with_extras(self.filtered(self.base())))

    def base(self) -> Rows:
        raise NotImplementedError

    def filtered(self, rows: Rows) -> Rows:
        raise NotImplementedError

    def with_extras(self, rows: Rows) -> Rows:
        for extra in extra_filters[self.subject]:
            if value := self.chosen.get(extra.name):
                rows = extra.apply(rows, value, self.event)
        return rows

    def searched(self, rows: Rows) -> Rows:
        text = self.chosen.get("q", "")
        if not text:
            return rows
        self.found = find(self.table, text, patient=self.patient)
        if self.found.complete:
            return self._among(rows, self.found)
        # A frequent word: reading the list in its own order meets enough of them soon.
        for word in words_of(text):
            if len(word) < 3:
                rows = rows.filter(
                    Q(**{f"{self.text_path}__startswith": word}) | Q(**{f"{self.text_path}__contains": f" {word}"})
                )
            else:
                rows = rows.filter(**{f"{self.text_path}__contains": word})
        return rows

    def _among(self, rows: Rows, found: Found) -> Rows:
        return rows.filter(**{f"{self.id_path}__any_of": found.array})

    @property
    def frequent(self) -> bool:
        """Whether the search is for words of so many rows that these were not collected."""
        return self.found is not None and not self.found.complete

    def page(self, rows: Rows, *, cursor: str = "", limit: int = 50) -> Page[Any]:
        """A page of ``rows`` in the list's order. Raises ``InvalidCursor``."""
        page = self._page(rows, cursor=cursor, limit=limit)
        if not cursor:
            self._seen = len(page.items)
            self._whole = None if page.has_more else self._seen
        return page

    def _page(self, rows: Rows, **place: Any) -> Page[Any]:
        """Many rows are read in the order of the sort until the page is full, few are collected and sorted.

        The planner tells which it will be; of words it cannot, and the clock decides.
        """
        if self.frequent or self.expected(rows) > FEW:
            with suppress(OutOfTime), walking():
                return keyset_page(rows, sort=self.sort_fields, **place)
        if self.frequent:
            with suppress(OutOfTime):
                found = collect(self.table, self.chosen["q"])
                self.found = replace(found, guessable=found.number == 0)
                rows = self._among(rows, found) if found.complete else rows
        return keyset_page(rows, sort=self.sort_fields, **place)

    def expected(self, rows: Rows) -> int:
        """How many ``rows`` the planner expects, asked once."""
        if self._expected is None:
            self._expected = expected_rows(rows)
        return self._expected

    def count(self, rows: Rows) -> Count:
        """How many there are, without taking long: exact, about, or of a frequent word at least. Ask after ``page``."""
        if self._whole is not None:
            return Count(self._whole)
        if self.found and self.frequent:
            only_search = self.everything and len(self.chosen) == 1
            return Count(max(self.found.number if only_search else 0, self._seen), more=True)
        if (expected := self.expected(rows)) > COUNT_CAP:
            return Count(in_round(expected), about=True)
        return capped_count(rows, patience_ms=COUNT_PATIENCE_MS)

    def exact_count(self) -> Count | None:
        return exact_count(self.rows())

    def owner_filter(self, path: str = "owner") -> Q:
        values = self.chosen.get("owner", [])
        condition = Q()
        ids = [self.user.pk if value == "me" else UUID(value) for value in values if value != "none"]
        if ids:
            condition |= Q(**{f"{path}_id__in": ids})
        if "none" in values:
            condition |= Q(**{f"{path}_id": None})
        return condition

    def chips(self) -> list[Chip]:
        """The filters in words, each with the address of the list without it."""
        chips = []
        for name, value in self.chosen.items():
            if name in {"score_min", "score_max"}:
                continue
            chips.append(Chip(self.words(name, value), self.query_string(**{name: None})))
        low, high = self.chosen.get("score_min"), self.chosen.get("score_max")
        if low is not None or high is not None:
            text = f"score {low or 0}–{100 if high is None else high}"
            chips.append(Chip(text, self.query_string(score_min=None, score_max=None)))
        return [
            Chip(chip.text[:1].upper() + chip.text[1:] if n == 0 else chip.text, chip.remove)
            for n, chip in enumerate(chips)
        ]

    def words(self, name: str, value: Any) -> str:
        if name == "q":
            return f"“{value}”"
        for extra in extra_filters[self.subject]:
            if extra.name == name and extra.words:
                return extra.words(value)
        field = self.fields[name]
        label = str(field.label or name).lower()
        if isinstance(field, forms.BooleanField):
            return label
        if isinstance(field, (forms.MultipleChoiceField, forms.ChoiceField)):
            names = {
                str(key): str(text)
                for key, text in list(cast("Any", field.choices))
                if not isinstance(text, (list, tuple))
            }
            chosen = value if isinstance(value, list) else [value]
            text = " or ".join(names.get(str(item), str(item)) for item in chosen)
            return f"owned by {text}" if name == "owner" else f"{label} {text}"
        return f"{label} {value}"


def set_choices(form: forms.Form, name: str, choices: Callable[[], list[tuple[str, str]]]) -> None:
    """Give a choice field its choices, asked of the database only when somebody looks."""
    form.fields[name].choices = choices  # type: ignore[attr-defined]


def owner_choices(organization: Organization) -> list[tuple[str, str]]:
    return [("me", "me"), ("none", "nobody"), *((str(user.pk), str(user)) for user in members(organization.pk))]


def tag_choices(organization: Organization) -> list[tuple[str, str]]:
    return [(str(tag.pk), tag.name) for tag in Tag.objects.for_org(organization)[:500]]


def hall_choices(event: Event | None) -> list[tuple[str, str]]:
    """The halls of the show in which a target has a stand."""
    halls = Stand.objects.filter(target__event=event).exclude(hall="").order_by("hall").values_list("hall", flat=True)
    return [("", "Any"), *((hall, hall) for hall in halls.distinct()[:200])]


class AccountFilter(ListFilter):
    """Target accounts of the event, or all accounts of the organization."""

    subject = "accounts"
    sorts: ClassVar[Mapping[str, Sequence[str]]] = {
        "name": ["name_norm"], "-name": ["-name_norm"], "score": ["icp_score"], "-score": ["-icp_score"],
        "created": ["created_at"], "-created": ["-created_at"],
    }  # fmt: skip
    default_sort = "-score"

    tier = forms.MultipleChoiceField(choices=[*Tier.choices, ("none", "none")], required=False)
    status = forms.MultipleChoiceField(choices=TargetAccount.Status.choices, required=False)
    stage = forms.MultipleChoiceField(choices=TargetAccount.Stage.choices, required=False)
    owner = forms.MultipleChoiceField(required=False)
    score_min = forms.IntegerField(label="Score from", min_value=0, max_value=100, required=False)
    score_max = forms.IntegerField(label="Score to", min_value=0, max_value=100, required=False)
    tag = forms.MultipleChoiceField(required=False)
    hall = forms.ChoiceField(required=False)
    country = forms.CharField(max_length=80, required=False)
    contact = forms.ChoiceField(
        label="People", choices=[("", "Any"), ("yes", "at least one"), ("no", "none yet")], required=False
    )

    def prepare(self) -> None:
        self.id_path = "id" if self.everything else "account__id"
        self.text_path = "search_text" if self.everything else "account__search_text"
        set_choices(self, "owner", lambda: owner_choices(self.organization))
        set_choices(self, "tag", lambda: tag_choices(self.organization))
        set_choices(self, "hall", lambda: hall_choices(self.event))
        if self.everything:
            for name in ("tier", "status", "stage", "score_min", "score_max", "hall"):
                del self.fields[name]

    @property
    def sort(self) -> str:
        wanted = super().sort
        return "name" if self.everything and wanted.endswith("score") else wanted

    def base(self) -> Rows:
        if self.event is None:
            return Account.objects.for_org(self.organization)
        return TargetAccount.objects.for_org(self.organization).at(self.event)

    def filtered(self, rows: Rows) -> Rows:
        chosen, path = self.chosen, "" if self.everything else "account__"
        if tiers := chosen.get("tier"):
            rows = rows.filter(tier__in=["" if tier == "none" else tier for tier in tiers])
        for name in ("status", "stage"):
            if values := chosen.get(name):
                rows = rows.filter(**{f"{name}__in": values})
        if chosen.get("owner"):
            rows = rows.filter(self.owner_filter())
        if (low := chosen.get("score_min")) is not None:
            rows = rows.filter(icp_score__gte=low)
        if (high := chosen.get("score_max")) is not None:
            rows = rows.filter(icp_score__lte=high)
        account = OuterRef("pk" if self.everything else "account_id")
        if tags := chosen.get("tag"):
            rows = rows.filter(Exists(AccountTag.objects.filter(account=account, tag__in=tags)))
        if hall := chosen.get("hall"):
            rows = rows.filter(Exists(Stand.objects.filter(target=OuterRef("pk"), hall=hall)))
        if country := chosen.get("country"):
            rows = rows.filter(**{f"{path}country": country})
        if contact := chosen.get("contact"):
            has = Exists(Account.people.rel.related_model.objects.filter(account=account))  # type: ignore[attr-defined]
            rows = rows.filter(has if contact == "yes" else ~has)
        return rows
