"""Does every no have the form that the clients of the manager API read?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.testclient import TestClient

from billwright.features.identity import errors as identity
from billwright.kernel.refusal import Category, FieldProblem, Refusal, RefusalCode
from billwright.runtime.settings import load_settings
from billwright.surfaces.manager_api import errors as manager_errors
from billwright.surfaces.manager_api import refusals
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.errors import (
    admin_needed,
    tenant_denied,
    tenant_not_served,
    user_needed,
)
from billwright.surfaces.manager_api.refusals import STATUS_OF, refusal_response


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
    assert client.get("/refused/invalid").json() == {
        "statusCode": 400,
        "message": "It is refused.",
        "error": "Bad Request",
    }


@pytest.mark.parametrize(
    ("refusal", "status", "message"),
    [
        (identity.email_taken(email="ada@northlight.example"), 409, None),
        (identity.last_admin(), 409, None),
        (identity.user_unknown(user_id="x"), 404, "There is no user x."),
        (identity.session_missing(), 401, "Missing or invalid authorization token"),
        (identity.session_invalid(), 401, "Invalid or expired token"),
        (identity.session_over(), 401, "Session is no longer valid."),
        (identity.user_locked(), 401, "This account is locked. Please contact an administrator."),
        (identity.sign_in_failed(), 401, "Invalid email or password"),
        (identity.token_invalid(), 401, "Invalid token"),
        (identity.role_missing(), 403, "Forbidden resource"),
        (identity.signup_disabled(), 503, "Signup is disabled"),
        (admin_needed(), 403, "Admin access required"),
        (tenant_denied(), 403, "Access denied"),
        (user_needed(), 400, "User not authenticated"),
    ],
)
def test_what_clients_know_to_the_letter(refusal, status, message):
    answer = refusal_response(refusal)
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["statusCode"]) == (status, status)
    assert body["message"] == (message or refusal.detail)
    assert body["error"] == HTTPStatus(status).phrase


def test_two_refusals_have_a_form_of_their_own():
    unconfirmed = refusal_response(identity.email_not_confirmed())
    assert (unconfirmed.status_code, json.loads(bytes(unconfirmed.body))) == (
        401,
        {
            "message": "Email not confirmed. Please confirm your email before logging in.",
            "code": "EMAIL_NOT_CONFIRMED",
        },
    )
    nowhere = refusal_response(tenant_not_served())
    assert (nowhere.status_code, json.loads(bytes(nowhere.body))) == (
        400,
        {"message": "Invalid or unknown tenant"},
    )


def test_the_tables_name_refusals_that_there_are():
    declared = {
        value.code
        for module in (identity, manager_errors)
        for value in vars(module).values()
        if isinstance(value, RefusalCode)
    }
    tables = (refusals._STATUS_BY_CODE, refusals._MESSAGE_BY_CODE, refusals._BODY_BY_CODE)
    assert [code for table in tables for code in table if code not in declared] == []


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


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"name": "a}'])
def test_a_body_that_is_no_json_has_one_message(client, content):
    answer = client.post("/things", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert isinstance(answer.json()["message"], str)


@pytest.mark.parametrize("path", ["/refused/%00", "/nowhere/%00", "/things/1?limit=%00"])
def test_an_address_that_no_database_can_look_for_is_refused(client, path):
    assert client.get(path).status_code == (404 if "nowhere" in path else 400)


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
