"""Does every no have the form that the clients of the manager API read?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.testclient import TestClient

from billwright.kernel.refusal import Category, FieldProblem, Refusal
from billwright.runtime.settings import load_settings
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.refusals import STATUS_OF


class Nested(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(ge=1)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    lines: list[Nested] = []


def application(home: Path) -> FastAPI:
    app = create_manager_api()
    app.state.settings = load_settings({"BILLWRIGHT_HOME": str(home)})

    @app.post("/things", status_code=201)
    def create(body: Body) -> None:
        """A body to be wrong about."""

    @app.get("/things/{thing_id}")
    def read(thing_id: UUID, limit: int = 10) -> None:
        """Parameters to be wrong about."""

    @app.get("/refused/{category}")
    def refuse(category: Category) -> None:
        raise Refusal("thing_refused", category, "It is refused.", facts={"retry_after_seconds": 7})

    @app.get("/invalid")
    def refuse_fields() -> None:
        problems = [
            FieldProblem("/a", "wrong", "A is wrong."),
            FieldProblem("/b", "wrong", "B is."),
        ]
        raise Refusal("invalid", Category.INVALID, "Both are wrong.", problems=problems)

    @app.get("/bug")
    def fail() -> None:
        raise RuntimeError("the secret reason")

    return app


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(application(tmp_path), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("category", "status", "error"),
    [
        ("unauthenticated", 401, "Unauthorized"),
        ("forbidden", 403, "Forbidden"),
        ("not_found", 404, "Not Found"),
        ("conflict", 400, "Bad Request"),
        ("stale", 409, "Conflict"),
        ("payment_required", 400, "Bad Request"),
        ("unavailable", 503, "Service Unavailable"),
    ],
)
def test_a_refusal_has_its_status_and_its_name(client, category, status, error):
    answer = client.get(f"/refused/{category}")
    assert answer.status_code == status
    assert answer.json() == {"statusCode": status, "message": "It is refused.", "error": error}


def test_every_category_has_a_status():
    assert STATUS_OF.keys() == set(Category)


def test_too_many_requests_have_no_error(client):
    answer = client.get("/refused/limited")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.json() == {
        "statusCode": 429,
        "message": "Too many requests, please try again later.",
    }


def test_an_invalid_value_lists_its_messages(client):
    assert client.get("/invalid").json() == {
        "statusCode": 400,
        "message": ["A is wrong.", "B is."],
        "error": "Bad Request",
    }
    assert client.get("/refused/invalid").json()["message"] == ["It is refused."]


def test_wrong_fields_are_all_listed_by_their_dotted_paths(client):
    answer = client.post(
        "/things", json={"surplus": 1, "lines": [{"amount": "hidden-1"}, {"amount": 0, "more": 2}]}
    )
    assert answer.status_code == 400
    body = answer.json()
    assert (body["error"], body["statusCode"]) == ("Bad Request", 400)
    assert set(body["message"]) >= {
        "property surplus should not exist",
        "property lines.1.more should not exist",
        "name: Field required.",
    }
    assert {message.split(":")[0] for message in body["message"] if ":" in message} == {
        "name",
        "lines.0.amount",
        "lines.1.amount",
    }
    assert "hidden-1" not in answer.text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/things/not-a-uuid", "Validation failed (uuid v 4 is expected)"),
        (
            "/things/5b0a4f7e-5f6b-4a51-9c07-2f4f0f0e7d11?limit=x",
            "Validation failed (numeric string is expected)",
        ),
    ],
)
def test_wrong_parameters_have_one_message(client, path, message):
    answer = client.get(path)
    assert answer.status_code == 400
    assert answer.json() == {"statusCode": 400, "message": message, "error": "Bad Request"}


def test_a_body_that_is_no_json_has_one_message(client):
    answer = client.post("/things", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert isinstance(answer.json()["message"], str)


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/health")])
def test_an_unknown_address_and_a_wrong_method_are_the_same(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json() == {
        "statusCode": 404,
        "message": f"Cannot {method} {path}",
        "error": "Not Found",
    }


def test_a_bug_says_nothing(client):
    answer = client.get("/bug")
    assert answer.status_code == 500
    assert answer.json() == {"statusCode": 500, "message": "Internal server error"}
