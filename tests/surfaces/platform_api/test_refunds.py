"""Can a platform give money back, and see refunds and disputes?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import Dispute, OutcomeUnknown
from billwright.features.refunds.operations.record_dispute import record_dispute
from tests.conftest import NOON, Tenant
from tests.features.refunds.refunding import REFUSED, Bank, euros
from tests.surfaces.platform_api.requests import created, got, invoice_ids_of, rows_of, subscribed


@pytest.fixture
def bank(application: FastAPI) -> Bank:
    bank = Bank()
    application.state.wiring = replace(application.state.wiring, payment_providers=bank.providers)
    return bank


async def a_payment(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """69.85 EUR for a new invoice, all that is due."""
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    amount = {"amount": "69.85", "currency": "EUR"}
    body = {"invoice_id": invoice_id, "amount": amount, "provider": "bank", **changes}
    return await created(client, "/payments", body)


def in_euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def test_a_part_goes_back_with_its_credit_note(client: httpx2.AsyncClient, bank: Bank):
    payment = await a_payment(client)
    body = {"amount": in_euros("11.90"), "reason": "Outage"}
    refund = await created(client, f"/payments/{payment['id']}/refunds", body)
    assert (refund["state"], refund["origin"], refund["amount"]) == (
        "succeeded",
        "requested",
        in_euros("11.90"),
    )
    note = await got(client, f"/invoices/{refund['credit_note_id']}")
    assert (note["total"], note["to_refund"]) == (in_euros("-11.90"), in_euros("11.90"))
    assert await got(client, f"/refunds/{refund['id']}") == refund
    (request,) = bank.asked
    assert request.amount == euros(1190)


async def test_a_repetition_gives_nothing_back_again(client: httpx2.AsyncClient, bank: Bank):
    payment = await a_payment(client)
    bank.script = [OutcomeUnknown("no answer")]
    path, key = f"/payments/{payment['id']}/refunds", {"Idempotency-Key": "refund-1"}
    first = await client.post(path, json={"reason": "Outage"}, headers=key)
    second = await client.post(path, json={"reason": "Outage"}, headers=key)
    assert (first.status_code, first.json()["state"]) == (201, "unknown")
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(bank.asked) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"amount": in_euros("69.86")}, 422, "refund_above_left", "/amount/amount"),
        ({"amount": in_euros("0.00")}, 422, "refund_not_positive", "/amount/amount"),
        (
            {"amount": {"amount": "1.00", "currency": "USD"}},
            422,
            "currency_mismatch",
            "/amount/currency",
        ),
        ({"from": "elsewhere"}, 422, "request_invalid", "/from"),
        ({"from": "credit"}, 409, "nothing_to_refund", None),
    ],
)
async def test_what_does_not_fit_is_refused(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    bank: Bank,
    body: dict[str, Any],
    status: int,
    code: str,
    pointer: str | None,
):
    payment = await a_payment(client)
    before = await rows_of(tenant)
    response = await client.post(
        f"/payments/{payment['id']}/refunds", json={"reason": "Outage", **body}
    )
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert (await rows_of(tenant), bank.asked) == (before, [])


async def test_money_from_credit_that_a_person_sends(client: httpx2.AsyncClient, bank: Bank):
    payment = await a_payment(client, provider="manual", amount=in_euros("79.85"))
    body = {"from": "credit", "reason": "Paid too much"}
    refund = await created(client, f"/payments/{payment['id']}/refunds", body)
    assert (refund["state"], refund["provider"], refund["amount"]) == (
        "created",
        "manual",
        in_euros("10.00"),
    )
    credit = await got(client, f"/accounts/{payment['account_id']}/credit")
    assert credit["balances"] == [in_euros("0.00")]
    path = f"/refunds/{refund['id']}/confirm"
    said = {"outcome": "succeeded", "reference": "Transfer 31"}
    confirmed = (await client.post(path, json=said)).json()
    assert (confirmed["state"], confirmed["provider_reference"]) == ("succeeded", "Transfer 31")
    assert (await client.post(path, json=said)).json() == confirmed
    otherwise = await client.post(path, json={"outcome": "failed"})
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "refund_not_confirmable")


async def test_one_that_failed_is_tried_again(client: httpx2.AsyncClient, bank: Bank):
    payment = await a_payment(client)
    bank.script = [REFUSED]
    failed = await created(client, f"/payments/{payment['id']}/refunds", {"reason": "Outage"})
    assert (failed["state"], failed["failure_code"]) == ("failed", "expired_or_canceled_card")
    again = await created(client, f"/refunds/{failed['id']}/retry", {})
    assert (again["state"], again["credit_note_id"]) == ("succeeded", failed["credit_note_id"])
    twice = await client.post(f"/refunds/{failed['id']}/retry", json={"by_hand": True})
    assert (twice.status_code, twice.json()["code"]) == (409, "refund_not_retryable")


async def test_refunds_are_listed_page_by_page_and_filtered(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, bank: Bank
):
    payment = await a_payment(client)
    path = f"/payments/{payment['id']}/refunds"
    bank.script = [REFUSED]
    older = await created(client, path, {"reason": "one", "amount": in_euros("1.00")})
    newer = await created(client, path, {"reason": "two", "amount": in_euros("2.00")})
    page = await got(client, "/refunds", limit=1)
    rest = await got(client, "/refunds", limit=1, cursor=page["next_cursor"])
    assert (page["data"], rest["data"], rest["has_more"]) == ([newer], [older], False)
    for filters, expected in (
        ({"state": "failed"}, [older]),
        ({"credit_note_id": newer["credit_note_id"]}, [newer]),
        ({"payment_id": payment["id"]}, [newer, older]),
        ({"account_id": payment["account_id"]}, [newer, older]),
        ({"account_id": payment["id"]}, []),
    ):
        assert (await got(client, "/refunds", **filters))["data"] == expected
    assert (await got(other_client, "/refunds"))["data"] == []
    for refused in (
        await other_client.get(f"/refunds/{older['id']}"),
        await other_client.post(f"/refunds/{older['id']}/retry", json={}),
        await other_client.post(f"/refunds/{older['id']}/confirm", json={"outcome": "failed"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "refund_unknown")


async def test_disputes_are_listed_and_read(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, tenant: Tenant, bank: Bank
):
    payment = await a_payment(client)
    dispute = Dispute(
        reference="dp-1",
        payment_reference=payment["attempts"][0]["provider_reference"],
        state=DisputeState.OPEN,
        amount=euros(6985),
        reason="fraudulent",
        respond_by=NOON,
    )
    async with tenant.tx() as tx:
        assert await record_dispute(tx, dispute, provider="bank")
    (listed,) = (await got(client, "/disputes", state="open"))["data"]
    assert (listed["amount"], listed["reason"], listed["respond_by"]) == (
        in_euros("69.85"),
        "fraudulent",
        "2026-01-15T12:00:00Z",
    )
    assert await got(client, f"/disputes/{listed['id']}") == listed
    for filters, count in (
        ({"payment_id": payment["id"]}, 1),
        ({"account_id": payment["account_id"]}, 1),
        ({"state": "lost"}, 0),
    ):
        assert len((await got(client, "/disputes", **filters))["data"]) == count
    assert (await got(other_client, "/disputes"))["data"] == []
    refused = await other_client.get(f"/disputes/{listed['id']}")
    assert (refused.status_code, refused.json()["code"]) == (404, "dispute_unknown")
