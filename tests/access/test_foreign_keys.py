"""No form and no endpoint takes the id of another organization's row, or of somebody who is no member.

The database refuses such a row anyway (``tests/tenancy/test_catalog.py``); people should hear it as a plain "not found".
Forms, schemas and values that views read by themselves are found here without being told; what cannot be tried fails.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.datastructures import MultiValueDict

from accounts.bulk import Selection, find_subject
from accounts.models import Account, TargetAccount
from eventops.api import api
from events.models import Event
from identity.models import Invitation, Membership, Organization, User
from identity.scope import org_scope, system_scope
from meetings.models import BoothTable
from outreach.models import InboundMail, Mailbox, Template
from people.import_models import ListImport
from people.models import Person
from sequences.models import Enrollment, Sequence, SequenceVersion, Step
from tests.access.matrix import BUILDERS, MATRIX
from tests.factories import OrganizationFactory
from tests.tenancy.rows import fill

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = [
    "accounts", "activities", "analytics", "events", "identity", "integrations", "meetings", "outreach", "people", "research",
    "sequences",
]  # fmt: skip
CELLS = sorted({field.name for model in (Account, Person, TargetAccount) for field in model._meta.get_fields()})
"""Fields that the forms of a single cell may be asked for."""
KINDS = ["email", "task", "call", "mail", "wait", "linkedin"]


Rows = Mapping[type[models.Model], models.Model]


def form_classes() -> list[type[forms.BaseForm]]:
    """Every form of ours, wherever it is written."""
    assert get_resolver().url_patterns, "loads every module of the product"
    found: set[type[forms.BaseForm]] = set()
    waiting = [forms.BaseForm]
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found.update(form for form in below if form.__module__.partition(".")[0] in APPS)
    return sorted(found, key=_name)


def _name(form: type[forms.BaseForm]) -> str:
    return f"{form.__module__}.{form.__qualname__}"


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Rows, Rows]]:
    """One row of everything in our organization, and in another one."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _one_of_each(), _one_of_each()
        transaction.set_rollback(True)


def _one_of_each() -> Rows:
    organization = OrganizationFactory.create()
    made = fill(organization)
    with org_scope(organization.pk):
        Membership.objects.update(role="owner")
        Person.objects.update(email="ada@example.com")
    return made | {User: made[Membership].user, Organization: organization}


@pytest.fixture
def own(rows: tuple[Rows, Rows]) -> Rows:
    return rows[0]


@pytest.fixture
def foreign(rows: tuple[Rows, Rows]) -> Rows:
    return rows[1]


@pytest.fixture
def browser(own: Rows) -> Client:
    client = Client()
    client.force_login(own[User], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


# --- Forms -----------------------------------------------------------------------------------------------------------

OPEN_FORMS = {
    "accounts.filters.ListFilter": "made complete by its two children",
}
"""Forms that cannot be tried by themselves, and why that is all right."""


def arguments_of(own: Rows) -> dict[str, Any]:
    """What the constructors of our forms ask for, by name."""
    named = {model._meta.model_name: row for model, row in own.items()}
    return named | {
        "actor": own[Membership],
        "email": "x@example.com",
        "name": "Anything",
        "subject": "account",
        "list_import": own[ListImport],
        "selection": Selection(
            subject=find_subject("enrollments"), organization=own[Organization], user=own[User], event=None
        ),
    }


def variants(form: type[forms.BaseForm], own: Rows) -> Iterator[Callable[[QueryDict], forms.BaseForm]]:
    """How to build the form with some data: with what its constructor names, once for each cell and kind."""
    wanted = inspect.signature(form.__init__).parameters
    offered = {name: value for name, value in arguments_of(own).items() if name in wanted}
    choices = [
        [("field", cell) for cell in CELLS] if "field" in wanted else [],
        [("kind", kind) for kind in KINDS] if "kind" in wanted else [],
    ]
    for chosen in product(*[choice for choice in choices if choice]):
        arguments = offered | dict(chosen)
        first = next(iter(name for name in ("data", "query", "posted") if name in wanted), None)

        def build(data: QueryDict, arguments: dict[str, Any] = arguments, first: str | None = first) -> forms.BaseForm:
            return form(**arguments, **{first: data}) if first else form(data, **arguments)

        try:
            with transaction.atomic():
                build(QueryDict())
        except (KeyError, ValueError, FieldDoesNotExist):
            continue
        yield build


@pytest.mark.parametrize("form", form_classes(), ids=_name)
def test_no_form_takes_a_row_of_others(form: type[forms.BaseForm], own: Rows, foreign: Rows) -> None:
    if _name(form) in OPEN_FORMS:
        return
    taken = []
    with org_scope(own[Organization].pk):
        builds = list(variants(form, own))
        for build in builds:
            for row in foreign.values():
                taken += [name for name, field in build(QueryDict()).fields.items() if _takes(field, row)]
                taken += [f"clean: {name}" for name in _found_by_cleaning(build, row)]

    assert builds, f"{form.__name__} cannot be built: teach arguments_of what its constructor asks for"
    assert taken == []


def _takes(field: forms.Field, row: models.Model) -> bool:
    values = MultiValueDict({"x": [str(row.pk)]})
    given = field.widget.value_from_datadict(values, MultiValueDict(), "x")
    try:
        with transaction.atomic():
            cleaned = field.clean(given)
    except (ValidationError, TypeError, AttributeError, ValueError):
        return False
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        if not isinstance(row.pk, UUID):
            return False  # a small number that is a choice as well says nothing
        return str(row.pk) in ([cleaned] if isinstance(cleaned, str) else [str(value) for value in cleaned or []])
    return _is_in(row, cleaned)


def _is_in(row: models.Model, value: Any) -> bool:
    found = list(value) if isinstance(value, models.QuerySet | list | tuple | set) else [value]
    return any(isinstance(one, models.Model) and one == row for one in found)


def _found_by_cleaning(build: Callable[[QueryDict], forms.BaseForm], row: models.Model) -> Iterator[str]:
    """Where the row turns up when its id stands in every field: in what was cleaned or in what the form keeps."""
    data = QueryDict(mutable=True)
    for name in build(QueryDict()).fields:
        data[name] = str(row.pk)
    form = build(data)
    form.full_clean()
    for name, value in [*form.cleaned_data.items(), *vars(form).items()]:
        if _is_in(row, value):
            yield name


def test_the_check_would_notice(own: Rows, foreign: Rows) -> None:
    class Careless(forms.Form):
        person = forms.CharField()

        def clean_person(self) -> Person | None:
            with system_scope():
                return Person.objects.filter(pk=self.cleaned_data["person"]).first()

    with org_scope(own[Organization].pk):
        assert _takes(forms.ModelChoiceField(queryset=User.objects.all()), foreign[User])
        assert list(_found_by_cleaning(Careless, foreign[Person])) == ["person"]


# --- What views read from a posted form by themselves ----------------------------------------------------------------

READ = re.compile(r'request\.POST(?:\.get|\.getlist)?[\[(]"([a-z_]+)"')
PLAIN = {
    "all", "query", "action", "sure", "value", "next", "tell", "row", "outcome", "decision", "do", "replace", "archived",
    "after", "level", "letter", "paused", "reason", "back", "note",
}  # fmt: skip
"""Names of values that are no ids, wherever they are read."""
POSTS: list[tuple[str, str, dict[str, Any], Callable[[Rows], Any]]] = [
    ("id", "accounts:bulk", {"action": "delete", "sure": "1"}, lambda rows: rows[Account].pk),
    ("id", "people:bulk", {"action": "delete", "sure": "1"}, lambda rows: rows[Person].pk),
    ("event", "events:switch", {}, lambda rows: rows[Event].pk),
    ("organization", "identity:choose", {}, lambda rows: rows[Organization].pk),
    ("invitation", "identity:join", {}, lambda rows: rows[Invitation].pk),
    ("account", "meetings:create", {}, lambda rows: rows[Account].pk),
    ("move", "sequences:reorder", {}, lambda rows: f"up:{rows[Step].pk}"),
    ("step", "sequences:reorder", {}, lambda rows: rows[Step].pk),
    ("place", "sequences:reorder", {}, lambda rows: f"{rows[Step].pk}.yes:0"),
    ("moved", "sequences:reorder", {}, lambda rows: f"{rows[Step].pk}:main:0"),
    ("to", "sequences:act", {}, lambda rows: f"{rows[SequenceVersion].pk}:{rows[Step].pk}"),
    ("then", "outreach:handle", {}, lambda rows: rows[InboundMail].pk),
]
"""Value read, address, what else to post, and the id to try."""


def test_every_value_that_a_view_reads_by_itself_is_known_here() -> None:
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    read = {name for path in sources for name in READ.findall(path.read_text())}

    assert sorted(read - PLAIN) == sorted({name for name, *_ in POSTS})


@pytest.mark.parametrize(
    ("name", "route", "data", "value"), POSTS, ids=[f"{route} {name}" for name, route, *_ in POSTS]
)
def test_no_view_takes_an_id_of_others(
    name: str, route: str, data: dict[str, Any], value: Callable[[Rows], Any], browser: Client, own: Rows, foreign: Rows
) -> None:
    arguments = {
        "sequences:reorder": {"pk": own[Sequence].pk},
        "sequences:act": {"pk": own[Enrollment].pk, "action": "move"},
        "outreach:handle": {"pk": own[InboundMail].pk},
    }.get(route, {})

    response = browser.post(reverse(route, kwargs=arguments), data | {name: str(value(foreign))}, follow=True)

    with org_scope(foreign[Organization].pk):
        assert all(type(row)._default_manager.filter(pk=row.pk).exists() for row in foreign.values())
    assert response.status_code in {200, 404, 409, 422}
    assert str(foreign[Account]).encode() not in response.content
    assert browser.get("/settings/").context["request"].organization == own[Organization]


# --- The API ---------------------------------------------------------------------------------------------------------

MODEL_OF = {
    "event": Event, "account": Account, "person": Person, "people": Person, "table": BoothTable, "template": Template,
    "mailbox": Mailbox, "rep": User, "assigned": User,
}  # fmt: skip
"""The first word of a field's name to the model whose id it holds."""
REFUSALS = {404, 422}


def id_fields(operation: Any) -> Iterator[tuple[str, type[models.Model] | None, bool]]:
    """``(field, its model, is a list)`` of the ids that the body or the form of an operation may carry."""
    for model in operation.models:
        if model.__ninja_param_source__ not in {"body", "form"}:
            continue
        schema = model.model_json_schema()
        for part in [schema, *schema.get("$defs", {}).values()]:
            for name, described in part.get("properties", {}).items():
                if '"uuid"' in json.dumps(described) or re.search(r"(_id|Id|_ids|Ids)$", name):
                    word = re.split(r"[_A-Z]", name)[0]
                    yield name, MODEL_OF.get(word), "array" in json.dumps(described)


WRITES = {key: fields for key, op in api.operations.items() if (fields := list(id_fields(op)))}


def test_every_id_in_a_body_is_known_to_this_test() -> None:
    assert [(key, name) for key, fields in WRITES.items() for name, model, _ in fields if model is None] == []


@pytest.mark.parametrize("key", sorted(WRITES), ids=" ".join)
def test_no_operation_takes_an_id_of_others(key: tuple[str, str], own: Rows, foreign: Rows, browser: Client) -> None:
    """And it takes our own in the same place, so what is refused is the id."""
    answers = {}

    for name, model, many in WRITES[key]:
        for whose, rows in (("own", own), ("foreign", foreign)):
            value = str(rows[model].pk)
            answers[name, whose] = _call(browser, key, own, {name: [value] if many else value})

    expected = {(name, whose): "refused" if whose == "foreign" else "taken" for name, whose in answers}
    assert answers == expected


def _call(browser: Client, key: tuple[str, str], own: Rows, tried: dict[str, Any]) -> str:
    """What comes of a valid body with ``tried`` in it; its other ids are those of ``own``, so that they fit together."""
    method, path = key
    rule = MATRIX[f"{method} {path}"]
    with transaction.atomic():
        for name, builder in rule.arguments.items():
            row = arguments_of(own).get(builder)
            path = path.replace(f"{{{name}}}", str(row.pk if row else BUILDERS[builder](own[Organization])))
        body = dict(rule.data_for(own[Organization]) or {})
        for name, model, many in WRITES[key]:
            if name in body:
                body[name] = [str(own[model].pk)] if many else str(own[model].pk)
        body |= tried
        files = [value for value in body.values() if isinstance(value, UploadedFile)]
        for file in files:
            file.seek(0)
        how = {} if files else {"content_type": "application/json"}
        answer = getattr(browser, method.lower())(path, body, **how)
        connection.check_constraints()
        transaction.set_rollback(True)
    if answer.status_code in REFUSALS:
        return "refused"
    return "taken" if answer.status_code < 400 else f"{answer.status_code}: {answer.content.decode()[:200]}"
