"""Can a platform name contacts, close an account and open it again, as one who only has the document?"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.surfaces.platform_api.requests import ACCOUNT, created, got, invoice_ids_of, subscribed

CONTACT = {"name": "Payables", "email": "payable@riverbank.example"}


@pytest.fixture
async def account(client: httpx2.AsyncClient) -> dict[str, Any]:
    return await created(client, "/accounts", ACCOUNT)


async def test_a_contact_is_added_read_changed_and_removed(client, account):
    path = f"/accounts/{account['id']}/contacts"
    contact = await created(client, path, CONTACT)
    assert (contact["role"], contact["locale"], contact["version"]) == ("billing", None, 1)
    owner = await created(client, path, {**CONTACT, "role": "owner", "locale": "de-AT"})
    assert (await got(client, path))["data"] == [owner, contact]
    assert (await got(client, path, role="owner"))["data"] == [owner]
    first_page = await got(client, path, limit=1)
    rest = await got(client, path, limit=1, cursor=first_page["next_cursor"])
    assert (first_page["data"], rest["data"], rest["has_more"]) == ([owner], [contact], False)

    read = await client.get(f"{path}/{contact['id']}")
    seen = {"If-Match": read.headers["ETag"]}
    changed = await client.patch(f"{path}/{contact['id']}", json={"locale": "en"}, headers=seen)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json() == {**contact, "locale": "en", "version": 2} | {
        "updated_at": changed.json()["updated_at"]
    }
    cleared = await client.patch(f"{path}/{contact['id']}", json={"locale": None})
    assert cleared.json()["locale"] is None
    late = await client.delete(f"{path}/{contact['id']}", headers=seen)
    assert (late.status_code, late.json()["code"]) == (412, "contact_version_stale")
    gone = await client.delete(f"{path}/{contact['id']}", headers={"If-Match": '"3"'})
    assert gone.status_code == 204
    assert (await client.get(f"{path}/{contact['id']}")).json()["code"] == "contact_unknown"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"email": "nobody"}, "/email"),
        ({"role": "boss"}, "/role"),
        ({"account_id": "x"}, "/account_id"),
    ],
)
async def test_a_wrong_contact_is_refused(client, account, body, pointer):
    path = f"/accounts/{account['id']}/contacts"
    response = await client.post(path, json={**CONTACT, **body})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_the_same_key_adds_a_contact_once(client, account):
    path = f"/accounts/{account['id']}/contacts"
    key = {"Idempotency-Key": "contact-1"}
    first, again = [await client.post(path, json=CONTACT, headers=key) for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["ETag"] == '"1"'
    twice = await client.post(path, json=CONTACT)
    assert (twice.status_code, twice.json()["code"]) == (409, "contact_repeated")


async def test_another_tenants_contacts_are_not_there(client, other_client, account):
    path = f"/accounts/{account['id']}/contacts"
    contact = await created(client, path, CONTACT)
    for response in (
        await other_client.get(path),
        await other_client.post(path, json=CONTACT),
        await other_client.get(f"{path}/{contact['id']}"),
        await other_client.patch(f"{path}/{contact['id']}", json={"name": "Mine"}),
        await other_client.delete(f"{path}/{contact['id']}"),
    ):
        assert response.status_code == 404
    assert await got(client, f"{path}/{contact['id']}") == contact


async def test_an_account_that_goes_on_is_not_closed_and_says_why(client):
    subscription = await subscribed(client)
    path = f"/accounts/{subscription['account_id']}"
    refused = await client.post(f"{path}/close")
    assert (refused.status_code, refused.json()["code"]) == (409, "account_not_closable")
    assert refused.json()["facts"]["reasons"] == ["subscriptions_running", "invoices_open"]
    await client.post(f"/subscriptions/{subscription['id']}/cancel", json={"mode": "now"})
    [invoice_id] = invoice_ids_of(subscription)
    await client.post(f"/invoices/{invoice_id}/void", json={"reason": "Wrong"})
    credit = {"amount": {"amount": "5.00", "currency": "EUR"}, "reason": "Sorry"}
    await client.post(f"{path}/credit", json=credit)
    refused = await client.post(f"{path}/close", json={})
    assert refused.json()["facts"]["reasons"] == ["credit_left"]
    closed = await client.post(f"{path}/close", json={"forfeit_credit": True, "reason": "Gone"})
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    assert closed.headers["ETag"] == f'"{closed.json()["version"]}"'
    assert [one["id"] for one in (await got(client, "/accounts", status="closed"))["data"]] == [
        subscription["account_id"]
    ]


async def test_a_closed_account_takes_nothing_new(client, account):
    path = f"/accounts/{account['id']}"
    await client.post(f"{path}/close")
    line = {"description": "Workshop", "quantity": "1", "unit_price": "100.00"}
    for where, body in (
        ("/invoices", {"account_id": account["id"], "lines": [line]}),
        ("/charges", {"account_id": account["id"], "line": line}),
        (f"{path}/credit", {"amount": {"amount": "5.00", "currency": "EUR"}, "reason": "Sorry"}),
    ):
        response = await client.post(where, json=body)
        assert (response.status_code, response.json()["code"]) == (409, "account_closed"), where
    renamed = await client.patch(path, json={"name": "Riverbank Estate"})
    assert (renamed.status_code, renamed.json()["status"]) == (200, "closed")
    for _ in range(2):
        reopened = await client.post(f"{path}/reopen")
        assert (reopened.json()["status"], reopened.headers["ETag"]) == ("active", '"4"')


async def test_who_has_not_seen_the_newest_version_closes_nothing(client, account):
    old = {"If-Match": '"7"'}
    for command in ("close", "reopen", "unpark"):
        response = await client.post(f"/accounts/{account['id']}/{command}", headers=old)
        assert (response.status_code, response.json()["code"]) == (412, "account_version_stale")
