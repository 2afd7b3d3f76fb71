"""Can a platform see each event that was told, and by whom?"""

from __future__ import annotations

from typing import Any

import httpx2

from billwright.features.usage.sql.reads import list_events
from tests.conftest import NOON, Tenant
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.test_usage import a_subscriber, event, post


async def listed(client: httpx2.AsyncClient, of: dict[str, Any], **asked: Any) -> dict[str, Any]:
    params = {"type": "completion", **asked}
    answer = await client.get(f"/subscriptions/{of['id']}/usage-events", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: dict[str, Any]) -> list[str]:
    return [one["id"] for one in page["data"]]


async def test_events_are_listed_with_who_told_them_and_what_corrected_them(
    client: httpx2.AsyncClient,
):
    of = await a_subscriber(client)
    told = [
        event("early", of, time="2026-01-15T10:00:00Z", quantity="2.50"),
        event("late", of, time="2026-01-15T11:00:00Z", properties={"model": "small"}),
        event("other type", of, type="storage"),
    ]
    await post(client, *told)
    correction = {
        "id": "undo",
        "source": "desk",
        "action": "cancel",
        "corrects": {"source": "api", "id": "early"},
    }
    corrected = await client.post("/usage/corrections", json={"corrections": [correction]})
    assert corrected.status_code == 200, corrected.text

    page = await listed(client, of)
    latest, *both = page["data"]
    assert latest["told_by"].pop("id") is not None
    assert latest == {
        "source": "api",
        "id": "late",
        "type": "completion",
        "time": "2026-01-15T11:00:00Z",
        "quantity": "1",
        "properties": {"model": "small"},
        "received_at": latest["received_at"],
        "told_by": {"kind": "api_key", "name": "platform"},
        "corrects": None,
        "corrected_by": None,
    }
    assert [(one["id"], one["quantity"], one["corrects"], one["corrected_by"]) for one in both] == [
        ("undo", None, {"source": "api", "id": "early"}, None),
        ("early", "2.5", None, {"source": "desk", "id": "undo"}),
    ]


async def test_many_events_are_read_page_by_page(client: httpx2.AsyncClient):
    of = await a_subscriber(client)
    times = [f"2026-01-15T1{hour}:00:00Z" for hour in (0, 0, 0, 1, 2)]
    await post(client, *(event(str(n), of, time=time) for n, time in enumerate(times)))
    seen, cursor = [], {}
    for _ in range(3):
        page = await listed(client, of, limit=2, **cursor)
        seen += ids(page)
        cursor = {"cursor": page["next_cursor"]}
    # Latest first, and of those at one instant the last name.
    assert seen == ["4", "3", "2", "1", "0"]
    assert not page["has_more"]
    within = {"used_after": "2026-01-15T11:00:00Z", "used_before": "2026-01-15T12:00:00Z"}
    assert ids(await listed(client, of, **within)) == ["3"]
    assert ids(await listed(client, of, type="storage")) == []


async def test_nobody_sees_the_events_of_another_tenant(
    client: httpx2.AsyncClient, application: Any, other_tenant: Tenant
):
    of = await a_subscriber(client)
    await post(client, event("one", of))
    async with client_of(application, await key_of(other_tenant)) as stranger:
        answer = await stranger.get(
            f"/subscriptions/{of['id']}/usage-events", params={"type": "completion"}
        )
    assert (answer.status_code, answer.json()["code"]) == (404, "subscription_unknown")
    async with other_tenant.tx() as tx:
        assert await list_events(tx, of["id"], event_type="completion", before=None, limit=1) == []


async def test_events_of_former_versions_were_told_by_nobody_known(
    client: httpx2.AsyncClient, tenant: Tenant
):
    of = await a_subscriber(client)
    async with tenant.tx() as tx:
        await tx.execute(
            """insert into usage_event (tenant_id, source, event_id, account_id, subscription_id, meter,
                   quantity, occurred_at, received_at)
               values ($1, 'api', 'old', $2, $3, 'completion', 1, $4, $4)""",
            tx.tenant_id,
            of["account_id"],
            of["id"],
            NOON,
        )
    (old,) = (await listed(client, of))["data"]
    assert (old["id"], old["told_by"]) == ("old", None)


async def test_a_page_of_events_takes_one_step_through_an_index(
    client: httpx2.AsyncClient, tenant: Tenant
):
    of = await a_subscriber(client)
    await post(client, *(event(str(n), of) for n in range(900)))

    class Explaining:
        tenant_id = tenant.id

        async def fetch(self, sql: str, *values: object) -> list[Any]:
            async with tenant.tx() as tx:
                plans.extend(row[0] for row in await tx.fetch(f"explain {sql}", *values))
            return []

    plans: list[str] = []
    await list_events(
        Explaining(), of["id"], event_type="completion", before=(NOON, "api", "5"), limit=21
    )
    plan = "\n".join(plans)
    assert "usage_event_tenant_id_subscription_id_meter_occurred_at_idx" in plan, plan
    assert "usage_event_corrected_once" in plan, plan
    assert "Incremental Sort" in plan, plan
    condition = next(line for line in plans if "Index Cond" in line and "meter" in line)
    assert "occurred_at <=" in condition, plan
