"""Does the document explain each of its words, and show what a request may look like?"""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.platform_api.vocabulary import VOCABULARY
from billwright.surfaces.web.openapi import is_explained
from tests.surfaces.platform_api.conforming import examples_in
from tests.surfaces.platform_api.test_openapi import operations


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_platform_api().openapi()


def test_every_body_has_examples_of_its_documented_form(document: dict[str, Any]):
    components = {"components": document["components"]}
    for place, operation in operations(document).items():
        if "requestBody" in operation:
            examples = examples_in(document, operation)
            assert examples, place
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            for example in examples:
                Draft202012Validator({**body, **components}).validate(example)


def test_every_word_is_explained(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    members = {
        f"{name}.{member}": about
        for name, schema in schemas.items()
        for member, about in schema.get("properties", {}).items()
    }
    parameters = {
        f"{place} {parameter['name']}": parameter
        for place, operation in operations(document).items()
        for parameter in operation.get("parameters", [])
        if "$ref" not in parameter
    }
    words = members | parameters
    assert [word for word, about in words.items() if not is_explained(about, schemas)] == []
    told = {about.get("description") for about in words.values()}
    assert [word for word, meaning in VOCABULARY.items() if meaning not in told] == []


def test_no_name_tells_where_the_code_is(document: dict[str, Any]):
    for name, schema in document["components"]["schemas"].items():
        assert name.isalnum()
        assert "billwright" not in str(schema)


def test_every_list_is_read_page_by_page(document: dict[str, Any]):
    for place, operation in operations(document).items():
        answers = str(operation["responses"].get("200", {}).get("content"))
        parameters = {one.get("name"): one for one in operation.get("parameters", [])}
        assert ("Page'" in answers) is ("cursor" in parameters) is ("limit" in parameters), place
        if "limit" in parameters:
            limit = parameters["limit"]["schema"]
            assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 20), place
