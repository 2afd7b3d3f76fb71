"""Is every no a problem that names what is wrong and repeats no input?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI, Query
from pydantic import Field, SecretStr
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from billwright.kernel.refusal import Category, RefusalCode
from billwright.runtime.telemetry.context import bound
from billwright.surfaces.web.problems import MEDIA_TYPE, STATUS_OF, install_problem_handlers
from billwright.surfaces.web.wire import Identifier, MoneyInput, RequestModel, Text

ACCOUNT = UUID("0190b3d2-0000-7000-8000-000000000001")


class Flat(RequestModel):
    kind: Literal["flat"]
    price: MoneyInput


class Tier(RequestModel):
    up_to: int


class Tiered(RequestModel):
    kind: Literal["tiered"]
    tiers: Annotated[list[Tier], Field(min_length=1)]


class Order(RequestModel):
    account_id: Identifier
    name: Text
    model: Annotated[Flat | Tiered, Field(discriminator="kind")]
    secret: Annotated[str, Field(min_length=8)] = "long enough"
    labels: dict[str, int] = Field(default_factory=dict)


def application() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)
    router = APIRouter(prefix="/orders")

    @router.post("")
    async def create(order: Order) -> dict[str, str]:
        return {"name": order.name}

    @router.get("")
    async def find(limit: Annotated[int, Query(ge=1)], since: str = "") -> dict[str, object]:
        return {"limit": limit, "since": since}

    @router.get("/bug")
    async def bug() -> None:
        raise RuntimeError("the password is hunter2")

    @router.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, headers={"X-Kind": "pot"})

    @router.get("/refused/{category}")
    async def refuse(category: Category, seconds: int | None = None) -> None:
        code = RefusalCode("no_can_do", category, "Account {account} cannot.")
        facts: dict[str, Any] = {"retry_after_seconds": seconds} if seconds else {}
        raise code(
            pointer="/lines/0" if category is Category.INVALID else None,
            account=ACCOUNT,
            amount=Decimal("1.50"),
            at=datetime(2026, 1, 31, tzinfo=UTC),
            **facts,
        )

    app.include_router(router)
    return app


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(application(), raise_server_exceptions=False)


def order(**changes: object) -> dict[str, object]:
    return {
        "account_id": str(ACCOUNT),
        "name": "First",
        "model": {"kind": "flat", "price": {"amount": "19.99", "currency": "EUR"}},
    } | changes


@pytest.mark.parametrize("category", Category)
def test_every_category_has_its_status_and_the_problem_form(client, category):
    response = client.get(f"/orders/refused/{category}")
    problem = response.json()

    assert response.status_code == problem["status"] == STATUS_OF[category]
    assert response.headers["content-type"] == MEDIA_TYPE
    assert problem["type"] == "/api/billing/problems/no_can_do"
    assert problem["title"] == "No can do"
    assert problem["detail"] == f"Account {ACCOUNT} cannot."
    assert problem["code"] == "no_can_do"
    assert problem["facts"] == {
        "account": str(ACCOUNT),
        "amount": "1.50",
        "at": "2026-01-31T00:00:00Z",
    }


def test_only_an_invalid_request_has_errors(client):
    errors = client.get("/orders/refused/invalid").json()["errors"]

    assert errors == [
        {"pointer": "/lines/0", "code": "no_can_do", "detail": f"Account {ACCOUNT} cannot."}
    ]
    assert "errors" not in client.get("/orders/refused/conflict").json()


def test_headers_that_a_status_requires(client):
    def header(category: str, name: str) -> str | None:
        return client.get(f"/orders/refused/{category}").headers.get(name)

    assert header("unauthenticated", "www-authenticate") == "Bearer"
    assert header("limited", "retry-after") == "1"
    assert header("unavailable", "retry-after") is None
    later = client.get("/orders/refused/unavailable", params={"seconds": 7})
    assert later.headers["retry-after"] == "7"


def test_all_problems_of_a_body_are_named_at_once_by_pointer_without_the_input(client):
    body = order(
        account_id="not-a-uuid",
        name="a\nb",
        secret="hunter2",
        model={"kind": "tiered", "tiers": [{"up_to": 1}, {"up_to": "2"}, {}]},
        labels={"a/b~c": "x"},
        extra=1,
    )
    response = client.post("/orders", json=body)
    problem = response.json()

    assert response.status_code == 422
    assert problem["code"] == "request_invalid"
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
        ("/account_id", "malformed"),
        ("/name", "control_character"),
        ("/secret", "too_short"),
        ("/model/tiers/1/up_to", "wrong_type"),
        ("/model/tiers/2/up_to", "required"),
        ("/labels/a~1b~0c", "wrong_type"),
        ("/extra", "unknown_field"),
    }
    assert "hunter2" not in response.text


def test_the_list_of_problems_is_bounded(client):
    response = client.post("/orders", json={str(number): 1 for number in range(1000)})

    assert len(response.json()["errors"]) == 100


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({}, ("/model/kind", "required")),
        ({"kind": "<script>"}, ("/model/kind", "unknown_choice")),
        ("flat", ("/model", "wrong_type")),
        ({"kind": "flat"}, ("/model/price", "required")),
        (
            {"kind": "flat", "price": {"amount": "1.999", "currency": "EUR"}},
            ("/model/price", "amount_too_fine"),
        ),
        (
            {"kind": "flat", "price": {"amount": "1", "currency": "QQQ"}},
            ("/model/price", "currency_unknown"),
        ),
        (
            {"kind": "flat", "price": {"amount": 19.99, "currency": "EUR"}},
            ("/model/price/amount", "decimal_text"),
        ),
        ({"kind": "tiered", "tiers": []}, ("/model/tiers", "too_short")),
    ],
)
def test_a_problem_inside_a_choice_is_named_where_the_document_has_it(client, model, expected):
    response = client.post("/orders", json=order(model=model))

    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [expected]
    assert "<script>" not in response.text


def test_a_wrong_parameter_is_named(client):
    errors = client.get("/orders", params={"limit": "0"}).json()["errors"]

    assert errors[0].pop("detail").startswith("Input should be greater than or equal to 1")
    assert errors == [{"in": "query", "parameter": "limit", "code": "out_of_range"}]


@pytest.mark.parametrize("body", [b"{", b'{"a": 1,}', b"\xff", b"[" * 100_000, b"nul"])
def test_a_body_that_is_not_json_is_a_bad_request(client, body):
    response = client.post("/orders", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert response.json()["code"] in {"malformed_json", "bad_request"}


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3", b'{"name": NaN}', b""])
def test_json_of_another_form_is_invalid(client, body):
    response = client.post("/orders", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 422
    assert response.headers["content-type"] == MEDIA_TYPE


def test_another_media_type_is_unsupported(client):
    response = client.post("/orders", content=b"a=1", headers={"content-type": "text/plain"})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_unknown_routes_and_methods(client):
    missing = client.get("/nothing")
    wrong = client.delete("/orders")

    assert (missing.status_code, missing.json()["code"]) == (404, "route_not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "GET, POST"
    assert missing.headers["content-type"] == wrong.headers["content-type"] == MEDIA_TYPE


def test_a_frameworks_own_exception_keeps_status_and_headers(client):
    response = client.get("/orders/teapot")

    assert (response.status_code, response.headers["x-kind"]) == (418, "pot")
    assert response.json()["code"] == "im_a_teapot"


def test_a_bug_is_a_bare_500_with_the_request_id(client):
    with bound(request_id="r-1"):
        response = client.get("/orders/bug")

    assert response.status_code == 500
    assert response.json() == {
        "type": "/api/billing/problems/internal_error",
        "title": "Internal error",
        "status": 500,
        "code": "internal_error",
        "request_id": "r-1",
    }


@pytest.mark.parametrize("address", ["/orders?limit=1&since=a%00b", "/orders/a%00b"])
def test_text_that_the_database_cannot_store_is_the_callers_mistake(client, address):
    response = client.get(address)

    assert (response.status_code, response.json()["code"]) == (422, "text_unstorable")


def test_a_secret_type_is_never_repeated():
    class Login(RequestModel):
        password: SecretStr

    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/login")
    async def login(_: Login) -> None: ...

    response = TestClient(app).post("/login", json={"password": ["hunter2"]})

    assert response.status_code == 422
    assert "hunter2" not in response.text
