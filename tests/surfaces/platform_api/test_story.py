"""Does a customer's life work from the first plan to the cancellation?"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import httpx2
from pypdf import PdfReader

from tests.surfaces.platform_api.requests import (
    ACCOUNT,
    PLAN,
    created,
    got,
    invoice_ids_of,
    standing,
)


async def test_from_plan_to_cancellation(client: httpx2.AsyncClient):
    account = await sold_to(client)
    subscription = await begun(client, account)
    (invoice_id,) = invoice_ids_of(subscription)
    await billed(client, invoice_id)
    await paid(client, invoice_id)
    await used_and_ended(client, f"/subscriptions/{subscription['id']}")


async def sold_to(client: httpx2.AsyncClient) -> dict[str, Any]:
    plan = await created(client, "/plans", PLAN)
    assert plan["version"] == 1
    assert plan["components"][1]["prices"] == [
        {"model": "per_unit", "currency": "EUR", "price": "9.90"}
    ]
    account = await created(client, "/accounts", {**ACCOUNT, "external_id": "customer-17"})
    found = await got(client, "/accounts", external_id="customer-17")
    assert found["data"] == [account]
    return account


async def begun(client: httpx2.AsyncClient, account: dict[str, Any]) -> dict[str, Any]:
    subscription = await created(
        client,
        "/subscriptions",
        {"account_id": account["id"], "plan_code": "team", "quantities": {"seats": "3"}},
    )
    assert subscription["number"] == "SUB-000001"
    assert subscription["plan"] == {"code": "team", "name": "Team", "version": 1}
    assert subscription["state"] == "active"
    # The account's zone is the seller's, Berlin: noon in UTC is one o'clock there in both months.
    assert subscription["period"] == {
        "index": 0,
        "start": "2026-01-15T12:00:00Z",
        "end": "2026-02-15T12:00:00Z",
    }
    assert subscription["items"] == [
        {"component": "base", "quantity": "1", "price": None},
        {"component": "seats", "quantity": "3", "price": None},
    ]
    return subscription


async def billed(client: httpx2.AsyncClient, invoice_id: str) -> None:
    invoice = await got(client, f"/invoices/{invoice_id}")
    # 29.00 + 3 * 9.90 = 58.70; 19 % of that is 11.153, so 11.15.
    assert invoice["subtotal"] == {"amount": "58.70", "currency": "EUR"}
    assert invoice["taxes"] == [
        {
            "category": "standard",
            "rate": "0.19",
            "base": {"amount": "58.70", "currency": "EUR"},
            "tax": {"amount": "11.15", "currency": "EUR"},
        }
    ]
    assert invoice["total"] == invoice["due"] == {"amount": "69.85", "currency": "EUR"}
    assert [
        (line["quantity"], line["unit_price"], line["amount"]["amount"])
        for line in invoice["lines"]
    ] == [("1", "29.00", "29.00"), ("3", "9.90", "29.70")]
    pdf = await client.get(f"/invoices/{invoice_id}/pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert invoice["number"] in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()


async def paid(client: httpx2.AsyncClient, invoice_id: str) -> None:
    invoice = await got(client, f"/invoices/{invoice_id}")
    body = {"invoice_id": invoice_id, "amount": invoice["due"], "reference": invoice["number"]}
    payment = await created(client, "/payments", body)
    assert payment["state"] == "succeeded"
    assert [attempt["state"] for attempt in payment["attempts"]] == ["succeeded"]
    settled = await got(client, f"/invoices/{invoice_id}")
    assert (settled["state"], settled["due"]["amount"]) == ("paid", "0.00")


async def used_and_ended(client: httpx2.AsyncClient, path: str) -> None:
    access = await got(client, f"{path}/entitlements")
    assert {one["feature"]: one["allowed"] for one in access["features"]} == {
        "api_calls": True,
        "region": True,
        "sso": True,
    }
    canceled = await client.post(
        f"{path}/cancel", json={"mode": "now", "feedback": "unused", "comment": "Too quiet.\nBye."}
    )
    assert canceled.status_code == 200
    assert canceled.json()["state"] == "canceled"
    assert canceled.json()["ended_at"] == "2026-01-15T12:00:00Z"
    assert await got(client, path) == standing(canceled.json())
    access = await got(client, f"{path}/entitlements")
    assert access["features"] == []
