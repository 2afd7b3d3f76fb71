"""Does a platform see what a customer will have to pay, and can it send an invoice again?"""

from __future__ import annotations

from tests.surfaces.platform_api.requests import got, invoice_ids_of, rows_of, subscribed


async def test_the_next_invoice_is_shown_with_tax_and_credit(client, other_client, tenant):
    subscription = await subscribed(client)
    account = f"/accounts/{subscription['account_id']}"
    credit = {"amount": {"amount": "5.00", "currency": "EUR"}, "reason": "Sorry"}
    await client.post(f"{account}/credit", json=credit)
    before = await rows_of(tenant)
    upcoming = await got(client, f"/subscriptions/{subscription['id']}/upcoming-invoice")
    assert upcoming == await got(client, f"{account}/upcoming-invoice")
    assert upcoming["at"] == subscription["period"]["end"]
    [document] = upcoming["documents"]
    # 29.00 and 3 times 9.90 are 58.70, with 11.15 of tax (19 %), of which credit pays 5.00.
    amounts = {name: document[name]["amount"] for name in ("subtotal", "tax", "total", "due")}
    assert amounts == {"subtotal": "58.70", "tax": "11.15", "total": "69.85", "due": "64.85"}
    assert document["credit_applied"]["amount"] == "5.00"
    assert await rows_of(tenant) == before
    for path in (f"/subscriptions/{subscription['id']}", account):
        response = await other_client.get(f"{path}/upcoming-invoice")
        assert response.status_code == 404


async def test_a_pending_change_is_on_the_next_invoice(client):
    subscription = await subscribed(client)
    path = f"/subscriptions/{subscription['id']}"
    change = {"quantities": {"seats": "10"}, "effective": "period_end"}
    await client.post(f"{path}/change-quantity", json=change)
    [document] = (await got(client, f"{path}/upcoming-invoice"))["documents"]
    assert document["subtotal"]["amount"] == "128.00"  # 29.00 and 10 times 9.90
    await client.post(f"{path}/cancel", json={"mode": "period_end"})
    nothing = await got(client, f"{path}/upcoming-invoice")
    assert (nothing["at"], nothing["documents"]) == (None, [])


async def test_an_invoice_is_sent_again_once_for_each_request(client, other_client, tenant):
    subscription = await subscribed(client)
    [invoice_id] = invoice_ids_of(subscription)
    path = f"/invoices/{invoice_id}/send"
    first = await client.post(path, headers={"Idempotency-Key": "send-1"})
    assert (first.status_code, first.json()) == (202, {"invoice_id": invoice_id, "recipients": 1})
    await client.post(path, headers={"Idempotency-Key": "send-1"})
    await client.post(path)
    assert (await rows_of(tenant))["notification_request"] == 2
    assert (await other_client.post(path)).json()["code"] == "invoice_unknown"
    await client.post(f"/invoices/{invoice_id}/void", json={"reason": "Wrong"})
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_not_sendable")
