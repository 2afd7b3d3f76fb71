"""What does a test ask for? The usual requests, in few words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import httpx2

from tests.conftest import Tenant

PLAN: dict[str, Any] = {
    "code": "team",
    "name": "Team",
    "interval": {"unit": "month"},
    "components": [
        {
            "code": "base",
            "name": "Base fee",
            "prices": [{"model": "flat", "currency": "EUR", "price": "29.00"}],
        },
        {
            "code": "seats",
            "name": "Seats",
            "unit_name": "seat",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "9.90"}],
        },
    ],
    "features": [
        {"code": "sso", "name": "Single sign-on", "kind": "boolean", "value": True},
        {"code": "region", "name": "Region", "kind": "static", "value": "eu"},
        {"code": "api_calls", "name": "API calls", "kind": "metered", "value": "1000"},
    ],
}
ACCOUNT: dict[str, Any] = {"name": "Riverbank Books", "email": "billing@riverbank.example"}
TEST_CLOCK = {"name": "A year", "now": "2026-01-31T08:30:00Z"}


def changed(body: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A copy of a request in which one member is another, or new."""
    copy: Any = deepcopy(body)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return copy


def plan_with(*path: str | int, to: Any) -> dict[str, Any]:
    return changed(PLAN, *path, to=to)


async def created(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a successful POST answers."""
    response = await client.post(path, json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def got(client: httpx2.AsyncClient, path: str, **parameters: Any) -> dict[str, Any]:
    """What a successful GET answers."""
    response = await client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


async def subscribed(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A new subscription to a new plan of a new account: 3 seats, 58.70 EUR and 19 % tax."""
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "team", "quantities": {"seats": "3"}}
    return await created(client, "/subscriptions", {**body, **changes})


def invoice_ids_of(commanded: dict[str, Any]) -> list[str]:
    """The documents that a command on a subscription made."""
    return [document["id"] for document in commanded["documents"]]


def standing(commanded: dict[str, Any]) -> dict[str, Any]:
    """A subscription that a command answered as it is read afterwards: without what was billed."""
    told_once = {"documents", "pending", "held"}
    return {name: value for name, value in commanded.items() if name not in told_once}


async def rows_of(tenant: Tenant) -> dict[str, int]:
    """How many rows each table has for a tenant."""
    async with tenant.tx() as tx:
        tables = await tx.fetch(
            """select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'public' and c.relkind = 'r' and c.relname <> 'alembic_version'"""
        )
        return {name: await tx.fetch_value(f"select count(*) from {name}") for (name,) in tables}
