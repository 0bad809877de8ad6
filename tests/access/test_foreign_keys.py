"""No form and no endpoint takes the id of another organization's row, or of somebody who is no member.

The database refuses such a row anyway (``tests/tenancy/test_catalog.py``); people should hear it as a plain "not found".
"""

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection, models, transaction
from django.test import Client
from django.utils.datastructures import MultiValueDict

from accounts.models import Account, TargetAccount
from eventops.api import api
from events.models import Event
from identity.models import Membership, Organization, User
from identity.scope import org_scope
from people.models import Person
from tests.access.matrix import BUILDERS, MATRIX
from tests.factories import OrganizationFactory
from tests.tenancy.rows import fill

APPS = [
    "accounts", "activities", "analytics", "events", "identity", "integrations", "meetings", "outreach", "people", "research",
    "sequences",
]  # fmt: skip
CELLS = sorted({field.name for model in (Account, Person, TargetAccount) for field in model._meta.get_fields()})
"""Fields that the forms of a single cell may be asked for."""
KINDS = ["email", "task", "call", "mail", "wait", "linkedin"]


def form_classes() -> list[type[forms.BaseForm]]:
    found = []
    for app in APPS:
        try:
            module = importlib.import_module(f"{app}.forms")
        except ModuleNotFoundError:
            continue
        ours = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
        found += [value for value in ours if inspect.isclass(value) and issubclass(value, forms.BaseForm)]
    return found


@pytest.fixture
def foreign(db: None) -> dict[type[models.Model], models.Model]:
    """One row of everything in another organization, and its member."""
    made = fill(OrganizationFactory.create())
    return made | {User: made[Membership].user}


@pytest.fixture
def own(organization: Organization, event: Event) -> Mapping[str, Any]:
    """What the constructors of our forms ask for."""
    made = fill(organization)
    membership = made[Membership]
    return {
        "organization": organization,
        "event": event,
        "actor": membership,
        "membership": membership,
        "email": "x@example.com",
        "subject": "account",
        "request": None,
    }


def instances(form: type[forms.BaseForm], own: Mapping[str, Any]) -> Iterator[forms.BaseForm]:
    """The form, built with what its constructor names; a form that has variants once for each."""
    wanted = [
        name
        for name, parameter in inspect.signature(form.__init__).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    variants: list[dict[str, Any]] = [{name: own[name] for name in wanted if name in own}]
    if "field" in wanted:
        variants = [v | {"field": cell} for v in variants for cell in CELLS]
    if "kind" in wanted:
        variants = [v | {"kind": kind} for v in variants for kind in KINDS]
    built = []
    for arguments in variants:
        try:
            built.append(form(data={}, **arguments))
        except (KeyError, ValueError, AttributeError, LookupError, FieldDoesNotExist):
            continue
    assert built, f"{form.__name__} cannot be built: teach this test what its constructor asks for"
    yield from built


@pytest.mark.parametrize("form", form_classes(), ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_no_form_takes_a_row_of_others(
    form: type[forms.BaseForm],
    organization: Organization,
    own: Mapping[str, Any],
    foreign: Mapping[type[models.Model], models.Model],
) -> None:
    taken = []
    with org_scope(organization.pk):
        for built in instances(form, own):
            for name, field in built.fields.items():
                taken += [(name, row) for row in foreign.values() if _takes(field, row)]

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
        return str(row.pk) in ([cleaned] if isinstance(cleaned, str) else [str(value) for value in cleaned or []])
    found = list(cleaned) if isinstance(cleaned, models.QuerySet) else [cleaned]
    return any(isinstance(value, models.Model) and value.pk == row.pk for value in found)


def test_the_check_would_notice(organization: Organization, foreign: Mapping[type[models.Model], models.Model]) -> None:
    careless = forms.ModelChoiceField(queryset=User.objects.all())

    assert _takes(careless, foreign[User])


# --- The API ---------------------------------------------------------------------------------------------------------

MODEL_OF = {
    "event": "events.event", "account": "accounts.account", "person": "people.person", "people": "people.person",
    "table": "meetings.boothtable", "template": "outreach.template", "mailbox": "outreach.mailbox",
    "campaign": "outreach.campaign", "tag": "accounts.tag", "meeting": "meetings.meeting", "sequence": "sequences.sequence",
    "rep": "identity.user", "owner": "identity.user", "assign": "identity.user", "user": "identity.user",
    "contact": "people.person", "target": "accounts.targetaccount", "message": "outreach.message",
}  # fmt: skip
"""The first word of a field's name to the model whose id it holds."""


def id_fields(operation: Any) -> list[tuple[str, str, bool]]:
    """``(field, label of its model, is a list)`` of the ids in the body of an operation."""
    found = []
    for model in operation.models:
        if model.__ninja_param_source__ != "body":
            continue
        schema = model.model_json_schema()
        parts = [schema, *schema.get("$defs", {}).values()]
        for part in parts:
            for name, described in part.get("properties", {}).items():
                if '"uuid"' in json.dumps(described):
                    word = next((word for word in MODEL_OF if name.lower().startswith(word)), None)
                    found.append((name, MODEL_OF.get(word or "", f"unknown: {name}"), "array" in json.dumps(described)))
    return found


WRITES = {key: fields for key, op in api.operations.items() if (fields := id_fields(op))}


def test_every_id_in_a_body_is_known_to_this_test() -> None:
    unknown = [(key, label) for key, fields in WRITES.items() for _, label, _ in fields if label.startswith("unknown")]

    assert unknown == []


@pytest.mark.parametrize("key", sorted(WRITES), ids=" ".join)
def test_no_operation_takes_an_id_of_others(
    key: tuple[str, str],
    organization: Organization,
    event: Event,
    foreign: Mapping[type[models.Model], models.Model],
    client_for: Callable[[User], Client],
    owner: User,
) -> None:
    method, path = key
    rule = MATRIX[f"{method} {path}"]
    by_label = {model._meta.label_lower: row for model, row in foreign.items()}
    browser = client_for(owner)
    taken = []

    for field, label, many in WRITES[key]:
        address = path
        for name, builder in rule.arguments.items():
            address = address.replace(f"{{{name}}}", str(BUILDERS[builder](organization)))
        value = str(by_label[label].pk)
        body = (rule.data_for(organization) or {}) | {field: [value] if many else value}
        with transaction.atomic():
            answer = getattr(browser, method.lower())(address, body, content_type="application/json")
            connection.check_constraints()
            transaction.set_rollback(True)
        if answer.status_code not in {400, 404, 409, 422}:
            taken.append((field, answer.status_code))

    assert taken == []
