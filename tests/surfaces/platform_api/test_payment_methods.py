"""Can a platform let its customers leave a method, and see and change what they have left?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.payment_methods.operations.record_setup import record_setup
from billwright.features.payment_methods.sql.reads_setups import setup_by_id
from billwright.features.payment_providers.port import OutcomeUnknown, PaymentProviders
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.conftest import BOX, Tenant
from tests.features.payment_methods.methods import a_card, leave
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, created, got

URLS = {"success_url": "https://app.example/saved", "cancel_url": "https://app.example/billing"}


@pytest.fixture
def sandbox(application: FastAPI) -> SandboxProvider:
    wiring = application.state.wiring
    sandbox = SandboxProvider(wiring.database.clock.now, callback_secrets=["whsec_test"])
    providers = PaymentProviders({**wiring.payment_providers, "sandbox": sandbox})
    application.state.wiring = replace(wiring, payment_providers=providers)
    return sandbox


async def account_with(
    client: httpx2.AsyncClient, tenant: Tenant, *references: str
) -> tuple[str, list[str]]:
    account = await created(client, "/accounts", ACCOUNT)
    cards = [a_card(reference) for reference in references]
    return account["id"], [str(await leave(tenant, account["id"], card)) for card in cards]


async def left_on_page(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    sandbox: SandboxProvider,
    *,
    account_id: str,
    card: str = "",
) -> dict[str, Any]:
    """The page as it was opened, on which the customer has left a card since."""
    setup = await created(client, f"/accounts/{account_id}/payment-methods/setup", URLS)
    async with tenant.tx() as tx:
        reference = (await setup_by_id(tx, setup["id"])).provider_reference
        assert reference is not None
        sandbox.complete(reference, card=card)
        answer = await sandbox.look_up(reference)
        assert answer is not None
        await record_setup(tx, setup_id=setup["id"], answer=answer, box=BOX)
    return setup


async def test_a_customer_leaves_a_method(
    client: httpx2.AsyncClient, tenant: Tenant, sandbox: SandboxProvider
):
    account = await created(client, "/accounts", ACCOUNT)
    path = f"/accounts/{account['id']}/payment-methods"
    setup = await left_on_page(client, tenant, sandbox, account_id=account["id"])
    assert (setup["state"], setup["provider"]) == ("open", "sandbox")
    told = await got(client, f"/payment-method-setups/{setup['id']}")
    assert (told["state"], "url" in told) == ("completed", False)
    (method,) = (await got(client, path))["data"]
    assert method["id"] == told["payment_method_id"]
    assert (method["label"], method["is_default"]) == ("Visa •••• 4242", True)
    assert await got(client, f"/payment-methods/{method['id']}") == method
    assert (await got(client, f"/accounts/{account['id']}"))["has_payment_method"] is True


async def test_a_trial_is_had_once_with_a_card(
    client: httpx2.AsyncClient, tenant: Tenant, sandbox: SandboxProvider
):
    await created(client, "/plans", PLAN)
    first, second, third = [
        (await created(client, "/accounts", {"name": f"Customer {number}"}))["id"]
        for number in range(3)
    ]

    def trial(account_id: str) -> dict[str, Any]:
        return {"account_id": account_id, "plan_code": "team", "trial_days": 14}

    await left_on_page(client, tenant, sandbox, account_id=first)
    begun = await created(client, "/trials", trial(first))
    (method,) = (await got(client, f"/accounts/{first}/payment-methods"))["data"]
    assert (await client.delete(f"/payment-methods/{method['id']}")).status_code == 200

    await left_on_page(client, tenant, sandbox, account_id=second)
    refused = await client.post("/trials", json=trial(second))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "trial_used_with_payment_method")
    assert problem["facts"] == {"plan_code": "team"}
    assert not {first, begun["id"]} & set(refused.text.replace('"', " ").split())
    allowed = {**trial(second), "allow_repeated_trial": True}
    assert (await created(client, "/trials", allowed))["trial"]["state"] == "active"

    await left_on_page(client, tenant, sandbox, account_id=third, card="4444")
    third_trial = await created(client, "/trials", trial(third))
    await left_on_page(client, tenant, sandbox, account_id=third)
    (event,) = (await got(client, "/events", type="subscription.trial_repeated"))["data"]
    assert event["subject_id"] == third_trial["id"]
    assert event["data"]["former_account_id"] == first
    assert (await got(client, f"/trials/{third_trial['id']}"))["state"] == "active"


async def test_a_repetition_gets_the_same_page_although_the_first_answer_was_lost(
    client: httpx2.AsyncClient, sandbox: SandboxProvider, monkeypatch: pytest.MonkeyPatch
):
    account = await created(client, "/accounts", ACCOUNT)
    path, key = f"/accounts/{account['id']}/payment-methods/setup", {"Idempotency-Key": "one"}
    opens = sandbox.open_setup

    async def lost(request: Any) -> Any:
        await opens(request)
        raise OutcomeUnknown

    monkeypatch.setattr(sandbox, "open_setup", lost)
    response = await client.post(path, json=URLS, headers=key)
    assert (response.status_code, response.json()["code"]) == (503, "provider_silent")
    monkeypatch.undo()
    first, second = [await client.post(path, json=URLS, headers=key) for _ in range(2)]
    assert (first.status_code, first.headers["Idempotent-Replayed"]) == (201, "true")
    assert first.json() == second.json()
    assert (await client.post(path, json=URLS)).json()["url"] != first.json()["url"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"success_url": "http://app.example/"}, "redirect_url_invalid"),
        ({"cancel_url": "javascript:alert(1)"}, "redirect_url_invalid"),
        ({"provider": "manual"}, "provider_incapable"),
        ({"provider": "nobody"}, "provider_unknown"),
    ],
)
async def test_a_setup_that_cannot_be_is_refused(
    client: httpx2.AsyncClient, sandbox: SandboxProvider, changes: dict[str, Any], code: str
):
    account = await created(client, "/accounts", ACCOUNT)
    path = f"/accounts/{account['id']}/payment-methods/setup"
    response = await client.post(path, json={**URLS, **changes})
    assert (response.status_code, response.json()["code"]) == (422, code)
    (problem,) = response.json()["errors"]
    assert problem["pointer"] == f"/{next(iter(changes))}"


async def test_the_default_is_chosen_and_removed(client: httpx2.AsyncClient, tenant: Tenant):
    account_id, (first, second) = await account_with(client, tenant, "pm_one", "pm_two")
    path = f"/accounts/{account_id}/payment-methods"
    chosen = await client.post(f"/payment-methods/{second}/default", json={})
    assert (chosen.status_code, chosen.json()["is_default"]) == (200, True)
    listed = (await got(client, path))["data"]
    assert [(one["id"], one["is_default"]) for one in listed] == [(second, True), (first, False)]
    removed = await client.delete(f"/payment-methods/{second}")
    assert (removed.status_code, removed.json()["status"]) == (200, "removed")
    assert [one["id"] for one in (await got(client, path))["data"]] == [first]
    gone = await got(client, path, status="removed")
    assert [one["id"] for one in gone["data"]] == [second]
    assert (await got(client, f"/accounts/{account_id}"))["has_payment_method"] is False
    refused = await client.post(f"/payment-methods/{second}/default", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_method_removed")


async def test_methods_are_read_page_by_page(client: httpx2.AsyncClient, tenant: Tenant):
    account_id, ids = await account_with(client, tenant, "pm_one", "pm_two", "pm_three")
    path = f"/accounts/{account_id}/payment-methods"
    page = await got(client, path, limit=2)
    assert [one["id"] for one in page["data"]] == ids[:0:-1]
    rest = await got(client, path, limit=2, cursor=page["next_cursor"])
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (ids[:1], False)


async def test_another_tenant_has_nothing_of_it(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    tenant: Tenant,
    sandbox: SandboxProvider,
):
    account_id, (method_id,) = await account_with(client, tenant, "pm_one")
    setup = await created(client, f"/accounts/{account_id}/payment-methods/setup", URLS)
    for answer in (
        await other_client.get(f"/payment-methods/{method_id}"),
        await other_client.delete(f"/payment-methods/{method_id}"),
        await other_client.post(f"/payment-methods/{method_id}/default", json={}),
        await other_client.get(f"/payment-method-setups/{setup['id']}"),
        await other_client.get(f"/accounts/{account_id}/payment-methods"),
        await other_client.post(f"/accounts/{account_id}/payment-methods/setup", json=URLS),
        await client.get(f"/payment-methods/{uuid4()}"),
    ):
        assert answer.status_code == 404
    assert (await got(client, f"/payment-methods/{method_id}"))["status"] == "active"
