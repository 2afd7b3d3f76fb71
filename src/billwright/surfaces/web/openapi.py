"""How does the published OpenAPI document become better than the generated one?

Errors are one shared response instead of the framework's own, each header is one shared parameter,
the hot routes, which the framework does not describe, stand beside the others, and a word that means
the same everywhere is explained once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from billwright.surfaces.web.problems import MEDIA_TYPE
from billwright.surfaces.web.wire import RequestModel

JsonObject = dict[str, Any]

_PAGE_NAME = re.compile(r"\bPage_([A-Za-z]+)_(?!\w)")
# Two classes of one name are told apart by their modules, which are nobody's business.
_SURFACE_NAME = re.compile(r"\bbillwright__surfaces__\w+__([A-Z][A-Za-z]*)\b")
_FEATURE_NAME = re.compile(r"\bbillwright__features__([a-z_]+?)__\w+__([A-Z][A-Za-z]*)\b")

_SCHEMA = "#/components/schemas/"
_GENERATED_ERROR_SCHEMAS = ("HTTPValidationError", "ValidationError")

PROBLEM_SCHEMA: JsonObject = {
    "type": "object",
    "description": "RFC 9457: why the request was not carried out.",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Where the code is explained.",
        },
        "title": {"type": "string", "description": "The code in words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "detail": {"type": "string", "description": "For people; its wording may change."},
        "code": {"type": "string", "description": "For programs; it never changes."},
        "request_id": {
            "type": ["string", "null"],
            "description": "Under which the operator finds the request in the logs.",
        },
        "facts": {"type": "object", "description": "What the refusal is about, by name."},
        "errors": {
            "type": "array",
            "description": "Each thing that is wrong with the request, and where.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body."},
                    "in": {"enum": ["path", "query", "header", "cookie"]},
                    "parameter": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How a surface writes every error: the schema's name, the schema and its media type."""

    name: str
    schema: JsonObject
    media_type: str


PROBLEM = ErrorForm("Problem", PROBLEM_SCHEMA, MEDIA_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HotOperation:
    """What the document says about a hot route; types are msgspec structs or what they consist of, and
    a tuple of them is any one of these.

    `parameters` are OpenAPI parameter objects; those of the path may be left out when they are
    plain text. `example` is one of the body. `refusals` are OpenAPI response objects by status;
    `scope` is what a caller needs.
    """

    operation_id: str
    summary: str
    tags: Sequence[str]
    response: object
    status: int = 200
    request: object = None
    example: JsonObject | None = None
    description: str = ""
    parameters: Sequence[JsonObject] = ()
    refusals: Mapping[int | str, JsonObject] = field(default_factory=dict)
    scope: str | None = None


class HotRoute(Route):
    """A route without the framework's validation and serialization, still in its document.

    `app.router.routes.insert(0, HotRoute(...))` puts it before the routes that are matched one by
    one; `HotRoutes` answers it before the application. The endpoint raises `Refusal` like any other.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        *,
        method: str,
        operation: HotOperation,
    ) -> None:
        super().__init__(path, endpoint, methods=[method], name=operation.operation_id)
        self.answer = endpoint
        self.method = method
        self.operation = operation

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope


def operation_id(route: APIRoute) -> str:
    """The function's name: `FastAPI(generate_unique_id_function=operation_id)`."""
    return route.name


def install_openapi(
    app: FastAPI,
    *,
    security_schemes: Mapping[str, JsonObject],
    scopes: Mapping[str, str] | None = None,
    error: ErrorForm = PROBLEM,
    vocabulary: Mapping[str, str] | None = None,
) -> None:
    """Publish the completed document instead of the generated one.

    Any one of `security_schemes` is required by every operation that does not say otherwise with
    `openapi_extra={"security": []}`. `scopes` says by `operationId` what its caller needs besides.
    `vocabulary` explains members and parameters that say nothing of themselves: by `Schema.member`,
    else by their name.
    """
    generated = app.openapi

    @cache
    def completed() -> JsonObject:
        document = generated()
        components = document.setdefault("components", {})
        components.setdefault("securitySchemes", {}).update(security_schemes)
        document["security"] = [{name: []} for name in security_schemes]
        _add_hot_routes(document, app.routes)
        _name_scopes(document, scopes or {})
        _share_errors(document, error)
        _share_headers(document)
        document["paths"] = dict(sorted(document["paths"].items()))
        tidy = _with_tidy_schemas(document)
        _explain(tidy, vocabulary or {})
        _complete(tidy["components"]["schemas"])
        return tidy

    app.openapi = completed  # type: ignore[method-assign]


def _operations(document: JsonObject) -> list[JsonObject]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def _name_scopes(document: JsonObject, scopes: Mapping[str, str]) -> None:
    for operation in _operations(document):
        scope = scopes.get(operation["operationId"])
        if scope is not None:
            operation["security"] = [
                {name: [scope] for name in one} for one in document["security"]
            ]
            text = (operation.get("description", ""), f"Needs the scope `{scope}`.")
            operation["description"] = "\n\n".join(filter(None, text))


def _share_errors(document: JsonObject, error: ErrorForm) -> None:
    components = document["components"]
    schemas = components.setdefault("schemas", {})
    for name in _GENERATED_ERROR_SCHEMAS:
        schemas.pop(name, None)
    schemas[error.name] = error.schema
    components.setdefault("responses", {})[error.name] = {
        "description": "The request was not carried out.",
        "content": {error.media_type: {"schema": {"$ref": _SCHEMA + error.name}}},
    }
    shared = {"$ref": f"#/components/responses/{error.name}"}
    for operation in _operations(document):
        responses = operation["responses"]
        if _GENERATED_ERROR_SCHEMAS[0] in str(responses.get("422")):
            del responses["422"]
        responses.setdefault("4XX", shared)
        responses.setdefault("5XX", shared)


def _share_headers(document: JsonObject) -> None:
    components = document["components"].setdefault("parameters", {})
    for operation in _operations(document):
        parameters = operation.get("parameters", [])
        for position, parameter in enumerate(parameters):
            if parameter.get("in") == "header":
                name = parameter["name"].title()
                schema = _without_null(parameter["schema"])
                components[name.replace("-", "")] = {**parameter, "name": name, "schema": schema}
                parameters[position] = header_reference(name)


def header_reference(name: str) -> JsonObject:
    """The shared description of a header that another operation of the document declares."""
    return {"$ref": f"#/components/parameters/{name.replace('-', '')}"}


def _with_tidy_schemas(document: JsonObject) -> JsonObject:
    """`Page_Account_` becomes `AccountPage`; what nothing refers to is left out."""
    text = _SURFACE_NAME.sub(r"\1", msgspec.json.encode(document).decode())
    text = _FEATURE_NAME.sub(lambda found: found[1].title().replace("_", "") + found[2], text)
    text = _PAGE_NAME.sub(r"\1Page", text)
    tidy: JsonObject = msgspec.json.decode(text)
    tidy["components"]["schemas"] = {
        name: schema
        for name, schema in tidy["components"]["schemas"].items()
        if f'"{_SCHEMA}{name}"' in text
    }
    return tidy


def _explain(document: JsonObject, vocabulary: Mapping[str, str]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for member, about in schema.get("properties", {}).items():
            meaning = vocabulary.get(f"{name}.{member}", vocabulary.get(member))
            if meaning is not None and not is_explained(about, schemas):
                about["description"] = meaning
    for operation in _operations(document):
        for parameter in operation.get("parameters", []):
            meaning = vocabulary.get(parameter.get("name", ""))
            if meaning is not None and not is_explained(parameter, schemas):
                parameter["description"] = meaning


def is_explained(about: JsonObject, schemas: Mapping[str, JsonObject]) -> bool:
    """Whether a member or parameter says what it is, or consists of what does."""
    if "description" in about:
        return True
    parts = [about, *about.get("anyOf", ()), *about.get("oneOf", ()), about.get("items", {})]
    named = (schemas.get(part.get("$ref", "").removeprefix(_SCHEMA), {}) for part in parts)
    return any("description" in schema for schema in named) or (
        "schema" in about and is_explained(about["schema"], schemas)
    )


def _complete(schemas: JsonObject) -> None:
    """Give back what the generated document lost: the nulls in examples, and that the members of an
    object whose names have a form may have no other names.
    """
    for model in _request_models(RequestModel):
        extra = model.model_config.get("json_schema_extra")
        whole = extra.get("examples") if isinstance(extra, dict) else None
        schema = schemas.get(model.__name__, {})
        if whole is not None and schema.get("examples") == _without_nulls(whole):
            schema["examples"] = whole
    _close(schemas)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _request_models(model: type[RequestModel]) -> Iterator[type[RequestModel]]:
    yield model
    for narrower in model.__subclasses__():
        yield from _request_models(narrower)


def _close(schema: object) -> None:
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def _without_null(schema: JsonObject) -> JsonObject:
    """The schema of a header that may be left out; a header that is sent has no null."""
    said_already = ("anyOf", "title", "description")
    rest = {name: value for name, value in schema.items() if name not in said_already}
    given: JsonObject
    (given,) = [each for each in schema.get("anyOf", [{}]) if each != {"type": "null"}]
    return given | rest


def _add_hot_routes(document: JsonObject, routes: Sequence[BaseRoute]) -> None:
    hot = [route for route in routes if isinstance(route, HotRoute)]
    types = [
        kind
        for route in hot
        for kinds in (route.operation.request, route.operation.response)
        for kind in _each_of(kinds)
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_SCHEMA + "{name}")
    document["components"].setdefault("schemas", {}).update(components)
    remaining = iter(schemas)
    for route in hot:
        described = _described(route, remaining)
        document["paths"].setdefault(route.path_format, {})[route.method.lower()] = described


def _each_of(kinds: object) -> tuple[object, ...]:
    if kinds is None:
        return ()
    return kinds if isinstance(kinds, tuple) else (kinds,)


def _schema_of(kinds: object, schemas: Iterator[JsonObject]) -> JsonObject:
    described = [next(schemas) for _ in _each_of(kinds)]
    return described[0] if len(described) == 1 else {"oneOf": described}


def _described(route: HotRoute, schemas: Iterator[JsonObject]) -> JsonObject:
    operation = route.operation
    parameters = [*operation.parameters, *_path_parameters(route)]
    described: JsonObject = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "tags": list(operation.tags),
    }
    if operation.description:
        described["description"] = operation.description
    if parameters:
        described["parameters"] = parameters
    if operation.request is not None:
        body = {"schema": _schema_of(operation.request, schemas)}
        if operation.example is not None:
            body["example"] = operation.example
        content = {"application/json": body}
        described["requestBody"] = {"required": True, "content": content}
    success: JsonObject = {"description": "Successful Response"}
    if operation.response is not None:
        schema = _schema_of(operation.response, schemas)
        success["content"] = {"application/json": {"schema": schema}}
    refusals = {str(status): refusal for status, refusal in operation.refusals.items()}
    described["responses"] = {str(operation.status): success, **refusals}
    return described


def _path_parameters(route: HotRoute) -> list[JsonObject]:
    described = {parameter.get("name") for parameter in route.operation.parameters}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.param_convertors
        if name not in described
    ]
