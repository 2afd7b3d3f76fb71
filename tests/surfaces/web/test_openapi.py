"""Does the published document say what the routes do?"""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from fastapi import FastAPI, Query
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from billwright.kernel.refusal import Category, RefusalCode
from billwright.surfaces.web.idempotency import Idempotent
from billwright.surfaces.web.openapi import HotOperation, HotRoute, install_openapi, operation_id
from billwright.surfaces.web.pages import Page, PageParameters
from billwright.surfaces.web.problems import install_problem_handlers
from billwright.surfaces.web.wire import MoneyInput, MoneyModel, RequestModel, ResponseModel, Text

unknown_meter = RefusalCode("unknown_meter", Category.NOT_FOUND, "No such meter.")


VOCABULARY = {
    "name": "What it is called.",
    "Order.name": "Who orders.",
    "gift": "Never told: the member explains itself.",
    "status": "How far it is.",
}


class Order(RequestModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "A", "gift": None}]})

    name: Text
    price: MoneyInput
    gift: Annotated[str | None, Field(description="What is written on the card.")] = None
    notes: dict[Annotated[str, StringConstraints(pattern="^[a-z]+$")], str] = Field(
        default_factory=dict
    )


class Ordered(ResponseModel):
    name: str
    price: MoneyModel


class UsageEvent(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    quantity: Annotated[str, msgspec.Meta(pattern="^[0-9]+$")]


class Accepted(msgspec.Struct):
    accepted: int


async def ingest(request: Request) -> Response:
    events = msgspec.json.decode(await request.body(), type=list[UsageEvent])
    if any(event.id == "unknown" for event in events):
        raise unknown_meter()
    return Response(msgspec.json.encode(Accepted(len(events))), 202, media_type="application/json")


def application() -> FastAPI:
    app = FastAPI(
        title="Shop",
        version="1",
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)

    @app.post("/orders", status_code=201, response_model=Ordered, tags=["orders"])
    async def create_order(body: Order, idempotent: Idempotent) -> Response:
        raise NotImplementedError

    @app.get("/orders", tags=["orders"])
    async def list_orders(
        page: PageParameters, status: Annotated[str, Query()] = ""
    ) -> Page[Ordered]:
        raise NotImplementedError

    @app.get("/health", openapi_extra={"security": []}, tags=["health"])
    async def check_health() -> str:
        return "ok"

    operation = HotOperation(
        operation_id="ingest_usage",
        summary="Ingest usage",
        tags=["usage"],
        request=list[UsageEvent],
        response=Accepted,
        status=202,
    )
    app.router.routes.insert(
        0, HotRoute("/usage/{meter}", ingest, method="POST", operation=operation)
    )
    install_openapi(
        app,
        vocabulary=VOCABULARY,
        security_schemes={"api_key": {"type": "http", "scheme": "bearer"}},
    )
    return app


@pytest.fixture(scope="module")
def document():
    return TestClient(application()).get("/openapi.json").json()


def test_the_document_is_valid_openapi(document):
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_shares_the_error_response(document):
    operations = [one for path in document["paths"].values() for one in path.values()]
    shared = {"$ref": "#/components/responses/Problem"}

    assert len(operations) == 4
    assert all(one["responses"]["4XX"] == shared for one in operations)
    assert not any("422" in one["responses"] for one in operations)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    content = document["components"]["responses"]["Problem"]["content"]
    assert list(content) == ["application/problem+json"]


def test_operations_are_named_after_their_functions(document):
    names = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert names == {"create_order", "list_orders", "check_health", "ingest_usage"}


def test_a_hot_route_stands_beside_the_others(document):
    operation = document["paths"]["/usage/{meter}"]["post"]
    content = operation["requestBody"]["content"]["application/json"]

    assert content["schema"]["items"] == {"$ref": "#/components/schemas/UsageEvent"}
    assert operation["responses"]["202"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Accepted"
    }
    assert "UsageEvent" in document["components"]["schemas"]


def test_the_idempotency_key_is_described_once(document):
    parameters = document["paths"]["/orders"]["post"]["parameters"]

    assert parameters == [{"$ref": "#/components/parameters/IdempotencyKey"}]
    assert document["components"]["parameters"]["IdempotencyKey"]["name"] == "Idempotency-Key"


def test_security_is_required_unless_waived(document):
    assert document["security"] == [{"api_key": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert "security" not in document["paths"]["/orders"]["get"]


def test_a_hot_route_answers_and_refuses_like_any_other():
    client = TestClient(application())
    accepted = client.post("/usage/calls", json=[{"id": "1", "quantity": "3"}])
    refused = client.post("/usage/calls", json=[{"id": "unknown", "quantity": "3"}])

    assert (accepted.status_code, accepted.json()) == (202, {"accepted": 1})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_meter")


def test_a_word_is_explained_where_it_says_nothing_of_itself(document):
    schemas = document["components"]["schemas"]
    assert schemas["Order"]["properties"]["name"]["description"] == "Who orders."
    assert schemas["Ordered"]["properties"]["name"]["description"] == "What it is called."
    assert schemas["Order"]["properties"]["gift"]["description"] == "What is written on the card."
    by_name = {one["name"]: one for one in document["paths"]["/orders"]["get"]["parameters"]}
    assert by_name["status"]["description"] == "How far it is."


def test_an_example_keeps_its_nulls(document):
    assert document["components"]["schemas"]["Order"]["examples"] == [{"name": "A", "gift": None}]


def test_names_of_a_form_may_have_no_other(document):
    notes = document["components"]["schemas"]["Order"]["properties"]["notes"]
    assert notes["patternProperties"].keys() == {"^[a-z]+$"}
    assert notes["additionalProperties"] is False
