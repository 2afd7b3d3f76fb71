"""What does a test command a subscription to do? Each command with what must have come before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from billwright.runtime.clock import FixedClock
from tests.conftest import NOON, Tenant
from tests.surfaces.platform_api.requests import ACCOUNT, PLAN, changed, created

# The period of a subscription that began at NOON is 31 days; 21 of them are left.
TEN_DAYS_LATER = NOON + timedelta(days=10)

SUPPORT: dict[str, Any] = {
    "code": "support",
    "name": "Support",
    "optional": True,
    "prices": [{"model": "flat", "currency": "EUR", "price": "31.00"}],
}
BUSINESS: dict[str, Any] = {
    **PLAN,
    "code": "business",
    "name": "Business",
    "components": [
        changed(PLAN["components"][0], "prices", 0, "price", to="59.00"),
        changed(PLAN["components"][1], "prices", 0, "price", to="12.00"),
    ],
}
TENTH: dict[str, Any] = {
    "code": "TENTH",
    "name": "A tenth",
    "kind": "percentage",
    "percent": "10",
    "duration": "forever",
}
Prepare = Callable[[httpx2.AsyncClient, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its method, its path below the subscription, its body, and whether it says when the
    change is to come.
    """

    path: str
    body: dict[str, Any] | None = None
    method: str = "POST"
    timed: bool = False
    begins: tuple[tuple[str, Any], ...] = ()
    after: tuple[tuple[str, dict[str, Any]], ...] = ()
    at: datetime = TEN_DAYS_LATER


COMMANDS = [
    Command("change-plan", {"plan_code": "business"}, timed=True),
    Command("change-quantity", {"quantities": {"seats": "5"}}, timed=True),
    Command("add-ons", {"component": "support"}, timed=True),
    Command(
        "add-ons/support/remove",
        {"proration": "next_invoice"},
        timed=True,
        begins=(("quantities", {"support": "1"}),),
    ),
    Command("migrate", {"version": 2, "effective": "now"}, timed=True),
    Command(
        "undo-change",
        after=(("change-plan", {"plan_code": "business", "effective": "period_end"}),),
    ),
    Command("redeem", {"promotion_code": "tenth"}),
    Command("cancel", {"mode": "now", "proration": "credit", "feedback": "unused"}),
    Command("undo-cancellation", after=(("cancel", {"mode": "period_end"}),)),
    Command("pause", {"proration": "credit", "resumes_at": "2026-03-01T00:00:00Z"}),
    Command("resume", after=(("pause", {"proration": "credit"}),)),
    Command("renew", at=datetime(2026, 2, 15, 13, tzinfo=UTC)),
    Command("renewal", {"renews": False}, "PUT"),
    Command("collection", {"behavior": "keep_as_draft"}, "PUT"),
    Command("trial/extend", {"trial_end": "2026-02-20T12:00:00Z"}, begins=(("trial_days", 20),)),
    Command("trial/end", begins=(("trial_days", 20),)),
]


async def sold(client: httpx2.AsyncClient) -> None:
    """Two plans: `team` with an add-on, whose second version costs more, and `business`; and a promotion
    for those who have a subscription.
    """
    team = {**PLAN, "components": [*PLAN["components"], SUPPORT]}
    await created(client, "/plans", team)
    await created(client, "/plans", BUSINESS)
    await created(client, "/promotions", TENTH)


async def begun(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A subscription of a new account to `team`: 3 seats, 58.70 EUR in advance."""
    account = await created(client, "/accounts", ACCOUNT)
    body = {"account_id": account["id"], "plan_code": "team", "quantities": {"seats": "3"}}
    return await created(client, "/subscriptions", {**body, **changes})


async def ready_for(
    client: httpx2.AsyncClient, command: Command, *, clock: FixedClock
) -> dict[str, Any]:
    """A subscription on which the command makes sense, as it stands, and the clock where it is."""
    await sold(client)
    subscription = await begun(client, **dict(command.begins))
    second = changed(PLAN, "components", 0, "prices", 0, "price", to="39.00")
    terms = {name: value for name, value in second.items() if name != "code"}
    await created(client, "/plans/team/versions", terms)
    for path, body in command.after:
        response = await client.post(f"/subscriptions/{subscription['id']}/{path}", json=body)
        assert response.status_code == 200, response.text
    clock.move_to(command.at)
    response = await client.get(f"/subscriptions/{subscription['id']}")
    return response.json()


async def send(
    client: httpx2.AsyncClient,
    subscription: dict[str, Any],
    command: Command,
    **headers: str,
) -> httpx2.Response:
    path = f"/subscriptions/{subscription['id']}/{command.path}"
    return await client.request(command.method, path, json=command.body, headers=headers)


async def preview(
    client: httpx2.AsyncClient,
    subscription: dict[str, Any],
    command: Command,
    **headers: str,
) -> httpx2.Response:
    path = f"/subscriptions/{subscription['id']}/{command.path}/preview"
    return await client.post(path, json=command.body, headers=headers)


async def everything_of(tenant: Tenant) -> dict[str, str]:
    """All that is stored for a tenant, table by table, and all jobs that wait; but not when a key was
    used last, which is noted whatever comes of the request.
    """
    async with tenant.tx() as tx:
        tables = await tx.fetch(
            """select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'public' and c.relkind in ('r', 'p')
                   and c.relname <> 'alembic_version'"""
        )
        stored = {
            name: await tx.fetch_value(
                f"""select md5(string_agg(t::text, ',' order by t::text))
                    from (select to_jsonb({name}) - 'last_used_at' from {name}) t"""
            )
            for (name,) in tables
        }
    (jobs,) = await tenant.database.unscoped(
        "select md5(string_agg(t::text, ',' order by t::text)) as digest from queue.pgqueuer t"
    )
    return {**stored, "queue": jobs["digest"]}
