"""Does the hot route tell the truth, to the right tenant, however many ask together?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import httpx2
import msgspec
import pytest

from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.runtime.db.database import Database, Fetch
from billwright.surfaces.platform_api.entitlements import Entitlements
from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import PLAN, changed, created, got, subscribed


async def test_every_kind_of_feature_is_answered_as_documented(client: httpx2.AsyncClient):
    subscription = await subscribed(client)
    response = await client.get(f"/subscriptions/{subscription['id']}/entitlements")

    assert response.headers["content-type"] == "application/json"
    answer = msgspec.json.decode(response.content, type=Entitlements)
    assert answer.subscription_id == UUID(subscription["id"])
    assert answer.account_id == UUID(subscription["account_id"])
    assert (answer.version, answer.access) == (1, "full")
    assert response.json()["features"] == [
        {
            "feature": "api_calls",
            "kind": "metered",
            "allowed": True,
            "reason": None,
            "value": None,
            "limit": "1000",
            "used": "0",
            "remaining": "1000",
            "resets_at": "2026-02-15T12:00:00Z",
        },
        {
            "feature": "region",
            "kind": "static",
            "allowed": True,
            "reason": None,
            "value": "eu",
            "limit": None,
            "used": None,
            "remaining": None,
            "resets_at": None,
        },
        {
            "feature": "sso",
            "kind": "boolean",
            "allowed": True,
            "reason": None,
            "value": None,
            "limit": None,
            "used": None,
            "remaining": None,
            "resets_at": None,
        },
    ]


async def test_a_plan_without_features_gives_none(client: httpx2.AsyncClient):
    await created(client, "/plans", changed({**PLAN, "code": "bare"}, "features", to=[]))
    account = await created(client, "/accounts", {"name": "Riverbank Books"})
    body = {"account_id": account["id"], "plan_code": "bare"}
    subscription = await created(client, "/subscriptions", body)
    answer = await got(client, f"/subscriptions/{subscription['id']}/entitlements")
    assert (answer["features"], answer["version"]) == ([], 1)


async def test_access_ends_with_the_answer_that_says_so(client: httpx2.AsyncClient):
    path = f"/subscriptions/{(await subscribed(client))['id']}"
    before = await got(client, f"{path}/entitlements")
    await client.post(f"{path}/cancel", json={"mode": "period_end"})
    assert await got(client, f"{path}/entitlements") == before
    await client.post(f"{path}/cancel", json={"mode": "now"})
    after = await got(client, f"{path}/entitlements")
    assert after == {
        **before,
        "access": "revoked",
        "features": [],
        "version": before["version"] + 1,
    }


async def test_a_missing_payment_is_told_with_what_it_withholds(
    client: httpx2.AsyncClient, tenant: Tenant
):
    subscription = await subscribed(client)
    debt = Restriction(
        cause_id=UUID(int=7),
        account_id=UUID(subscription["account_id"]),
        subscription_id=None,
        effect=RestrictionEffect.READ_ONLY,
    )
    async with tenant.tx() as tx:
        await restrict_access(tx, [debt])
    answer = await got(client, f"/subscriptions/{subscription['id']}/entitlements")
    assert (answer["access"], answer["version"]) == ("read_only", 2)
    assert [(one["feature"], one["allowed"], one["reason"]) for one in answer["features"]] == [
        ("api_calls", False, "payment_overdue"),
        ("region", True, None),
        ("sso", True, None),
    ]


async def test_another_tenants_access_is_invisible(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient
):
    subscription = await subscribed(client)
    response = await other_client.get(f"/subscriptions/{subscription['id']}/entitlements")
    assert (response.status_code, response.json()["code"]) == (404, "subscription_unknown")


def ask_by(
    asked: Callable[..., Awaitable[object]],
    *,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Have every statement across tenants done by `asked(fetch, sql, *values)`."""
    looking_across = database.looking_across

    @asynccontextmanager
    async def changed():
        async with looking_across() as fetch:
            yield partial(asked, fetch)

    monkeypatch.setattr(database, "looking_across", changed)


async def test_questions_that_come_together_are_one_statement(
    client: httpx2.AsyncClient,
    other_client: httpx2.AsyncClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
):
    """Each is answered for its own tenant, the missing ones among them too."""
    mine, theirs = await subscribed(client), await subscribed(other_client)
    statements: list[int] = []

    async def counted(fetch: Fetch, sql: str, *values):
        statements.append(len(values[0]))
        return await fetch(sql, *values)

    ask_by(counted, database=database, monkeypatch=monkeypatch)
    await client.get("/accounts")
    await other_client.get("/accounts")

    def access(one: httpx2.AsyncClient, subscription: dict[str, str]):
        return one.get(f"/subscriptions/{subscription['id']}/entitlements")

    answers = await asyncio.gather(
        *(access(client, mine) for _ in range(10)),
        *(access(other_client, theirs) for _ in range(10)),
        access(client, theirs),
        access(other_client, mine),
    )
    assert [answer.status_code for answer in answers] == [200] * 20 + [404] * 2
    assert [answer.json()["subscription_id"] for answer in answers[:20]] == [mine["id"]] * 10 + [
        theirs["id"]
    ] * 10
    assert sum(statements) == 22
    assert len(statements) <= 3


async def test_a_statement_that_fails_fails_those_who_asked_and_no_others(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    path = f"/subscriptions/{(await subscribed(client))['id']}/entitlements"
    asked, may_fail = asyncio.Event(), asyncio.Event()

    async def broken_once(fetch: Fetch, sql: str, *values):
        if not may_fail.is_set():
            asked.set()
            await may_fail.wait()
            raise ConnectionError("the server went away")
        return await fetch(sql, *values)

    ask_by(broken_once, database=database, monkeypatch=monkeypatch)
    first = [asyncio.create_task(client.get(path)) for _ in range(2)]
    await asked.wait()
    later = asyncio.create_task(client.get(path))
    await asyncio.sleep(0.05)  # it waits for its turn by now
    may_fail.set()
    assert [one.status_code for one in await asyncio.gather(*first)] == [500, 500]
    assert (await later).status_code == 200


async def test_without_a_connection_all_who_asked_are_told(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    path = f"/subscriptions/{(await subscribed(client))['id']}/entitlements"

    def nowhere():
        raise ConnectionError("there is no server")

    with monkeypatch.context() as away:
        away.setattr(database, "looking_across", nowhere)
        answers = await asyncio.gather(client.get(path), client.get(path))
    assert [answer.status_code for answer in answers] == [500, 500]
    assert (await client.get(path)).status_code == 200


async def test_who_goes_away_does_not_disturb_the_others(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    path = f"/subscriptions/{(await subscribed(client))['id']}/entitlements"
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(fetch: Fetch, sql: str, *values):
        asked.set()
        await may_answer.wait()
        return await fetch(sql, *values)

    ask_by(slow, database=database, monkeypatch=monkeypatch)
    impatient = [asyncio.create_task(client.get(path)) for _ in range(5)]
    patient = asyncio.create_task(client.get(path))
    await asked.wait()
    for task in impatient:
        task.cancel()
    may_answer.set()
    assert (await patient).status_code == 200
    gone = await asyncio.gather(*impatient, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in gone)
