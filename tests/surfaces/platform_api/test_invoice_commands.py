"""Can a platform write, send, withdraw, credit and explain invoices?"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import httpx2
import pytest
from pypdf import PdfReader

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, created, got, rows_of

LINES = [
    {"description": "Workshop", "quantity": "1.5", "unit_name": "day", "unit_price": "900.00"},
    {"description": "Friends", "unit_price": "-350.00"},
]


async def drafted(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """1.5 x 900.00 - 350.00 = 1000.00, and 190.00 of tax."""
    account = await created(client, "/accounts", ACCOUNT)
    return await created(
        client, "/invoices", {"account_id": account["id"], "lines": LINES, **changes}
    )


async def finalized(client: httpx2.AsyncClient) -> dict[str, Any]:
    draft = await drafted(client)
    return await posted(client, f"/invoices/{draft['id']}/finalize", 200)


async def posted(client: httpx2.AsyncClient, path: str, status: int, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body or None)
    assert response.status_code == status, response.text
    return response.json()


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def test_from_draft_to_document(client: httpx2.AsyncClient):
    draft = await drafted(client, note="Thank you.")
    assert (draft["kind"], draft["state"], draft["number"]) == ("invoice", "draft", None)
    assert draft["total"] == euros("1190.00")
    path = f"/invoices/{draft['id']}"
    current = await client.get(path)
    changed = await client.patch(
        path, json={"lines": LINES[:1]}, headers={"If-Match": current.headers["ETag"]}
    )
    assert changed.json()["total"] == euros("1606.50")  # 1350.00 and 256.50
    stale = await client.patch(
        path, json={"note": ""}, headers={"If-Match": current.headers["ETag"]}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "invoice_stale")
    invoice = await posted(client, f"{path}/finalize", 200)
    assert (invoice["state"], invoice["number"]) == ("open", "INV-2026-00001")
    again = await client.patch(path, json={"note": ""})
    assert (again.status_code, again.json()["code"]) == (409, "state_forbids")
    pdf = await client.get(f"{path}/pdf")
    assert "Thank you." in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()


async def test_a_draft_can_be_deleted(client: httpx2.AsyncClient, tenant: Tenant):
    draft = await drafted(client)
    response = await client.delete(f"/invoices/{draft['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.delete(f"/invoices/{draft['id']}")).status_code == 404
    rows = await rows_of(tenant)
    assert (rows["invoice"], rows["charge"]) == (0, 0)


async def test_a_credit_note_in_parts(client: httpx2.AsyncClient):
    invoice = await finalized(client)
    path = f"/invoices/{invoice['id']}/credit-notes"
    payment = {"invoice_id": invoice["id"], "amount": euros("1000.00")}
    await created(client, "/payments", payment)
    note = await posted(
        client,
        path,
        201,
        reason="Half a day",
        amount=euros("500.00"),
        allocation={
            "to_invoice": euros("190.00"),
            "to_balance": euros("5.00"),
            "to_refund": euros("400.00"),
        },
    )
    assert (note["kind"], note["number"], note["total"]) == (
        "credit_note",
        "CN-2026-00001",
        euros("-595.00"),
    )
    assert (note["to_balance"], note["to_refund"]) == (euros("5.00"), euros("400.00"))
    assert note["lines"][0]["corrects_line_id"] == invoice["lines"][0]["id"]
    after = await got(client, f"/invoices/{invoice['id']}")
    assert (after["state"], after["credited"], after["due"]) == (
        "paid",
        euros("190.00"),
        euros("0.00"),
    )
    rest = await posted(client, path, 201, reason="The rest")
    assert rest["total"] == euros("-595.00")
    notes = await got(client, "/invoices", corrects_invoice_id=invoice["id"])
    assert [each["id"] for each in notes["data"]] == [rest["id"], note["id"]]
    assert len((await got(client, "/invoices", kind="invoice"))["data"]) == 1
    credit = await got(client, f"/accounts/{invoice['account_id']}/credit")
    assert credit == {"balances": [euros("600.00")]}
    text = PdfReader(BytesIO((await client.get(f"/invoices/{note['id']}/pdf")).content))
    assert "INV-2026-00001" in text.pages[0].extract_text()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": euros("1000.01")}, "credit_too_large"),
        ({"amount": {"amount": "1.00", "currency": "USD"}}, "invoice_currency_differs"),
        ({"allocation": {"to_refund": euros("1190.00")}}, "refund_above_paid"),
        ({"allocation": {"to_balance": euros("1.00")}}, "allocation_differs"),
    ],
)
async def test_what_does_not_fit_changes_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, body: dict[str, Any], code: str
):
    invoice = await finalized(client)
    before = await rows_of(tenant)
    refused = await posted(
        client, f"/invoices/{invoice['id']}/credit-notes", 422, reason="x", **body
    )
    assert refused["code"] == code
    assert await rows_of(tenant) == before


async def test_ends(client: httpx2.AsyncClient):
    first, second = await finalized(client), await finalized(client)
    void = await posted(client, f"/invoices/{first['id']}/void", 200, reason="Wrong buyer")
    assert (void["state"], void["reason"], void["due"]) == ("void", "Wrong buyer", euros("0.00"))
    lost = await posted(client, f"/invoices/{second['id']}/uncollectible", 200, reason="Gone")
    assert (lost["state"], lost["due"]) == ("uncollectible", euros("1190.00"))
    refused = await posted(client, f"/invoices/{first['id']}/uncollectible", 409, reason="Gone")
    assert refused["code"] == "state_forbids"


async def test_lines_are_explained(client: httpx2.AsyncClient):
    invoice = await finalized(client)
    first, second = (await got(client, f"/invoices/{invoice['id']}/lines"))["data"]
    explanation = first["explanation"]
    assert (explanation["rule"], explanation["rule_version"]) == ("manual", 1)
    assert (explanation["quantity"], explanation["unit_price"]) == ("1.5", "900")
    assert explanation["exact"] == {"fraction": "1350/1", "decimal": "1350"}
    assert explanation["amount"] == first["amount"] == euros("1350.00")
    assert explanation["agrees"] is second["explanation"]["agrees"] is True


async def test_account_credit(client: httpx2.AsyncClient):
    account = await created(client, "/accounts", ACCOUNT)
    path = f"/accounts/{account['id']}/credit"
    granted = await posted(client, path, 200, amount=euros("20.00"), reason="Goodwill")
    assert granted == {"balances": [euros("20.00")], "applied": [], "passed_over": []}
    await posted(client, path, 200, amount=euros("-5.00"), reason="Paid out")
    refused = await posted(client, path, 409, amount=euros("-15.01"), reason="Paid out")
    assert refused["code"] == "credit_insufficient"
    newest = await got(client, f"{path}/entries", limit=1)
    assert [each["amount"] for each in newest["data"]] == [euros("-5.00")]
    older = await got(client, f"{path}/entries", limit=1, cursor=newest["next_cursor"])
    assert [(each["kind"], each["balance"]) for each in older["data"]] == [
        ("granted", euros("20.00"))
    ]


async def test_charges_wait_for_the_next_invoice(client: httpx2.AsyncClient):
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "line": {"description": "Disk", "unit_price": "90.00"}}
    assert (await client.post("/charges", json=body)).status_code == 204
    assert (await got(client, "/invoices"))["data"] == []
    whose = {"account_id": account["id"]}
    (document,) = (await client.post("/charges/invoice", json=whose)).json()["documents"]
    # 90.00 and 19 % of it
    assert document["total"] == euros("107.10")
    assert (await client.post("/charges/invoice", json=whose)).json() == {"documents": []}
    unknown = await client.post("/charges/invoice", json={"account_id": document["id"]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "account_unknown_here")


async def test_series(client: httpx2.AsyncClient):
    response = await client.put("/invoice-series/invoice", json={"template": "R{year2}/{sequence}"})
    assert response.json()["next_number"] == "R26/1"
    assert (await finalized(client))["number"] == "R26/1"
    series = await got(client, "/invoice-series")
    assert [each["next_number"] for each in series["data"]] == ["R26/2", "CN-2026-00001"]
    refused = await client.put("/invoice-series/invoice", json={"template": "R{sequence}"})
    assert (refused.status_code, refused.json()["code"]) == (422, "series_template_invalid")


async def test_the_same_key_changes_nothing(client: httpx2.AsyncClient, tenant: Tenant):
    invoice = await finalized(client)
    key = {"Idempotency-Key": "once"}
    body = {"reason": "Outage", "amount": euros("10.00")}
    path = f"/invoices/{invoice['id']}/credit-notes"
    first = await client.post(path, json=body, headers=key)
    before = await rows_of(tenant)
    again = await client.post(path, json=body, headers=key)
    assert again.json() == first.json()
    assert await rows_of(tenant) == before


async def test_another_tenant_sees_nothing_of_it(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, other_tenant: Tenant
):
    invoice = await finalized(client)
    path = f"/invoices/{invoice['id']}"
    before = await rows_of(other_tenant)
    assert (await other_client.get(f"{path}/lines")).status_code == 404
    assert (await other_client.delete(path)).status_code == 404
    assert (await other_client.patch(path, json={"note": "x"})).status_code == 404
    for command, body in (
        ("finalize", None),
        ("void", {"reason": "x"}),
        ("uncollectible", {"reason": "x"}),
        ("credit-notes", {"reason": "x"}),
    ):
        assert (await other_client.post(f"{path}/{command}", json=body)).status_code == 404
    credit = f"/accounts/{invoice['account_id']}/credit"
    change = {"amount": euros("1.00"), "reason": "x"}
    assert (await other_client.get(credit)).status_code == 404
    assert (await other_client.get(f"{credit}/entries")).status_code == 404
    assert (await other_client.post(credit, json=change)).status_code == 404
    assert await rows_of(other_tenant) == before
