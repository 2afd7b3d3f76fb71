"""Can a provider deliver without a key, and a platform see what has come?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from billwright.features.callbacks.operations import receive_callback as receiving
from billwright.providers.payment.sandbox.signing import signed_headers
from tests.conftest import NOON, Tenant
from tests.features.callbacks.calling import SECRET, Caller, asked, kept
from tests.features.payments.paying import an_invoice
from tests.surfaces.platform_api.conftest import client_of

PATH = "/providers/sandbox/callbacks"


@pytest.fixture
def caller(application: FastAPI, database, clock) -> Caller:
    """A provider that the application listens to."""
    caller = Caller(database, clock)
    wiring = application.state.wiring
    application.state.wiring = replace(wiring, payment_providers=caller.providers)
    return caller


async def delivered(
    application: FastAPI, body: bytes, *, path: str = PATH, secret: str = SECRET
) -> httpx2.Response:
    """The answer to a request without an API key."""
    headers = signed_headers("any", body, secret=secret, now=NOON)
    async with client_of(application) as provider:
        return await provider.post(path, content=body, headers=headers)


async def listed(client: httpx2.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    answer = await client.get("/provider-callbacks", params=filters)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


async def test_a_provider_needs_no_key_but_a_signature(application, tenant, client, caller):
    attempt = await asked(tenant, await an_invoice(tenant), caller)
    body = caller.about(attempt, tenant_id=tenant.id)
    for _ in range(2):
        answer = await delivered(application, body)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    [callback] = await listed(client)
    assert (callback["state"], callback["event_id"], callback["kind"]) == (
        "handled",
        "event-1",
        "payment",
    )
    assert callback["received_at"] == "2026-01-15T12:00:00Z"
    assert not {"body", "body_sealed"} & set(callback)


async def test_a_wrong_signature_is_a_problem(application, tenant, client, caller):
    answer = await delivered(application, caller.event(), secret="whsec_of_somebody_else")
    assert (answer.status_code, answer.json()["code"]) == (400, "callback_invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert await listed(client) == []


@pytest.mark.parametrize("name", ["nobody", "manual"])
async def test_a_provider_that_sends_no_callbacks_has_no_address(application, tenant, name):
    answer = await delivered(application, b"{}", path=f"/providers/{name}/callbacks")
    assert (answer.status_code, answer.json()["code"]) == (404, "callback_provider_unknown")


@pytest.mark.parametrize(("length", "status"), [(64 * 1024, 400), (64 * 1024 + 1, 413)])
async def test_a_body_is_bounded_before_it_is_read(application, tenant, caller, length, status):
    answer = await delivered(application, b" " * length)
    assert answer.status_code == status


async def test_a_body_that_hides_its_length_is_bounded_too(application, tenant, caller):
    async def endless():
        for _ in range(100):
            yield b" " * 1024

    async with client_of(application) as provider:
        answer = await provider.post(PATH, content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_before_there_is_a_tenant_the_provider_comes_again(application, database, caller):
    answer = await delivered(application, caller.event())
    assert (answer.status_code, answer.json()["code"]) == (503, "callback_without_tenant")


async def test_what_cannot_be_applied_is_answered_with_yes(
    application, tenant, client, caller, monkeypatch
):
    monkeypatch.setattr(receiving, "apply_callback", _fails)
    answer = await delivered(application, caller.event(tenant_id=tenant.id))
    assert answer.status_code == 200
    assert [one["state"] for one in await listed(client)] == ["received"]


async def test_callbacks_are_listed_newest_first_by_provider_and_state(
    application, tenant, client, caller
):
    for kind in ("comet", "payment", "comet"):
        await delivered(application, caller.event(kind, tenant_id=tenant.id))
    assert [one["type"].partition(".")[0] for one in await listed(client)] == [
        "comet",
        "payment",
        "comet",
    ]
    assert len(await listed(client, state="ignored")) == 2
    assert len(await listed(client, state="waiting", provider="sandbox")) == 1
    assert await listed(client, provider="stripe") == []
    first = (await client.get("/provider-callbacks", params={"limit": 2})).json()
    rest = await client.get("/provider-callbacks", params={"cursor": first["next_cursor"]})
    assert len(rest.json()["data"]) == 1


async def test_one_that_was_given_up_is_tried_again_by_hand(application, tenant, client, caller):
    """The event named only the payment's reference, which nobody knew."""
    await delivered(application, caller.event(tenant_id=tenant.id))
    [waiting] = await listed(client)
    path = f"/provider-callbacks/{waiting['id']}/retry"
    again = await client.post(path)
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    assert (again.json()["attempts"], again.json()["last_error"]) == (2, "not_found")
    attempt = await asked(tenant, await an_invoice(tenant), caller)
    await delivered(application, caller.about(attempt, "processing", tenant_id=tenant.id))
    headers = {"Idempotency-Key": "again"}
    for _ in range(2):
        answer = await client.post(path, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (200, "handled")
    assert answer.headers["idempotent-replayed"] == "true"
    assert (await client.post(path)).json() == answer.json()


async def test_what_is_another_tenants_is_not_seen(
    application, tenant, client, other_client, caller
):
    await delivered(application, caller.event("comet", tenant_id=tenant.id))
    [callback] = await kept(tenant)
    assert await listed(other_client) == []
    answer = await other_client.post(f"/provider-callbacks/{callback.id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "callback_unknown")


async def test_a_platform_needs_its_key(application: FastAPI, tenant: Tenant):
    async with client_of(application) as nobody:
        assert (await nobody.get("/provider-callbacks")).status_code == 401


async def _fails(*_args: object, **_more: object) -> None:
    raise RuntimeError("the database is gone")
