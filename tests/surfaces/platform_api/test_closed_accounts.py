"""Does nothing happen by itself to an account that is closed, and is nothing lost by that?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from billwright.features.maintenance.operations.advance_test_clock import advance_test_clock
from billwright.runtime.queue.registry import Registry
from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, created, got, rows_of

BEGAN = "2026-01-31T08:30:00Z"
PLAN: dict[str, Any] = {
    "code": "api",
    "name": "API",
    "interval": {"unit": "month"},
    "components": [
        {
            "code": "base",
            "name": "Base fee",
            "prices": [{"model": "flat", "currency": "EUR", "price": "29.00"}],
        },
        {
            "code": "tokens",
            "name": "Tokens",
            "kind": "usage",
            "meter": "tokens",
            "prices": [{"model": "per_unit", "currency": "EUR", "price": "0.10"}],
        },
    ],
    "features": [{"code": "tokens", "name": "Tokens", "kind": "metered", "value": "10"}],
}


@dataclass
class Customer:
    """An account on a test clock, and the platform that acts for it."""

    client: httpx2.AsyncClient
    tenant: Tenant
    registry: Registry
    clock_id: str
    account_id: str
    subscription_id: str

    async def posts(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = await self.client.post(path, json=body or {})
        assert response.is_success, response.text
        return response.json() if response.content else {}

    async def uses(self, name: str, quantity: str, time: str) -> None:
        event = {
            "id": name,
            "type": "tokens",
            "time": time,
            "quantity": quantity,
            "subscription_id": self.subscription_id,
        }
        told = await self.posts("/usage", {"events": [event]})
        assert told["recorded"] == 1

    async def lives_until(self, to: str) -> None:
        await self.posts(f"/test-clocks/{self.clock_id}/advance", {"to": to})
        work = replace(self.tenant.work("advance_test_clock"), sweeps=self.registry.sweeps)
        await advance_test_clock(work, {"test_clock_id": self.clock_id})
        clock = await got(self.client, f"/test-clocks/{self.clock_id}")
        assert (clock["state"], clock["now"]) == ("ready", to)

    async def pays(self) -> None:
        """Whatever is open."""
        for one in await self.invoices("open"):
            body = {"invoice_id": one["id"], "amount": one["due"], "provider": "manual"}
            await self.posts("/payments", body)

    async def invoices(self, state: str | None = None) -> list[dict[str, Any]]:
        """The account's documents, the newest first."""
        asked = {"account_id": self.account_id} | ({"state": state} if state else {})
        return (await got(self.client, "/invoices", **asked))["data"]

    async def leaves(self) -> None:
        """Cancels at once, pays the rest and closes the account."""
        path = f"/subscriptions/{self.subscription_id}/cancel"
        await self.posts(path, {"mode": "now"})
        await self.pays()
        closed = await self.posts(f"/accounts/{self.account_id}/close", {"reason": "Gone"})
        assert closed["status"] == "closed"

    async def tasks(self) -> list[dict[str, Any]]:
        found = await got(self.client, "/review-tasks", account_id=self.account_id)
        return found["data"]


@pytest.fixture(params=[False], ids=["at once"])
async def customer(
    client: httpx2.AsyncClient, tenant: Tenant, registry: Registry, request: pytest.FixtureRequest
) -> Customer:
    """With a subscription since the beginning of the clock."""
    clock = await created(client, "/test-clocks", {"name": "Life", "now": BEGAN})
    await created(client, "/plans", PLAN)
    # What is collected on a billing day has more to wait for.
    terms = {"collection": "billing_day", "billing_day": 10} if request.param else {}
    body = {**ACCOUNT, "test_clock_id": clock["id"], **terms}
    account = await created(client, "/accounts", body)
    body = {"account_id": account["id"], "plan_code": "api"}
    started = await created(client, "/subscriptions", body)
    return Customer(client, tenant, registry, clock["id"], account["id"], started["id"])


async def test_late_usage_of_a_closed_account_is_left_to_a_person(customer):
    await customer.uses("a", "40", "2026-02-01T00:00:00Z")
    await customer.lives_until("2026-02-10T08:30:00Z")
    await customer.leaves()
    billed = await customer.invoices()
    await customer.uses("b", "25", "2026-02-02T00:00:00Z")
    await customer.lives_until("2026-02-12T09:00:00Z")
    assert await customer.invoices() == billed
    [task] = await customer.tasks()
    assert (task["kind"], task["state"]) == ("usage_after_closing", "open")
    assert task["subject"] == {"type": "account", "id": customer.account_id}
    [left] = task["details"]["subscriptions"]
    assert (left["id"], left["amount"]) == (customer.subscription_id, "2.50 EUR")

    await customer.uses("c", "5", "2026-02-03T00:00:00Z")
    await customer.lives_until("2026-02-20T09:00:00Z")
    assert await customer.tasks() == [task]
    resolved = await customer.posts(f"/review-tasks/{task['id']}/resolve", {"resolution": "Waived"})
    await customer.uses("d", "5", "2026-02-03T00:00:01Z")
    await customer.lives_until("2026-02-25T09:00:00Z")
    assert await customer.tasks() == [resolved]
    assert await customer.invoices() == billed


async def test_what_was_left_is_billed_once_the_account_is_open_again(customer):
    await customer.lives_until("2026-02-10T08:30:00Z")
    await customer.leaves()
    billed = await customer.invoices()
    for name in "ab":
        await customer.uses(name, "10", "2026-02-02T00:00:00Z")
        await customer.lives_until(
            "2026-02-15T09:00:00Z" if name == "a" else "2026-02-20T09:00:00Z"
        )
    await customer.posts(f"/accounts/{customer.account_id}/reopen")
    await customer.lives_until("2026-02-21T09:00:00Z")
    late, *rest = await customer.invoices()
    assert (late["subtotal"]["amount"], rest) == ("2.00", billed)
    await customer.pays()
    await customer.posts(f"/accounts/{customer.account_id}/close")
    await customer.uses("c", "10", "2026-02-02T00:00:01Z")
    await customer.lives_until("2026-02-28T09:00:00Z")
    assert len(await customer.invoices()) == len(billed) + 1
    newest, oldest = await customer.tasks()  # another closing is another question
    assert newest["details"]["subscriptions"][0]["amount"] == "1.00 EUR"
    assert oldest["state"] == "open"


async def test_usage_that_was_less_gives_nothing_back_by_itself(customer):
    await customer.uses("a", "40", "2026-02-01T00:00:00Z")
    await customer.lives_until("2026-02-10T08:30:00Z")
    await customer.leaves()
    billed = await customer.invoices()
    await customer.uses("b", "-10", "2026-02-01T00:00:01Z")
    await customer.lives_until("2026-02-15T09:00:00Z")
    assert await customer.invoices() == billed
    [task] = await customer.tasks()
    assert task["details"]["subscriptions"][0]["amount"] == "-1.00 EUR"


async def test_usage_that_changes_nothing_asks_nobody(customer):
    await customer.uses("a", "40", "2026-02-01T00:00:00Z")
    await customer.lives_until("2026-02-10T08:30:00Z")
    await customer.leaves()
    await customer.uses("b", "0", "2026-02-01T00:00:01Z")
    await customer.uses("c", "4", "2026-02-20T00:00:00Z")
    await customer.lives_until("2026-03-15T09:00:00Z")
    assert await customer.tasks() == []


@pytest.mark.parametrize("customer", [True], indirect=True, ids=["on its billing day"])
async def test_a_closed_account_lives_through_a_year_in_which_nothing_happens(customer):
    await customer.uses("a", "40", "2026-02-01T00:00:00Z")
    await customer.lives_until("2026-03-05T08:30:00Z")
    path = f"/subscriptions/{customer.subscription_id}/cancel"
    await customer.posts(path, {"mode": "now"})
    later = {"account_id": customer.account_id, "plan_code": "api"}
    for body in ({**later, "starts_at": "2026-04-01T00:00:00Z"}, {**later, "trial_days": 14}):
        other = await created(customer.client, "/subscriptions", body)
        await customer.posts(f"/subscriptions/{other['id']}/cancel", {"mode": "now"})
    await customer.posts("/charges/invoice", {"account_id": customer.account_id})
    given_up, *_ = await customer.invoices("open")
    await customer.posts(f"/invoices/{given_up['id']}/uncollectible", {"reason": "Gone"})
    await customer.pays()
    await customer.posts(f"/accounts/{customer.account_id}/close", {"reason": "Gone"})
    await customer.lives_until("2026-03-07T08:30:00Z")
    before = await rows_of(customer.tenant)
    await customer.lives_until("2027-04-30T08:30:00Z")
    after = await rows_of(customer.tenant)
    more = {name: after[name] - count for name, count in before.items() if after[name] != count}
    assert more == {"audit_entry": 2}  # of the clock: it was asked to advance, and has


async def test_what_is_credited_to_a_closed_account_is_paid_back(customer):
    await customer.leaves()
    [paid] = await customer.invoices()
    path = f"/invoices/{paid['id']}/credit-notes"
    note = {"reason": "Outage", "amount": {"amount": "10.00", "currency": "EUR"}}
    refused = await customer.client.post(path, json=note)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_closed")
    refund = {"allocation": {"to_refund": {"amount": "11.90", "currency": "EUR"}}}
    noted = await customer.posts(path, note | refund)
    assert (noted["to_refund"]["amount"], noted["to_balance"]["amount"]) == ("11.90", "0.00")
    credit = await got(customer.client, f"/accounts/{customer.account_id}/credit")
    assert credit["balances"] == []
