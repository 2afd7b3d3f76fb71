"""Can a platform hand out keys, each for what its holder needs, and take them back?"""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tests.conftest import NOON, Tenant
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import created, got, rows_of

PATH = "/api-keys"
METERING: dict[str, Any] = {
    "name": "Metering",
    "scopes": ["usage:write", "entitlements:read"],
    "expires_at": "2027-01-01T00:00:00Z",
}


def without_text(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "key"}


async def test_a_key_is_created_used_renamed_and_revoked(
    application: FastAPI, client: httpx2.AsyncClient, clock
):
    key = await created(client, PATH, METERING)
    assert {name: key[name] for name in METERING} == METERING
    assert (key["status"], key["created_at"], key["hint"]) == (
        "active",
        "2026-01-15T12:00:00Z",
        key["key"][-4:],
    )
    assert (key["revoked_at"], key["last_used_at"]) == (None, None)
    own = f"{PATH}/{key['id']}"
    assert await got(client, own) == without_text(key)
    async with client_of(application, key["key"]) as service:
        assert (await service.get(f"/subscriptions/{key['id']}/usage")).status_code == 404
        assert (await service.get("/accounts")).status_code == 403
    used = await got(client, own)
    assert used == {**without_text(key), "last_used_at": "2026-01-15T12:00:00Z"}
    renamed = await client.patch(own, json={"name": "Metering, Frankfurt"})
    assert renamed.json() == {**used, "name": "Metering, Frankfurt"}
    for _ in range(2):
        revoked = await client.post(f"{own}/revoke")
        assert revoked.status_code == 200, revoked.text
        assert (revoked.json()["status"], revoked.json()["revoked_at"]) == (
            "revoked",
            "2026-01-15T12:00:00Z",
        )
    application.state.known_callers._known.clear()
    async with client_of(application, key["key"]) as service:
        assert (await service.get(f"/subscriptions/{key['id']}/usage")).status_code == 401


async def test_the_text_is_shown_for_one_request_and_stored_nowhere(
    client: httpx2.AsyncClient, tenant: Tenant, postgres_server, migrated_database
):
    header = {"Idempotency-Key": "key-1"}
    first = await client.post(PATH, json=METERING, headers=header)
    again = await client.post(PATH, json=METERING, headers=header)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    keys = (await got(client, PATH))["data"]
    assert [key["name"] for key in keys] == ["Metering", "platform"]
    text = first.json()["key"]
    database = migrated_database.rpartition("/")[2]
    for table in await rows_of(tenant):
        rows = postgres_server.execute(f"select t::text from {table} t", database=database)
        # Columns of bytes are shown in hexadecimal digits; a secret might also be base64 in JSON.
        for form in (text, text[26:], base64.b64encode(text.encode()).decode()):
            assert form not in rows, table
            assert form.encode().hex() not in rows, table


async def test_a_weaker_key_learns_no_stronger_one_by_repeating_the_request(
    application: FastAPI, client: httpx2.AsyncClient, tenant: Tenant
):
    header, body = {"Idempotency-Key": "key-1"}, {"name": "Root", "scopes": ["billing:write"]}
    assert (await client.post(PATH, json=body, headers=header)).status_code == 201
    async with client_of(application, await key_of(tenant, ["api_keys:write"])) as weaker:
        repeated = await weaker.post(PATH, json=body, headers=header)
        alone = await weaker.post(PATH, json=body)
    for response in (repeated, alone):
        assert (response.status_code, response.json()["code"]) == (403, "scope_not_held")
        assert "bw_" not in response.text


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"scopes": ["usage:everything"]}, "/scopes", "scope_unknown"),
        ({"scopes": ["events:write"]}, "/scopes", "scope_unknown"),
        ({"scopes": []}, "/scopes", "too_short"),
        ({"expires_at": "2026-01-15T12:00:00Z"}, "/expires_at", "api_key_expires_in_past"),
        ({"name": " "}, "/name", "blank"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, tenant: Tenant, change: dict[str, Any], pointer: str, code: str
):
    before = await rows_of(tenant)
    response = await client.post(PATH, json={**METERING, **change})
    assert response.status_code == 422, response.text
    assert [(one["pointer"], one["code"]) for one in response.json()["errors"]] == [(pointer, code)]
    assert await rows_of(tenant) == before


async def test_keys_are_listed_by_what_they_are_worth(
    client: httpx2.AsyncClient, tenant: Tenant, clock
):
    for number in range(3):
        name, expires_at = f"Key {number}", f"2026-01-15T13:0{number}:00Z"
        await created(client, PATH, {**METERING, "name": name, "expires_at": expires_at})
    first = (await got(client, PATH, limit=2))["data"][1]
    assert (await client.post(f"{PATH}/{first['id']}/revoke")).status_code == 200
    clock.move_to(NOON.replace(hour=13, minute=0))

    async def names(**filters: str) -> list[str]:
        found, cursor = [], None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = await got(client, PATH, limit=1, **filters, **more)
            found += [one["name"] for one in page["data"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert await names() == ["Key 2", "Key 1", "Key 0", "platform"]
    assert await names(status="active") == ["Key 2", "platform"]
    assert await names(status="expired") == ["Key 0"]  # At this very instant.
    assert await names(status="revoked") == ["Key 1"]


async def test_keys_of_another_tenant_are_out_of_sight(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    key = await created(client, PATH, METERING)
    own = f"{PATH}/{key['id']}"
    assert [one["name"] for one in (await got(other_client, PATH))["data"]] == ["platform"]
    for response in (
        await other_client.get(own),
        await other_client.patch(own, json={"name": "Mine"}),
        await other_client.post(f"{own}/revoke"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "api_key_unknown")
    assert await got(client, own) == without_text(key)
