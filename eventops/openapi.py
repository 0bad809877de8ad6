"""What the description of the API says beyond what ninja finds by itself: every error, an example of everything,
and which scope and role an operation needs."""

import re
from collections.abc import Callable
from typing import Any

from ninja.openapi.schema import OpenAPISchema
from ninja.schema import NinjaGenerateJsonSchema
from pydantic.json_schema import CoreModeRef, CoreRef, DefsRef

from common.envelopes import FieldProblem, Problem
from identity import idempotency
from identity.apiauth import SessionAuth, TokenAuth

ERRORS = {
    400: "The request cannot be read.",
    401: "Log in, or send a valid bearer token.",
    403: "Your role, or the scope of your token, does not allow this.",
    404: "Not found",
    409: "This conflicts with what is stored, or with another request under the same Idempotency-Key.",
    422: "Some values are not valid.",
    429: "Too many requests. Wait and try again.",
}
"""The errors any operation may answer with, and the words they come with."""

IDEMPOTENCY_PARAMETER = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": False,
    "description": "Any value of your own, for JSON bodies. The same request under the same key is carried out once; "
    "the answer is repeated for a day, with `Idempotent-Replayed: true`.",
    "schema": {"type": "string", "maxLength": idempotency.LONGEST},
    "example": "5f0c1d5e-import-42",
}
_BY_FORMAT = {
    "uuid": "0199a3c0-7d2e-7c3a-9f41-5b2f6a1c8e10",
    "date": "2026-12-08",
    "date-time": "2026-12-08T09:30:00Z",
    "time": "09:30:00",
    "email": "ada.lovelace@acme.example",
    "uri": "https://www.acme.example",
    "binary": "(file)",
}
_BY_NAME = {
    "name": "Acme GmbH",
    "title": "Head of Operations",
    "email": "ada.lovelace@acme.example",
    "phone": "+49 30 1234567",
    "website": "https://www.acme.example",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "country": "Germany",
    "city": "Berlin",
}


class QualifiedNames(NinjaGenerateJsonSchema):
    """Names a class inside another by both: ``EventCost.Kind`` and ``Meeting.Kind`` would else be one ``Kind``."""

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        reference, mode = core_mode_ref
        return super().get_defs_ref((CoreRef(re.sub(r"\b([A-Z]\w*)\.(?=[A-Z])", r"\1", reference)), mode))


class Description(OpenAPISchema):
    """Ninja's description of the API with ``QualifiedNames``. ``clashes`` are names that two schemas still share."""

    def __init__(self, api: Any, path_prefix: str) -> None:
        self.clashes: set[str] = set()
        super().__init__(api, path_prefix)

    def _create_schema_from_model(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._create_schema_from_model(_Named(model), *args, **kwargs)  # type: ignore[type-var]

    def _extract_parameters(self, model: Any) -> Any:
        return super()._extract_parameters(_Named(model))  # type: ignore[type-var]

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        for name, schema in definitions.items():
            before = self.schemas.get(name, schema)
            if before.get("enum") != schema.get("enum") or _fields(before) != _fields(schema):
                self.clashes.add(name)
        super().add_schema_definitions(definitions)


class _Named:
    """A parameter model that writes its schema with ``QualifiedNames``."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def model_json_schema(self, **kwargs: Any) -> Any:
        return self._model.model_json_schema(**kwargs | {"schema_generator": QualifiedNames})


def _fields(schema: dict[str, Any]) -> set[str]:
    return set(schema.get("properties", {}))


def complete(schema: dict[str, Any], *, operations: Callable[[str, str], Any]) -> None:
    """Add errors, examples and needed rights to ``schema`` in place. ``operations(path, method)`` finds ninja's own."""
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (FieldProblem, Problem):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        described.pop("$defs", None)
        schemas.setdefault(model.__name__, described)
    components["responses"] = {str(status): _error(status, words) for status, words in ERRORS.items()}
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            _complete_operation(details, operations(path, method), schemas)
            if method == "post" and details.get("security"):
                details["parameters"].append(IDEMPOTENCY_PARAMETER)


def _complete_operation(details: dict[str, Any], operation: Any, schemas: dict[str, Any]) -> None:
    for status in ERRORS:
        details["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    contents = [details.get("requestBody", {}).get("content", {})]
    contents += [answer.get("content", {}) for answer in details["responses"].values()]
    for content in contents:
        for media in content.values():
            if "schema" in media and not {"example", "examples"} & media.keys():
                media["example"] = example_of(media["schema"], schemas)
    rights = needed_rights(operation)
    if rights:
        details["description"] = "\n\n".join(filter(None, [details.get("description", ""), rights]))


def needed_rights(operation: Any) -> str:
    """One sentence about the scope and the role an operation asks for; ``""`` for a public one."""
    scopes = [auth.scope for auth in operation.auth_callbacks if isinstance(auth, TokenAuth)]
    roles = [auth.role for auth in operation.auth_callbacks if isinstance(auth, SessionAuth | TokenAuth)]
    if not roles:
        return ""
    scope = f"Token scope `{scopes[0].value}`; " if scopes else ""
    return f"{scope}role {roles[0].label.lower()} or higher."


def example_of(schema: dict[str, Any], schemas: dict[str, Any], *, name: str = "", depth: int = 0) -> Any:
    """A plausible value of a JSON schema."""
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return example_of(schemas.get(target, {}), schemas, name=name, depth=depth + 1) if depth < 8 else None
    for key in ("example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    for key in ("anyOf", "oneOf", "allOf"):
        choices = [choice for choice in schema.get(key, []) if choice.get("type") != "null"]
        if choices:
            return example_of(choices[0], schemas, name=name, depth=depth + 1)
    return _example_of_type(schema, schemas, name, depth)


def _example_of_type(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {key: example_of(value, schemas, name=key, depth=depth + 1) for key, value in properties.items()}
        case "array":
            return [example_of(schema.get("items", {}), schemas, name=name, depth=depth + 1)] if depth < 8 else []
        case "integer":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "number":
            return float(schema.get("minimum", 12.5))
        case "boolean":
            return True
        case "string":
            return _BY_FORMAT.get(schema.get("format", "")) or _BY_NAME.get(name, "text")
    return None


def _error(status: int, words: str) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": "about:blank",
        "title": words,
        "status": status,
        "success": False,
        "error": words,
    }
    if status == 422:
        example["errors"] = [{"type": "missing", "loc": ["body", "name"], "msg": "Field required"}]
    answer: dict[str, Any] = {
        "description": words,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
    if status == 429:
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return answer
