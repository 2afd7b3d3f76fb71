"""Does the merged document say of every operation what its surface says?"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from openapi_spec_validator import validate
from pydantic import BaseModel

from billwright.entrypoints.openapi import merged, merged_document


def surface(title: str, **fields: Any) -> dict[str, Any]:
    app = FastAPI(title=title)
    thing = type("Thing", (BaseModel,), {"__annotations__": fields})

    @app.get("/things", response_model=thing, operation_id=f"{title}Things", tags=["things"])
    def things() -> None:
        """One."""

    return {**app.openapi(), "security": [{title: []}]}


def test_a_name_that_means_two_things_becomes_two():
    document = merged(
        [("First", "/one", surface("first", a=int)), ("Second", "/two", surface("second", b=str))]
    )
    validate(document)
    schemas = document["components"]["schemas"]
    assert schemas["Thing"]["properties"].keys() == {"a"}
    assert schemas["SecondThing"]["properties"].keys() == {"b"}
    answers = {
        path: item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path, item in document["paths"].items()
    }
    assert answers == {
        "/one/things": "#/components/schemas/Thing",
        "/two/things": "#/components/schemas/SecondThing",
    }


def test_a_name_that_means_one_thing_stays_one():
    document = merged(
        [("First", "/one", surface("first", a=int)), ("Second", "/two", surface("second", a=int))]
    )
    assert document["components"]["schemas"].keys() == {"Thing"}


def test_security_is_written_at_every_operation():
    document = merged_document()
    operations = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for operation in item.values()
    }
    assert operations["getHealth"]["security"] == []
    assert operations["list_accounts"]["security"] == [{"api_key": ["accounts:read"]}]
    assert {"api_key", "bearerAuth"} <= document["components"]["securitySchemes"].keys()
