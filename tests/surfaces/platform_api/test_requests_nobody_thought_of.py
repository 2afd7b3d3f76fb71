"""Does the platform API keep what its document promises, whatever is sent to it?

Requests are generated from the document: such as it allows, and such as it does not. They meet a world
with a row in every table, and most of the names in them are of what exists there.

    CONFORMANCE=long        every boundary in the document, and hundreds of examples of each operation
    CONFORMANCE_SEED=7      others than the usual ones
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from billwright.surfaces.platform_api.app import create_platform_api
from tests.postgres import ServerInfo
from tests.surfaces.platform_api.conforming import Conformance
from tests.surfaces.platform_api.serving import Server, World, names_in, settle
from tests.surfaces.platform_api.test_openapi import COMMANDS, OPERATIONS, PREVIEWS

LONG = os.environ.get("CONFORMANCE") == "long"
SEED = int(os.environ.get("CONFORMANCE_SEED", "2026"))
EXAMPLES, BOUNDARIES = (300, 1000) if LONG else (3, 3)

NAMES = OPERATIONS | COMMANDS | PREVIEWS


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_platform_api().openapi()


@pytest.fixture(scope="module")
def described(document: dict[str, Any]) -> dict[str, APIOperation]:
    """The operations of the document by name."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.with_security_parameters = False
    schema.config.generation.allow_x00 = False
    schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]
    found = [each.ok() for each in schema.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


@pytest.fixture(scope="module")
def server(tmp_path_factory, registry, renderer) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with Server(home, registry=registry, renderer=renderer).listening() as server:
        yield server


@pytest.fixture(scope="module")
def settled(
    postgres_server: ServerInfo, migrated_template: str, registry, server: Server, document
) -> World:
    """What holds in every copy of the database in which a tenant lives."""
    dsn = postgres_server.fresh_database("settled", template=migrated_template)
    keys = asyncio.run(settle(dsn, registry))
    with server.answering_from(dsn):
        return World(server.address, keys, names_in(server.address, keys, paths=document["paths"]))


@pytest.fixture
def world(
    postgres_server: ServerInfo, database_names: Iterator[str], server: Server, settled: World
) -> Iterator[World]:
    """A world that is gone afterwards, whatever has happened to it."""
    name = next(database_names)
    with server.answering_from(postgres_server.fresh_database(name, template="settled")):
        yield settled
    postgres_server.drop_database(name)


@pytest.mark.timeout(7200 if LONG else 180)
@pytest.mark.parametrize("name", sorted(NAMES.values()))
def test_an_answer_is_as_documented(
    name: str, described: dict[str, APIOperation], world: World
) -> None:
    with Conformance(described[name], world, seed=SEED) as conformance:
        conformance.send_examples()
        for mode in GenerationMode:
            conformance.send_boundaries(mode, most=BOUNDARIES)
            conformance.send_generated(mode, examples=EXAMPLES)
    assert not conformance.findings, "\n\n".join(conformance.findings.values())


def test_nobody_does_without_a_key_what_the_document_says_needs_one(
    document: dict[str, Any], world: World
):
    for path, method, operation in _operations(document):
        answer = requests.request(method, world.address + _address(path, world), timeout=30)
        is_public = operation["security"] == []
        assert (answer.status_code == 401) is not is_public, (method, path)


def test_nobody_changes_anything_with_a_key_for_reading(document: dict[str, Any], world: World):
    headers = {"Authorization": f"Bearer {world.keys.reading}"}
    for path, method, operation in _operations(document):
        if ":write`" in operation.get("description", ""):
            address = world.address + _address(path, world)
            answer = requests.request(method, address, headers=headers, timeout=30)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


def test_every_name_in_a_path_is_known(document: dict[str, Any], world: World):
    """So that requests find something; what has no list of its own is told in `serving.py`."""
    parameters = {name for path in document["paths"] for name in re.findall(r"{(\w+)}", path)}
    known = {name for name, known in world.names.items() if known}
    assert parameters - known == set()


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _address(path: str, world: World) -> str:
    return re.sub(r"{(\w+)}", lambda found: str((*world.names.get(found[1], ()), 0)[0]), path)
