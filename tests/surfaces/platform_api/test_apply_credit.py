"""Does a platform pay open invoices with an account's credit, once for each key?"""

from __future__ import annotations

from typing import Any

import httpx2

from tests.surfaces.platform_api.requests import created, got, invoice_ids_of, subscribed
from tests.surfaces.platform_api.test_payments import Scripted, provider

__all__ = ["provider"]

DUE = "69.85"
BACK = {"success_url": "https://app.example/paid", "cancel_url": "https://app.example/"}


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def a_change(amount: str, **changes: Any) -> dict[str, Any]:
    return {"amount": euros(amount), "reason": "Goodwill", **changes}


async def an_invoice(client: httpx2.AsyncClient, *, credit: str) -> tuple[str, str]:
    """The path of an open invoice of 69.85 EUR, and that of its account's credit."""
    subscription = await subscribed(client)
    (invoice_id,) = invoice_ids_of(subscription)
    path = f"/accounts/{subscription['account_id']}/credit"
    response = await client.post(path, json=a_change(credit))
    assert response.status_code == 200, response.text
    assert (response.json()["applied"], response.json()["passed_over"]) == ([], [])
    return f"/invoices/{invoice_id}", path


async def test_an_open_invoice_takes_credit_once_for_each_key(client):
    invoice, credit = await an_invoice(client, credit="100.00")
    key = {"Idempotency-Key": "credit-1"}
    body = {"amount": euros("20.00")}
    first, again = [
        await client.post(f"{invoice}/apply-credit", json=body, headers=key) for _ in range(2)
    ]
    assert (first.status_code, again.json()) == (200, first.json())
    assert first.headers["ETag"] == f'"{first.json()["version"]}"'
    assert (first.json()["state"], first.json()["due"]["amount"]) == ("partially_paid", "49.85")
    whole = (await client.post(f"{invoice}/apply-credit")).json()
    assert (whole["state"], whole["credit_applied"]["amount"]) == ("paid", DUE)
    assert (await got(client, credit))["balances"] == [euros("30.15")]
    settled = await client.post(f"{invoice}/apply-credit", json={})
    assert (settled.status_code, settled.json()["code"]) == (409, "invoice_not_payable")


async def test_a_page_is_closed_before_credit_is_applied(client, provider: Scripted):
    invoice, _ = await an_invoice(client, credit="100.00")
    page = await created(client, f"{invoice}/payment-page", {**BACK, "provider": "scripted"})
    applied = await client.post(f"{invoice}/apply-credit")
    assert (applied.status_code, applied.json()["state"]) == (200, "paid")
    payment = await got(client, f"/payments/{page['payment']['id']}")
    assert payment["state"] == "canceled"


async def test_a_page_stays_where_there_is_no_credit(client, provider: Scripted):
    invoice, _ = await an_invoice(client, credit="10.00")
    page = await created(client, f"{invoice}/payment-page", {**BACK, "provider": "scripted"})
    refused = await client.post(f"{invoice}/apply-credit", json={"amount": euros("10.01")})
    assert (refused.status_code, refused.json()["code"]) == (409, "credit_insufficient")
    payment = await got(client, f"/payments/{page['payment']['id']}")
    assert payment["state"] == "pending"


async def test_what_is_granted_pays_open_invoices_where_that_is_said(client, provider: Scripted):
    invoice, credit = await an_invoice(client, credit="10.00")
    grant = a_change("20.00", apply_to_open_invoices=True)
    granted = (await client.post(credit, json=grant)).json()
    assert granted["balances"] == [euros("10.00")]
    [applied] = granted["applied"]
    assert (f"/invoices/{applied['invoice_id']}", applied["amount"]) == (invoice, euros("20.00"))
    await created(client, f"{invoice}/payment-page", {**BACK, "provider": "scripted"})
    passed_over = (await client.post(credit, json=grant)).json()
    assert (passed_over["applied"], passed_over["passed_over"]) == ([], [applied["invoice_id"]])
    withdrawn = await client.post(credit, json=a_change("-5.00", apply_to_open_invoices=True))
    assert (withdrawn.json()["balances"], withdrawn.json()["applied"]) == ([euros("25.00")], [])


async def test_what_a_credit_note_leaves_pays_open_invoices_where_that_is_said(client):
    invoice, _ = await an_invoice(client, credit=DUE)
    assert (await client.post(f"{invoice}/apply-credit")).json()["state"] == "paid"
    account_id = (await got(client, invoice))["account_id"]
    line = {"description": "Workshop", "quantity": "1", "unit_price": "100.00"}
    draft = await created(client, "/invoices", {"account_id": account_id, "lines": [line]})
    other = f"/invoices/{draft['id']}"
    await client.post(f"{other}/finalize")
    note = {"reason": "Outage", "amount": euros("10.00"), "apply_to_open_invoices": True}
    noted = await created(client, f"{invoice}/credit-notes", note)
    assert noted["to_balance"]["amount"] == "11.90"
    assert (await got(client, other))["credit_applied"]["amount"] == "11.90"


async def test_another_tenants_invoice_takes_no_credit(client, other_client):
    invoice, _ = await an_invoice(client, credit="10.00")
    response = await other_client.post(f"{invoice}/apply-credit")
    assert (response.status_code, response.json()["code"]) == (404, "invoice_unknown")
