"""How does the published OpenAPI document become better than the generated one?

Errors are one shared response instead of the framework's own, each header is one shared parameter,
and the hot routes, which the framework does not describe, stand beside the others.
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

JsonObject = dict[str, Any]

_PAGE_NAME = re.compile(r"\bPage_([A-Za-z]+)_(?!\w)")

_SCHEMA = "#/components/schemas/"
_GENERATED_ERROR_SCHEMAS = ("HTTPValidationError", "ValidationError")

PROBLEM_SCHEMA: JsonObject = {
    "type": "object",
    "description": "RFC 9457: why the request was not carried out.",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people; its wording may change."},
        "code": {"type": "string", "description": "For programs; it never changes."},
        "request_id": {"type": ["string", "null"]},
        "facts": {"type": "object", "description": "What the refusal is about, by name."},
        "errors": {
            "type": "array",
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
    """What the document says about a hot route; types are msgspec structs or what they consist of.

    `parameters` are OpenAPI parameter objects; those of the path may be left out when they are
    plain text. `refusals` are OpenAPI response objects by status.
    """

    operation_id: str
    summary: str
    tags: Sequence[str]
    response: object
    status: int = 200
    request: object = None
    description: str = ""
    parameters: Sequence[JsonObject] = ()
    refusals: Mapping[int | str, JsonObject] = field(default_factory=dict)


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
        self.method = method.lower()
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
    app: FastAPI, *, security_schemes: Mapping[str, JsonObject], error: ErrorForm = PROBLEM
) -> None:
    """Publish the completed document instead of the generated one.

    Any one of `security_schemes` is required by every operation that does not say otherwise with
    `openapi_extra={"security": []}`.
    """
    generated = app.openapi

    @cache
    def completed() -> JsonObject:
        document = generated()
        components = document.setdefault("components", {})
        components.setdefault("securitySchemes", {}).update(security_schemes)
        document["security"] = [{name: []} for name in security_schemes]
        _add_hot_routes(document, app.routes)
        _share_errors(document, error)
        _share_headers(document)
        document["paths"] = dict(sorted(document["paths"].items()))
        return _with_tidy_schemas(document)

    app.openapi = completed  # type: ignore[method-assign]


def _operations(document: JsonObject) -> list[JsonObject]:
    return [operation for path in document["paths"].values() for operation in path.values()]


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
    text = _PAGE_NAME.sub(r"\1Page", msgspec.json.encode(document).decode())
    tidy: JsonObject = msgspec.json.decode(text)
    tidy["components"]["schemas"] = {
        name: schema
        for name, schema in tidy["components"]["schemas"].items()
        if f'"{_SCHEMA}{name}"' in text
    }
    return tidy


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
        for kind in (route.operation.request, route.operation.response)
        if kind is not None
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_SCHEMA + "{name}")
    document["components"].setdefault("schemas", {}).update(components)
    remaining = iter(schemas)
    for route in hot:
        described = _described(route, remaining)
        document["paths"].setdefault(route.path_format, {})[route.method] = described


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
        content = {"application/json": {"schema": next(schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    success: JsonObject = {"description": "Successful Response"}
    if operation.response is not None:
        success["content"] = {"application/json": {"schema": next(schemas)}}
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
