"""May this account use so much more of that feature? Is it told at once, in every process?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import httpx2
import msgspec
import pytest
import pytest_asyncio

from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.lift_restrictions import lift_restrictions
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.providers.payment import discover as discover_payment_providers
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.platform_api import entitlement_checks
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.platform_api.entitlement_checks_models import (
    EntitlementAnswer,
    EntitlementAnswers,
)
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, Tenant
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import PLAN, changed, created, subscribed

CHECK = "/entitlements/check"
CALLS = {"feature": "api_calls"}


@pytest_asyncio.fixture
async def elsewhere(
    migrated_database, registry, clock, renderer, tenant: Tenant
) -> AsyncIterator[httpx2.AsyncClient]:
    """The same tenant's backend, at another process of the product."""
    database = await Database.connect(
        migrated_database, outbox=QueueOutbox(registry), clock=clock, size=3
    )
    application = create_platform_api()
    application.state.wiring = Wiring(
        database=database,
        metrics=Metrics(),
        invoice_renderer=renderer,
        payment_providers=discover_payment_providers(),
        secret_box=BOX,
    )
    try:
        async with client_of(application, await key_of(tenant)) as client:
            yield client
    finally:
        await database.close()


async def answered(client: httpx2.AsyncClient, **question: Any) -> dict[str, Any]:
    response = await client.post(CHECK, json=question)
    assert response.status_code == 200, response.text
    return response.json()


async def used(client: httpx2.AsyncClient, subscription_id: str, quantity: int) -> None:
    event = {
        "id": str(uuid4()),
        "type": "api_calls",
        "time": "2026-01-15T12:00:00Z",
        "quantity": str(quantity),
        "subscription_id": subscription_id,
    }
    response = await client.post("/usage", json={"events": [event]})
    assert response.status_code == 200, response.text


async def test_every_kind_of_feature_is_answered_as_documented(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    account_id = subscription["account_id"]
    await used(client, subscription["id"], 400)
    response = await client.post(CHECK, json={"account_id": account_id, **CALLS, "amount": "600"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-length"] == str(len(response.content))
    msgspec.json.decode(response.content, type=EntitlementAnswer)
    assert response.json() == {
        "account_id": account_id,
        "external_id": None,
        "subscription_id": None,
        "feature": "api_calls",
        "allowed": True,
        "reason": None,
        "value": None,
        "limit": "1000",
        "used": "400",
        "overage": "0",
        "remaining": "600",
        "resets_at": "2026-02-15T12:00:00Z",
        "state_version": 1,
        "as_of": "2026-01-15T12:00:00Z",
        "stale_after": "2026-01-15T12:00:01Z",
    }
    region = await answered(client, account_id=account_id, feature="region")
    assert (region["allowed"], region["value"], region["limit"]) == (True, "eu", None)
    assert region["stale_after"] == "2026-01-15T12:01:00Z"
    assert (await answered(client, account_id=account_id, feature="sso"))["allowed"] is True
    beyond = await answered(client, account_id=account_id, **CALLS, amount="600.000001")
    assert (beyond["allowed"], beyond["reason"]) == (False, "limit_reached")
    assert (beyond["used"], beyond["remaining"]) == ("400", "600")
    unknown = await answered(client, account_id=account_id, feature="teleportation")
    assert (unknown["allowed"], unknown["reason"]) == (False, "not_entitled")


async def test_an_account_may_go_by_the_platforms_own_id_and_name_a_subscription(
    client: httpx2.AsyncClient,
):
    await created(client, "/plans", PLAN)
    account = await created(client, "/accounts", {"name": "Oak & Co", "external_id": "customer-17"})
    body = {"account_id": account["id"], "plan_code": "team"}
    own = await created(client, "/subscriptions", body)
    answer = await answered(client, external_id="customer-17", **CALLS, subscription_id=own["id"])
    assert (answer["account_id"], answer["external_id"]) == (account["id"], "customer-17")
    assert (answer["subscription_id"], answer["limit"]) == (own["id"], "1000")
    stranger = await answered(
        client, external_id="customer-17", **CALLS, subscription_id=str(uuid4())
    )
    assert (stranger["allowed"], stranger["reason"]) == (False, "not_entitled")


async def test_an_account_that_nobody_knows_is_refused_alone_and_answered_among_many(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    mine = (await subscribed(client))["account_id"]
    theirs = (await subscribed(other_client))["account_id"]
    for name in ({"account_id": theirs}, {"external_id": "nobody"}):
        response = await client.post(CHECK, json={**name, "feature": "sso"})
        assert (response.status_code, response.json()["code"]) == (404, "account_unknown")
    response = await client.post(
        CHECK, json={"account_ids": [theirs, mine], "features": ["sso", "nothing"]}
    )
    many = msgspec.json.decode(response.content, type=EntitlementAnswers).answers
    assert [(str(one.account_id), one.feature, one.allowed, one.reason) for one in many] == [
        (theirs, "sso", False, "account_unknown"),
        (theirs, "nothing", False, "account_unknown"),
        (mine, "sso", True, None),
        (mine, "nothing", False, "not_entitled"),
    ]
    body = {"external_ids": ["nobody"], "features": ["sso"]}
    (nobody,) = (await client.post(CHECK, json=body)).json()["answers"]
    assert (nobody["account_id"], nobody["external_id"]) == (None, "nobody")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"feature": "sso"}, "", "one_of_two"),
        ({"account_id": str(uuid4()), "external_id": "a", "feature": "sso"}, "", "one_of_two"),
        ({"features": ["sso"]}, "", "one_of_two"),
        ({"account_id": str(uuid4()), "feature": "sso", "amount": "0"}, "/amount", "out_of_range"),
        ({"account_id": str(uuid4()), "feature": "sso", "amount": "-1"}, "/amount", "malformed"),
        ({"account_id": str(uuid4()), "feature": "s o"}, "/feature", "malformed"),
        ({"external_id": "a\u0000", "feature": "sso"}, "/external_id", "control_character"),
        ({"account_ids": [str(uuid4())], "features": ["a", "?"]}, "/features/1", "malformed"),
        ({"account_ids": [str(uuid4())] * 101, "features": ["a"]}, "/account_ids", "too_long"),
    ],
)
async def test_a_question_without_sense_is_refused_where_it_is_wrong(
    client: httpx2.AsyncClient, body: dict[str, Any], pointer: str, code: str
):
    response = await client.post(CHECK, json=body)
    assert response.status_code == 422, response.text
    assert [(one["pointer"], one["code"]) for one in response.json()["errors"]] == [(pointer, code)]


async def test_a_body_may_name_a_feature_as_the_other_form_names_its_own(
    client: httpx2.AsyncClient,
):
    account_id = (await subscribed(client))["account_id"]
    answer = await answered(client, account_id=account_id, feature="features")
    assert answer["reason"] == "not_entitled"


async def test_what_changes_is_seen_by_the_next_question_in_every_process(
    client: httpx2.AsyncClient, elsewhere: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await subscribed(client)
    account_id = subscription["account_id"]

    async def seen() -> tuple[Any, ...]:
        both = [await answered(one, account_id=account_id, **CALLS) for one in (client, elsewhere)]
        assert both[0] == both[1]
        members = ("allowed", "reason", "limit", "used", "remaining")
        return tuple(both[0][member] for member in members)

    assert await seen() == (True, None, "1000", "0", "1000")
    await used(elsewhere, subscription["id"], 999)
    assert await seen() == (True, None, "1000", "999", "1")
    await used(client, subscription["id"], 1)
    assert await seen() == (False, "limit_reached", "1000", "1000", "0")

    grant = {**CALLS, "amount": "50", "reason": "Sorry"}
    await created(elsewhere, f"/accounts/{account_id}/entitlement-grants", grant)
    assert await seen() == (True, None, "1050", "1000", "50")

    reservation = {"account_id": account_id, **CALLS, "amount": "50", "client_id": "job-1"}
    held = await created(client, "/entitlements/reserve", reservation)
    assert await seen() == (False, "limit_reached", "1050", "1000", "0")
    await elsewhere.post(f"/entitlements/reservations/{held['id']}/release")
    assert await seen() == (True, None, "1050", "1000", "50")

    override = {**CALLS, "definition": {"value": None}, "reason": "Agreed"}
    made = await created(client, f"/accounts/{account_id}/entitlement-overrides", override)
    assert await seen() == (True, None, None, "1000", None)
    await client.delete(f"/entitlement-overrides/{made['id']}")
    assert (await seen())[:3] == (True, None, "1050")

    debt = Restriction(
        cause_id=UUID(int=7),
        account_id=UUID(account_id),
        subscription_id=None,
        effect=RestrictionEffect.READ_ONLY,
    )
    async with tenant.tx() as tx:
        await restrict_access(tx, [debt])
    assert (await seen())[:3] == (False, "payment_overdue", "1050")
    async with tenant.tx() as tx:
        await lift_restrictions(tx, UUID(int=7))
    assert (await seen())[:3] == (True, None, "1050")

    await elsewhere.post(f"/subscriptions/{subscription['id']}/cancel", json={"mode": "now"})
    # What the plan gave is gone from the instant on at which the 1,000 were used as well; what was
    # granted to the account stays, and is used up.
    assert (await seen())[:3] == (False, "limit_reached", "50")


async def test_a_default_for_all_accounts_is_seen_at_once_everywhere(
    client: httpx2.AsyncClient, elsewhere: httpx2.AsyncClient
):
    account_id = (await subscribed(client))["account_id"]
    await created(client, "/features", {"code": "beta", "name": "Beta", "kind": "boolean"})
    assert (await answered(elsewhere, account_id=account_id, feature="beta"))["allowed"] is False
    response = await client.put("/features/beta/default", json={"value": True})
    assert response.status_code in {200, 201}, response.text
    assert (await answered(elsewhere, account_id=account_id, feature="beta"))["allowed"] is True


async def test_ten_thousand_answers_are_one_statement(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    features = [
        {"code": f"f{number}", "name": "F", "kind": "metered", "value": str(number)}
        for number in range(50)
    ] + [
        {"code": f"f{number}", "name": "F", "kind": "boolean", "value": True}
        for number in range(50, 100)
    ]
    await created(client, "/plans", changed(PLAN, "features", to=features))
    accounts = [
        (await created(client, "/accounts", {"name": f"Customer {number}"}))["id"]
        for number in range(100)
    ]
    for account_id in accounts[:5]:
        await created(client, "/subscriptions", {"account_id": account_id, "plan_code": "team"})
    body = {"account_ids": accounts, "features": [one["code"] for one in features], "amount": "2"}
    first = (await client.post(CHECK, json=body)).json()["answers"]

    statements: list[str] = []
    unscoped = database.unscoped

    async def counted(sql, *values):
        statements.append(sql)
        return await unscoped(sql, *values)

    monkeypatch.setattr(database, "unscoped", counted)
    monkeypatch.setattr(entitlement_checks, "answer_questions", None)
    started = perf_counter()
    again = (await client.post(CHECK, json=body)).json()["answers"]
    assert perf_counter() - started < 20
    assert len([one for one in statements if "check_entitlements" in one]) == 1
    assert again == first
    assert len(again) == 10_000
    # Of each of five accounts 48 limits are 2 or more, and 50 features have none.
    assert sum(one["allowed"] for one in again) == 5 * 98


async def test_time_is_that_of_the_accounts_test_clock(client: httpx2.AsyncClient):
    clock = await created(client, "/test-clocks", {"name": "A year", "now": "2026-01-31T08:30:00Z"})
    await created(client, "/plans", PLAN)
    body = {"name": "Riverbank Books", "test_clock_id": clock["id"]}
    account = await created(client, "/accounts", body)
    await created(client, "/subscriptions", {"account_id": account["id"], "plan_code": "team"})
    for _ in range(2):  # settled for it, and as it is kept
        answer = await answered(client, account_id=account["id"], **CALLS)
        assert (answer["as_of"], answer["stale_after"]) == (
            "2026-01-31T08:30:00Z",
            "2026-01-31T08:30:01Z",
        )
        assert (answer["allowed"], answer["resets_at"]) == (True, "2026-02-28T08:30:00Z")
