"""Can a platform change what it knows of a customer, without overwriting what it has not seen?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pytest

from billwright.features.accounts.operations.park_account import park_account
from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, changed, created, got, rows_of

BY_DAY = {"collection": "billing_day", "billing_day": 1}
NOBODY = "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41"


async def patch(
    client: httpx2.AsyncClient, account: dict[str, Any], body: dict[str, Any], **headers: str
) -> httpx2.Response:
    return await client.patch(f"/accounts/{account['id']}", json=body, headers=headers)


async def parked(tenant: Tenant, account: dict[str, Any]) -> None:
    async with tenant.tx() as tx:
        await park_account(tx, account_id=UUID(account["id"]), reason="no rate")


async def test_what_is_sent_changes_and_the_rest_stays(client: httpx2.AsyncClient):
    account = await created(client, "/accounts", {**ACCOUNT, "tax_id": "ATU12345675"})
    changes = {
        "name": "Riverbank Bookshop",
        "email": None,
        "address": {"city": "Wien", "country": "AT"},
        "metadata": {"tier": "gold"},
        **BY_DAY,
    }
    response = await patch(client, account, changes)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["email"], answer["tax_id"]) == (None, "ATU12345675")
    assert answer["address"]["city"] == "Wien"
    # 1 February in Berlin, which is an hour ahead.
    assert answer["next_invoice_at"] == "2026-01-31T23:00:00Z"
    assert (response.headers["ETag"], answer["version"]) == ('"2"', 2)
    assert await got(client, f"/accounts/{account['id']}") == answer
    untouched = account.keys() - changes.keys() - {"version", "next_invoice_at"}
    assert {name: answer[name] for name in untouched} == {name: account[name] for name in untouched}


async def test_an_account_begins_with_its_collection_policy(client: httpx2.AsyncClient):
    account = await created(client, "/accounts", ACCOUNT)
    assert (account["collection"], account["billing_day"]) == ("immediate", None)
    assert (account["next_invoice_at"], account["has_payment_method"]) == (None, False)
    collecting = await created(client, "/accounts", {**ACCOUNT, **BY_DAY, "zone": "UTC"})
    assert collecting["next_invoice_at"] == "2026-02-01T00:00:00Z"
    response = await client.post("/accounts", json={**ACCOUNT, "billing_day": 1})
    assert response.status_code == 422
    assert [error["code"] for error in response.json()["errors"]] == ["billing_day_mismatch"]


async def test_an_account_that_has_changed_is_left_alone(
    client: httpx2.AsyncClient, tenant: Tenant
):
    account = await created(client, "/accounts", ACCOUNT)
    seen = (await client.get(f"/accounts/{account['id']}")).headers["ETag"]
    first = await patch(client, account, {"name": "First"}, **{"If-Match": seen})
    assert first.status_code == 200
    before = await rows_of(tenant)
    second = await patch(client, account, {"name": "Second"}, **{"If-Match": seen})
    assert (second.status_code, second.json()["code"]) == (412, "account_version_stale")
    assert second.json()["facts"] == {"expected": 1, "actual": 2}
    assert await rows_of(tenant) == before
    third = await patch(client, account, {"name": "Third"}, **{"If-Match": "*"})
    assert (third.json()["name"], third.headers["ETag"]) == ("Third", '"3"')


async def test_the_same_key_changes_nothing(client: httpx2.AsyncClient, tenant: Tenant):
    account = await created(client, "/accounts", ACCOUNT)
    key = {"Idempotency-Key": "the first", "If-Match": '"1"'}
    first = await patch(client, account, {"name": "Other"}, **key)
    before = await rows_of(tenant)
    again = await patch(client, account, {"name": "Other"}, **key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert (again.headers["Idempotent-Replayed"], again.headers["ETag"]) == ("true", '"2"')
    assert await rows_of(tenant) == before


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": None}, "/name", "wrong_type"),
        ({"name": " "}, "/name", "blank"),
        ({"zone": None}, "/zone", "wrong_type"),
        ({"zone": "Mars/Olympus"}, "/zone", "zone_unknown"),
        ({"currency": "XXX"}, "/currency", "currency_unknown"),
        ({"address": None}, "/address", "wrong_type"),
        ({"metadata": None}, "/metadata", "wrong_type"),
        ({"collection": "weekly"}, "/collection", "unknown_choice"),
        ({"collection": "billing_day", "billing_day": 0}, "/billing_day", "out_of_range"),
        ({"collection": "billing_day", "billing_day": 32}, "/billing_day", "out_of_range"),
        ({"collection": "billing_day"}, "/billing_day", "billing_day_mismatch"),
        ({"billing_day": 1}, "/billing_day", "billing_day_mismatch"),
        ({"test_clock_id": NOBODY}, "/test_clock_id", "unknown_field"),
        ({"parked_reason": None}, "/parked_reason", "unknown_field"),
    ],
)
async def test_a_wrong_change_is_refused_and_leaves_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, body: dict[str, Any], pointer: str, code: str
):
    account = await created(client, "/accounts", ACCOUNT)
    before = await rows_of(tenant)
    response = await patch(client, account, body)
    assert response.status_code == 422
    assert [(one["pointer"], one["code"]) for one in response.json()["errors"]] == [(pointer, code)]
    assert await rows_of(tenant) == before


async def test_an_external_id_is_not_taken_twice(client: httpx2.AsyncClient):
    await created(client, "/accounts", changed(ACCOUNT, "external_id", to="crm-7"))
    account = await created(client, "/accounts", ACCOUNT)
    response = await patch(client, account, {"external_id": "crm-7"})
    assert (response.status_code, response.json()["code"]) == (409, "external_id_taken")


async def test_parked_accounts_are_found_and_unparked(client: httpx2.AsyncClient, tenant: Tenant):
    account, other = [await created(client, "/accounts", ACCOUNT) for _ in range(2)]
    await parked(tenant, account)
    found = (await got(client, "/accounts", parked="true"))["data"]
    assert [(one["id"], one["parked_reason"]) for one in found] == [(account["id"], "no rate")]
    assert (await got(client, "/accounts", parked="false"))["data"] == [other]
    for _ in range(2):
        response = await client.post(f"/accounts/{account['id']}/unpark")
        assert (response.status_code, response.json()["parked_reason"]) == (200, None)
        assert response.headers["ETag"] == '"3"'
    assert (await got(client, "/accounts", parked="true"))["data"] == []


async def test_another_tenants_account_is_not_there(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, tenant: Tenant
):
    account = await created(client, "/accounts", ACCOUNT)
    await parked(tenant, account)
    for response in (
        await patch(other_client, account, {"name": "Other"}),
        await other_client.post(f"/accounts/{account['id']}/unpark"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "account_unknown")
    assert (await got(client, f"/accounts/{account['id']}"))["parked_reason"] == "no rate"
