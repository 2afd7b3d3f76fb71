"""Which key opens which operation, and which change can be repeated?

The operations are read from the document, so that a new one is tested from its first day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS, SCOPES, Group
from billwright.features.identity.rules.scopes import may
from billwright.features.maintenance.jobs import forget_expired_idempotency_keys
from billwright.features.payment_providers.port import PaymentProviders
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.registry import Registry
from billwright.surfaces import platform_api
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.platform_api.caller import scopes_of
from tests.conftest import Tenant
from tests.isolation.story import live
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, rows_of

DOCS = Path(__file__).parents[3] / "docs" / "platform-api.md"
NOBODY = "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"
PARAMETER = re.compile(r"{(\w+)}")

READING_POSTS = {"/dunning-policy/preview", "/entitlements/check"}
"""What answers what would be without anything that a reader could not know."""

PUBLIC = {
    "/providers/{provider}/callbacks": "providers sign what they send, and have no key",
    "/problems/{code}": "it explains what codes mean, and tells nothing of a tenant",
}
"""What needs no API key, and why."""

WITHOUT_IDEMPOTENCY = {
    "/providers/{provider}/callbacks": "an event has an id of its own, under which it is kept once",
}
"""Which changes take no `Idempotency-Key`, and why; previews change nothing."""

# Where a path's parameter is found: unless it is here, `account_id` is the `id` of the table `account`.
COLUMNS = {
    "callback_id": ("provider_callback", "id"),
    "contact_id": ("account_contact", "id"),
    "grant_id": ("(select * from entitlement_allotment where kind = 'grant') as given", "id"),
    "override_id": ("entitlement_override", "id"),
    "payment_failure_id": ("dunning_case", "id"),
    "reservation_id": ("entitlement_reservation", "id"),
    "request_id": ("notification_request", "id"),
    "setup_id": ("payment_method_setup", "id"),
    "task_id": ("review_task", "id"),
    "trial_id": ("trial_redemption", "subscription_id"),
}
# What belongs to no tenant: numbers and names below something that does.
PLAIN = {"number": "1", "component": "seats", "kind": "invoice"}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the document tells of it."""

    method: str
    path: str
    scope: str
    example: Any
    parameters: dict[str, str]

    async def ask(self, client: httpx2.AsyncClient, path: str | None = None) -> httpx2.Response:
        path = path or PARAMETER.sub(NOBODY, self.path)
        return await client.request(self.method, path, json=self.example, params=self.parameters)


def operations_of(document: dict[str, Any]) -> list[Operation]:
    schemas = document["components"]["schemas"]

    def example_of(body: dict[str, Any]) -> Any:
        if not body:
            return None
        schema = body["content"]["application/json"]["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        return next(iter(schemas[name].get("examples", [{}]))) if name else {}

    def needed(parameters: list[dict[str, Any]]) -> dict[str, str]:
        """What the query must say."""
        return {
            one["name"]: one["schema"]["examples"][0]
            for one in parameters
            if one.get("in") == "query" and one.get("required")
        }

    return [
        Operation(
            method=method.upper(),
            path=path,
            scope=operation["security"][0]["api_key"][0],
            example=example_of(operation.get("requestBody", {})),
            parameters=needed(operation.get("parameters", [])),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in PUBLIC
    ]


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    return operations_of(create_platform_api().openapi())


def told(operation: Operation, response: httpx2.Response) -> str:
    return f"{operation.method} {operation.path}: {response.status_code} {response.text[:300]}"


async def test_without_a_key_nothing_is_opened(application: FastAPI, operations: list[Operation]):
    async with client_of(application) as client:
        for operation in operations:
            response = await operation.ask(client)
            assert response.status_code == 401, told(operation, response)


async def test_all_other_scopes_together_do_not_open_an_operation(
    application: FastAPI, tenant: Tenant, operations: list[Operation]
):
    for scope in sorted({operation.scope for operation in operations}):
        others = [other for other in sorted(SCOPES) if not may([other], scope)]
        async with client_of(application, await key_of(tenant, others)) as client:
            before = await rows_of(tenant)
            for operation in operations:
                if operation.scope == scope:
                    response = await operation.ask(client)
                    assert response.status_code == 403, told(operation, response)
                    problem = response.json()
                    assert problem["code"] == "scope_missing", told(operation, response)
                    assert problem["facts"] == {"scope": scope}, told(operation, response)
            assert await rows_of(tenant) == before


async def test_the_scope_that_is_named_is_enough(
    application: FastAPI, tenant: Tenant, operations: list[Operation]
):
    for scope in sorted({operation.scope for operation in operations}):
        async with client_of(application, await key_of(tenant, [scope])) as client:
            for operation in operations:
                if operation.scope == scope:
                    response = await operation.ask(client)
                    opened = response.status_code not in {401, 403, 500}
                    # A key gives away no more than it has: what it was asked for is another matter.
                    given = operation.path == "/api-keys" and "scope_not_held" in response.text
                    assert opened or given, told(operation, response)


async def test_the_right_to_read_opens_every_read_and_no_change(
    application: FastAPI, tenant: Tenant, operations: list[Operation]
):
    async with client_of(application, await key_of(tenant, [READ_ACCESS])) as client:
        before = await rows_of(tenant)
        for operation in operations:
            response = await operation.ask(client)
            reads = operation.method == "GET" or operation.path in READING_POSTS
            assert (response.status_code != 403) is reads, told(operation, response)
        assert await rows_of(tenant) == before


def test_a_scope_to_read_opens_no_change(operations: list[Operation]):
    for operation in operations:
        reads = operation.method == "GET" or operation.path in READING_POSTS
        assert operation.scope.endswith(":read" if reads else ":write"), operation
        assert operation.scope in SCOPES - {READ_ACCESS, FULL_ACCESS}, operation


def test_every_scope_opens_something(operations: list[Operation]):
    needed = {operation.scope for operation in operations}
    assert needed == SCOPES - {READ_ACCESS, FULL_ACCESS}


async def kept_rows_of(tenant: Tenant) -> dict[str, int]:
    """Without the decisions about access, which are made anew when they are asked for."""
    rows = await rows_of(tenant)
    return {table: count for table, count in rows.items() if table != "entitlement_snapshot"}


async def named(operation: Operation, tenant: Tenant) -> str | None:
    """The operation's path with names of what the tenant has; none when it names nothing of a tenant."""
    parameters = PARAMETER.findall(operation.path)
    if set(parameters) <= PLAIN.keys():
        return None
    names: dict[str, object] = dict(PLAIN)
    async with tenant.tx() as tx:
        for parameter in reversed(
            parameters
        ):  # An inner name knows the outer one: contact, account.
            if parameter not in names:
                table, column = COLUMNS.get(parameter, parameter.rsplit("_", 1))
                row = await tx.fetch_row(f"select * from {table} order by {column} limit 1")
                found = dict(row) if row else {column: f"no-{parameter}"}
                names = {**found, **names, parameter: found[column]}
    return operation.path.format(**names)


async def test_a_key_of_another_tenant_sees_and_changes_nothing(
    application: FastAPI,
    tenant: Tenant,
    other_tenant: Tenant,
    registry: Registry,
    operations: list[Operation],
):
    await live(tenant, registry)
    sandbox = SandboxProvider(tenant.database.clock.now, callback_secrets=["whsec_test"])
    wiring = application.state.wiring
    providers = PaymentProviders({**wiring.payment_providers, "sandbox": sandbox})
    application.state.wiring = replace(wiring, payment_providers=providers)
    own, others = await key_of(tenant), await key_of(other_tenant)
    before, wrong = await kept_rows_of(tenant), []
    async with client_of(application, own) as client, client_of(application, others) as stranger:
        for operation in operations:
            path = await named(operation, tenant)
            if path is not None:
                seen = await operation.ask(stranger, path)
                wrong += [] if seen.status_code == 404 else [told(operation, seen)]
                if operation.method == "GET":
                    shown = await operation.ask(client, path)
                    wrong += [] if shown.status_code == 200 else [f"{path}: {shown.text}"]
    assert not wrong, "\n".join(wrong)
    assert await kept_rows_of(tenant) == before


def test_every_change_can_be_repeated_safely():
    """Of all routes, also those that the document leaves out."""
    document = create_platform_api().openapi()
    documented = {
        (operation["operationId"]): str(operation.get("parameters", []))
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    seen = set()
    for route in routes():
        if "GET" not in route.methods and not route.path.endswith("/preview"):
            keyed = "IdempotencyKey" in documented.get(route.name, "")
            assert keyed is (route.path not in WITHOUT_IDEMPOTENCY), route.path
            seen.add(route.path)
    assert seen >= WITHOUT_IDEMPOTENCY.keys()


def test_what_needs_no_key_is_public_for_a_reason():
    assert {route.path for route in routes() if not scopes_of([route])} == PUBLIC.keys()


def test_people_can_read_which_scopes_there_are():
    text = DOCS.read_text()
    assert [group for group in Group if f"`{group}`" not in text] == []


def routes() -> list[APIRoute]:
    """The routes of all modules of the surface but the hot ones, which the document always tells of."""
    modules = [
        import_module(f"{platform_api.__name__}.{module.name}")
        for module in iter_modules(platform_api.__path__)
    ]
    return [
        route
        for module in modules
        if hasattr(module, "router")
        for route in module.router.routes
        if isinstance(route, APIRoute)
    ]


async def test_a_change_can_be_repeated_for_at_least_a_day(
    client: httpx2.AsyncClient, tenant: Tenant, clock: FixedClock
):
    key = {"Idempotency-Key": "account-1"}
    first = await client.post("/accounts", json=ACCOUNT, headers=key)
    assert first.status_code == 201, first.text
    clock.move_to(clock.now() + timedelta(hours=24))
    assert await forget_expired_idempotency_keys(tenant.work()) == 0
    again = await client.post("/accounts", json=ACCOUNT, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.json()) == (201, first.json())
    clock.move_to(clock.now() + timedelta(hours=24))
    assert await forget_expired_idempotency_keys(tenant.work()) == 1
    assert (await rows_of(tenant))["idempotency_key"] == 0
