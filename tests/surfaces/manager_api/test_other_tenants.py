"""Does an administrator see or change anything of another tenant?

The operations are read from the document, so that a new one is tested from its first day.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from billwright.surfaces.manager_api.app import create_manager_api
from tests.conftest import Tenant
from tests.surfaces.manager_api.people import ADA, PASSWORD, an_installation
from tests.surfaces.manager_api.recording import EVE, Person, a_user, an_admin
from tests.surfaces.platform_api.requests import rows_of

PARAMETER = re.compile(r"{(\w+)}")


def operations() -> list[tuple[str, str, Any]]:
    """Method, path and an example of a body of whatever names something."""
    document = create_manager_api().openapi()
    schemas = document["components"]["schemas"]

    def example_of(operation: dict[str, Any]) -> Any:
        body = operation.get("requestBody")
        if body is None:
            return None
        name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        return schemas[name]["examples"][0]

    return [
        (method.upper(), path, example_of(operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "{" in path
    ]


async def names_of(person: Person, tenant: Tenant) -> dict[str, str]:
    """What a path's parameter may name of a tenant; a new one is to be given its row here."""
    user = await a_user(tenant)
    body = {"name": "Reporting", "scopes": ["invoices:read"]}
    token = await person.post("/auth/tokens", body, status=201)
    owner = (await person.ask("GET", "/users")).json()[-1]
    return {
        "/users/{id}": str(user.id),
        "/users/{userId}": owner["id"],
        "/auth/tokens/{id}": token["id"],
        "/tokens/{tokenId}": token["id"],
    }


def named(path: str, names: dict[str, str]) -> str:
    for place, name in names.items():
        path = path.replace(place, PARAMETER.sub(name, place))
    assert "{" not in path, f"what {path} names has no row in this test"
    return path


async def test_an_administrator_of_another_tenant_sees_and_changes_nothing(
    tenant: Tenant, other_tenant: Tenant, tmp_path: Path
):
    manager = an_installation(tmp_path, tenant.database)
    people = []
    for whose, code in ((tenant, "default"), (other_tenant, "other")):
        await an_admin(whose)
        people.append(Person(manager, whose, code))
        await people[-1].sign_in(ADA, PASSWORD)
    own, stranger = people
    names = await names_of(own, tenant)
    before, seen = await rows_of(tenant), []
    for method, path, body in operations():
        await stranger.ask(method, named(path, names), body, status=404)
        assert EVE not in stranger.answers[-1][1]
        seen.append(path)
    assert await rows_of(tenant) == before
    assert {"/users/{id}", "/users/{id}/lock", "/auth/tokens/{id}"} <= set(seen)
    for method, path, _ in operations():
        if method == "GET":
            await own.ask(method, named(path, names), status=200)
